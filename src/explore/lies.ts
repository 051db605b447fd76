import { toHex } from "../protocol/bytes.js";
import { type ChannelState, type FundedChannel, hasNext, highestSigned, isFunded, newestSpec, nextSpec } from "../protocol/channel/state.js";
import { commitmentTerms } from "../protocol/channel/terms.js";
import { type PartyKeys, ownPerCommitmentPoint, ownSecret, requireSecret } from "../protocol/keys/party-keys.js";
import { type Commitment, buildCommitment } from "../protocol/tx/commitment-tx.js";
import { buildHtlcTxs } from "../protocol/tx/htlc-tx.js";
import { signCommitment, signHtlcTx } from "../protocol/tx/sign.js";
import { type CommitmentSpec, sameSpec } from "../protocol/tx/spec.js";
import { msat } from "../protocol/units.js";
import type { Form } from "../protocol/wire/field.js";
import { MESSAGES, type MessageSpec } from "../protocol/wire/table.js";
import { SIDES } from "../protocol/side.js";
import { asFundingSigned, dueUnopened, fundingOtherwise } from "./opening-talk.js";
import { closesOtherwise, dueOfClose, shutdownOf } from "./closing-talk.js";
import { printMessage } from "../json/messages.js";
import type { Message, MessageOf } from "../protocol/wire/messages.js";
import type { Speaker, Voice } from "./voice.js";

/** A message as its JSON has it, without a place in the stream: it is taken for the next one. */
export type Letter = Readonly<Record<string, unknown>>;

/** The messages that the update asks of the adversary now, as somebody who keeps to the rules would write them. */
export function due(voice: Voice): readonly Message[] {
  const { state, keys } = voice;
  const [{ remote, local }] = state.fundings;
  const messages: Message[] = [];
  if (remote.next !== null && remote.current !== null) messages.push(revocation(state, keys, remote.current.number));
  if (local.previous === null && hasNext(state, "local")) {
    const number = (local.current?.number ?? -1) + 1;
    const signed = signatureFor(
      state,
      keys,
      number,
      attempt(() => nextSpec(state, "local")),
    );
    if (signed !== null) messages.push(state.phase === "awaiting_funding_signed" ? asFundingSigned(signed) : signed);
  }
  return [...dueUnopened(voice, state), ...messages, ...dueOfClose(voice)];
}

function attempt<T>(make: () => T): T | null {
  try {
    return make();
  } catch {
    return null;
  }
}

function revocation({ channelId }: FundedChannel, keys: PartyKeys, number: number): MessageOf<"revoke_and_ack"> {
  return {
    type: "revoke_and_ack",
    channelId,
    perCommitmentSecret: ownSecret(keys, number),
    nextPerCommitmentPoint: ownPerCommitmentPoint(keys, number + 2),
  };
}

/** A commitment_signed for one of the honest side's numbers with these contents, or null where no such commitment can be built. */
function signatureFor(state: FundedChannel, keys: PartyKeys, number: number, spec: CommitmentSpec | null): MessageOf<"commitment_signed"> | null {
  const point = state.ownPoints.find((held) => held.number === number);
  if (point === undefined || spec === null) return null;
  const commitment: Commitment | null = attempt(() => buildCommitment(commitmentTerms(state, "local"), number, point.point, spec));
  // Whoever has lied about its own keys cannot sign with them
  const signature = commitment === null ? null : attempt(() => signCommitment(commitment, requireSecret(keys, "fundingPrivkey")));
  if (commitment === null || signature === null) return null;
  const [funding] = state.fundings;
  return {
    type: "commitment_signed",
    channelId: state.channelId,
    signature,
    htlcSignatures: buildHtlcTxs(commitment).map((htlcTx) => signHtlcTx(htlcTx, "countersigner", requireSecret(keys, "htlcBasepointSecret"))),
    fundingTxid: funding.txid,
  };
}

/** Whatever fits a field: what is known of its kind, and what lies beside the value that stands there. */
function alternatives(form: Form, value: unknown, pool: Pool): readonly unknown[] {
  switch (form.kind) {
    case "u8":
    case "u16":
    case "u32":
    case "u64":
    case "satoshi":
    case "millisatoshi":
    case "feerate_per_kw": {
      const number = BigInt(value as string | number);
      const most =
        form.kind === "u16" ? 0xffffn : form.kind === "u8" ? 0xffn : form.kind === "u32" || form.kind === "feerate_per_kw" ? 0xffffffffn : pool.most;
      return [...new Set([0n, 1n, number + 1n, 2n * number, pool.most, most])]
        .filter((other) => other !== number && other <= most)
        .map((other) => (other <= Number.MAX_SAFE_INTEGER ? Number(other) : other.toString()));
    }
    case "signature":
      return pool.signatures;
    case "secret":
      return pool.secrets;
    case "point":
      return pool.points;
    case "bytes32":
      return pool.hashes;
    case "script":
      return pool.scripts;
    case "struct":
      return Object.entries(form.parts).flatMap(([name, part]) => {
        const parts = value as Letter;
        return alternatives(part, parts[name], pool).map((other) => ({ ...parts, [name]: other }));
      });
    case "list":
      return [[], ...alternatives(form.of, undefined, pool).map((one) => [one])];
    default:
      return [];
  }
}

interface Pool {
  readonly signatures: readonly string[];
  readonly secrets: readonly string[];
  readonly points: readonly string[];
  readonly hashes: readonly string[];
  readonly scripts: readonly string[];
  readonly most: bigint;
}

/** A few of each kind: the newest that are known, and one that nobody made. */
const OF_A_KIND = 6;
const MOST_SAT = 2_100_000_000_000_000n;
const NEVER_MADE = "42".repeat(32);
/** OP_RETURN, a later witness program, P2PKH, and nothing at all. */
const ODD_SCRIPTS = ["6a0442424242", "5120" + "42".repeat(32), `76a914${"42".repeat(20)}88ac`, ""] as const;

function poolOf({ keys, knowledge, preimages, wallets }: Speaker, state: ChannelState | null): Pool {
  const number = state !== null && isFunded(state) ? Math.max(highestSigned(state), 0) : 0;
  const numbers = [number - 2, number - 1, number, number + 1, number + 2].filter((each) => each >= 0);
  return {
    signatures: [...knowledge.signatures].slice(-OF_A_KIND),
    secrets: [...numbers.map((each) => toHex(ownSecret(keys, each).reveal())), ...[...knowledge.values].slice(-2), NEVER_MADE],
    points: [
      ...numbers.map((each) => toHex(ownPerCommitmentPoint(keys, each))),
      ...(state?.ownPoints ?? []).map(({ point }) => toHex(point)),
      `02${"ff".repeat(32)}`,
    ],
    hashes: [...preimages.map(toHex), NEVER_MADE],
    scripts: [toHex(wallets.local), toHex(wallets.remote), ...ODD_SCRIPTS],
    most: (state?.fundingSatoshis ?? MOST_SAT) * 1000n,
  };
}

/**
 * Messages that say something else than they should: each with one field changed to whatever fits it, and signatures that are good, but for another
 * number or other contents. The same for every message type and every rule.
 */
export function lies(speaker: Speaker, state: ChannelState | null, honest: readonly Message[]): readonly Letter[] {
  const pool = poolOf(speaker, state);
  const written = honest.map((message) => bare(printMessage(message)));
  const altered = written.flatMap((letter) => {
    const { fields, tlvs }: MessageSpec = MESSAGES[letter["type"] as Message["type"]];
    const held = Object.entries(tlvs).filter(([name]) => name in letter);
    const parts = [...Object.entries(fields), ...held.map(([name, { field }]) => [name, field] as const)];
    const without = held.map(([name]): Letter => Object.fromEntries(Object.entries(letter).filter(([other]) => other !== name)));
    return [
      ...without,
      ...parts.flatMap(([name, { form }]) =>
        alternatives(form, letter[name], pool)
          .filter((other) => JSON.stringify(other) !== JSON.stringify(letter[name]))
          .map((other): Letter => ({ ...letter, [name]: other })),
      ),
    ];
  });
  const made = state === null ? [] : isFunded(state) ? otherwise({ ...speaker, state }) : fundingOtherwise(speaker, state);
  return unlike([...altered, ...made.map((message) => bare(printMessage(message)))], written);
}

/** What nothing that was said leads to by one change. */
function otherwise(voice: Voice): readonly Message[] {
  return [...signedOtherwise(voice), ...closesOtherwise(voice), shutdownOf(voice)];
}

/** Good signatures for whatever commitments the honest side can have points for. */
function signedOtherwise({ state, keys, knowledge }: Voice): readonly Message[] {
  const specs: CommitmentSpec[] = [];
  const newest = SIDES.flatMap((owner) => attempt(() => newestSpec(state, owner)) ?? []);
  const known = [...knowledge.commitments.slice(-4).map(({ spec }) => spec), ...newest];
  for (const spec of [...known, ...known.map(greedy)]) if (!specs.some((held) => sameSpec(held, spec))) specs.push(spec);
  return state.ownPoints.flatMap(({ number }) =>
    specs.flatMap((spec) => {
      const message = signatureFor(state, keys, number, spec);
      return message === null ? [] : [state.phase === "awaiting_funding_signed" ? asFundingSigned(message) : message];
    }),
  );
}

/** The same with everything on the adversary's side. */
function greedy({ balances, ...rest }: CommitmentSpec): CommitmentSpec {
  return { ...rest, balances: { local: msat(0n), remote: msat(balances.local + balances.remote) } };
}

export function bare(document: object): Letter {
  return Object.fromEntries(Object.entries(document).filter(([name]) => name !== "wire" && name !== "seq"));
}

function unlike(letters: readonly Letter[], others: readonly Letter[]): readonly Letter[] {
  const seen = new Set(others.map((letter) => JSON.stringify(letter)));
  return letters.filter((letter) => {
    const text = JSON.stringify(letter);
    return seen.has(text) ? false : seen.add(text);
  });
}
