import { sha256 } from "@noble/hashes/sha2.js";
import { equalBytes, displayTxid, toHex } from "../protocol/bytes.js";
import { closesSimply } from "../protocol/channel/clearing.js";
import type { PartyParams } from "../protocol/channel/params.js";
import {
  type Change,
  type ChangeStage,
  type ChannelState,
  type FundedChannel,
  highestSigned,
  isFunded,
  newestSpec,
} from "../protocol/channel/state.js";
import { LnError } from "../protocol/errors.js";
import { requireSecret } from "../protocol/keys/party-keys.js";
import type { Side } from "../protocol/side.js";
import { buildHtlcTxs } from "../protocol/tx/htlc-tx.js";
import { signCommitment, signHtlcTx } from "../protocol/tx/sign.js";
import type { Files } from "../store/memory-files.js";
import { outpointOf } from "./chain.js";
import { type Ledger, ledgerFrom } from "./ledger.js";
import { FOLDER } from "./party.js";
import { keysIn } from "./search.js";
import { PARTIES, type Script, type Who, otherThan } from "./script.js";
import { type Letter, type Runs, type World, channelIn, commitmentsIn, letterOf, stateIn } from "./world.js";

/** Two folders of one channel, and what must be assumed to go on from them. */
export interface Standing {
  readonly script: Script;
  readonly world: World;
  readonly outpoint: string;
  /** Messages that one has sent and the other has not taken in. */
  readonly underWay: readonly Letter[];
}

/**
 * The channel as two folders have it, whoever opened it as `alice`. Throws: input-run, state-not-funded, policy-vector-channel.
 */
export async function standingOf(runs: Runs, files: Readonly<Record<Who, Files>>, names: Readonly<Record<Who, string>>): Promise<Standing> {
  const states = { alice: fundedIn(files.alice, names.alice), bob: fundedIn(files.bob, names.bob) };
  requireOneChannel(states, names);
  for (const owner of PARTIES) requireSameCommitments(files, owner, names);
  const underWay = [...(await unreceived(runs, files, states, "alice")), ...(await unreceived(runs, files, states, "bob"))];
  const { alice, bob } = states;
  const [{ txid, outputIndex, amount }] = alice.fundings;
  const preimages = [...alice.knownPreimages, ...bob.knownPreimages].map(toHex);
  const { length } = underWay;
  return {
    script: {
      name: "folders",
      summary: `the channel in ${names.alice} (alice, who opened it) and ${names.bob} (bob) as it stands; ${length} message${length === 1 ? "" : "s"} under way`,
      opening: {
        fundingSat: amount,
        pushSat: alice.pushMsat / 1000n,
        channelType: alice.channelType,
        feeratePerKw: Number(newestSpec(alice, "local").feeratePerKw),
        closesSimply: closesSimply(alice),
      },
      preimages: [...new Set(preimages)],
      steps: [],
    },
    world: {
      files,
      ledgers: { alice: ledgerOf(alice), bob: ledgerOf(bob) },
      funding: alice.channelReady.local && bob.channelReady.local ? "confirmed" : "released",
      letters: underWay,
      held: {
        alice: [...documentIn(files.alice), ...signaturesOf(files.bob)],
        bob: [...documentIn(files.bob), ...signaturesOf(files.alice)],
      },
      backups: {},
      copies: {},
      restored: PARTIES.filter((who) => states[who].flags.behind),
    },
    outpoint: outpointOf(displayTxid(txid), outputIndex),
    underWay,
  };
}

/** Throws: state-not-funded, state-no-commitment, policy-vector-channel. */
function fundedIn(files: Files, name: string): FundedChannel {
  const state: ChannelState | null = stateIn(files);
  if (state === null || !isFunded(state) || state.fundings[0].local.current === null) {
    throw new LnError("state-not-funded", `${name} holds no signed commitment yet: there is nothing to explore`, { party: name });
  }
  if (state.purpose === "vector") throw new LnError("policy-vector-channel", `${name} is a test case, which is never published`, { party: name });
  return state;
}

/** Throws: input-run. */
function requireOneChannel({ alice, bob }: Readonly<Record<Who, FundedChannel>>, names: Readonly<Record<Who, string>>): void {
  const same = (a: PartyParams, b: PartyParams) => equalBytes(a.fundingPubkey, b.fundingPubkey) && equalBytes(a.htlcBasepoint, b.htlcBasepoint);
  const differs =
    alice.opener === bob.opener
      ? "opener"
      : !equalBytes(alice.channelId, bob.channelId)
        ? "channel_id"
        : !same(alice.params.local, bob.params.remote) || !same(alice.params.remote, bob.params.local)
          ? "params"
          : null;
  if (differs === null) return;
  throw new LnError("input-run", `${names.alice} and ${names.bob} are not the two sides of one channel: ${differs}`, {
    field: differs,
    channel_ids: [toHex(alice.channelId), toHex(bob.channelId)],
  });
}

/** Numbers that both hold of one owner's must be the same transactions, and there is one at least. Throws: input-run. */
function requireSameCommitments(files: Readonly<Record<Who, Files>>, owner: Who, names: Readonly<Record<Who, string>>): void {
  const own = commitmentsIn(files[owner]).filter(({ terms }) => terms.owner === "local");
  const theirs = commitmentsIn(files[otherThan(owner)]).filter(({ terms }) => terms.owner === "remote");
  const pairs = own.flatMap((one) => theirs.flatMap((other) => (other.number === one.number ? [[one, other] as const] : [])));
  const differing = pairs.find(([one, other]) => !equalBytes(one.txid, other.txid));
  if (pairs.length > 0 && differing === undefined) return;
  const what = differing === undefined ? "no number of it is held by both" : `number ${differing[0].number} differs`;
  throw new LnError("input-run", `${names.alice} and ${names.bob} are not of one moment: of the commitments in ${names[owner]}, ${what}`, {
    field: "fundings",
    owner,
    numbers: own.map(({ number }) => number),
    held: theirs.map(({ number }) => number),
  });
}

/** What `resend` prints and the other has not taken in. */
async function unreceived(
  runs: Runs,
  files: Readonly<Record<Who, Files>>,
  states: Readonly<Record<Who, FundedChannel>>,
  by: Who,
): Promise<readonly Letter[]> {
  const answer = await runs[by](files[by], { command: "resend" });
  if (answer.kind === "refused") throw new LnError("input-run", `${by}'s messages: ${answer.message}`, { field: "messages", code: answer.code });
  const last = states[by === "alice" ? "bob" : "alice"].messages.lastReceived;
  return answer.parts.flatMap((part): Letter[] => {
    const letter = letterOf(by, part as Record<string, unknown>);
    const seq = (part as { readonly seq?: unknown }).seq;
    return letter === null || typeof seq !== "number" || seq <= last ? [] : [{ ...letter, state: "sent" }];
  });
}

/** All that a side's file says: the other's secrets and signatures among it. */
function documentIn(files: Files): readonly unknown[] {
  const entry = files.get(`${FOLDER}/channel.json`);
  return entry?.kind === "file" ? [JSON.parse(new TextDecoder().decode(entry.data))] : [];
}

/**
 * What a side has signed of the other's commitments that it has not seen revoked: the other may have kept it, though its own file no longer tells. Our
 * signatures are always the same ones (RFC 6979). Secrets in: the party's keys.
 */
function signaturesOf(files: Files): readonly string[] {
  const keys = keysIn(files);
  const state = channelIn(files);
  const signed = state === null ? -1 : highestSigned(state);
  return commitmentsIn(files)
    .filter(({ terms, number }) => terms.owner === "remote" && number <= signed)
    .flatMap((commitment) => [
      toHex(signCommitment(commitment, requireSecret(keys, "fundingPrivkey"))),
      ...buildHtlcTxs(commitment).map((htlcTx) => toHex(signHtlcTx(htlcTx, "countersigner", requireSecret(keys, "htlcBasepointSecret")))),
    ]);
}

/** Stages in which a change of the local side's, and one of the remote side's, is in the newest own commitment. */
const IN_OWN: Readonly<Record<Side, readonly ChangeStage[]>> = {
  local: ["countersigned", "irrevocable"],
  remote: ["signed", "acked", "countersigned", "irrevocable"],
};

/**
 * What a side is owed as its own state has it, where nothing has been led astray yet: what it has, less what it has proposed to pay, less what it is
 * paid and the peer may still take back.
 */
function ledgerOf(state: FundedChannel): Ledger {
  const spec = newestSpec(state, "local");
  const { local, remote } = state.changes;
  const isIn = (side: Side) => (change: Change) => IN_OWN[side].includes(change.stage);
  const pays = (changes: readonly Change[]) =>
    changes.flatMap(({ content, stage }) => (content.kind === "pay" ? [{ amountMsat: content.amountMsat, stage }] : []));
  const adds = (changes: readonly Change[]) =>
    changes.flatMap(({ content }) =>
      content.kind === "add_htlc" ? [{ id: content.id, amountMsat: content.amountMsat, paymentHash: toHex(content.paymentHash) }] : [],
    );
  const fulfilled = (changes: readonly Change[]) =>
    changes.flatMap(({ content }) => (content.kind === "fulfill_htlc" ? [toHex(sha256(content.paymentPreimage))] : []));
  const sum = (amounts: readonly { readonly amountMsat: bigint }[]) => amounts.reduce((total, { amountMsat }) => total + amountMsat, 0n);
  const standing = (offeredBy: Side) =>
    spec.htlcs
      .filter((htlc) => htlc.offeredBy === offeredBy)
      .map(({ id, amountMsat, paymentHash }) => ({ id, amountMsat, paymentHash: toHex(paymentHash) }));
  const incoming = pays(remote).filter(({ stage }) => stage !== "irrevocable");
  const uncertain = pays(remote.filter(isIn("remote"))).filter(({ stage }) => stage !== "irrevocable");
  const { offers, signed } = state.closing;
  const fees = [offers.local, signed.local].flatMap((close) => (close?.payer === "local" ? [close.feeSatoshis as bigint] : []));
  return {
    ...ledgerFrom(spec.balances.local + sum(standing("local")) - sum(uncertain), state.fundings[0].remote.current?.number ?? 0),
    paidMsat: sum(pays(local.filter((change) => !isIn("local")(change)))),
    incoming: incoming.map(({ amountMsat, stage }) => ({ amountMsat, stage: STAGES[stage] })),
    offered: [...standing("local"), ...adds(local.filter((change) => !isIn("local")(change)))],
    received: [...standing("remote"), ...adds(remote.filter((change) => !isIn("remote")(change)))],
    learned: new Set(fulfilled(remote)),
    revealed: new Set(fulfilled(local)),
    closingFeeSat: fees.reduce((most, fee) => (fee > most ? fee : most), 0n),
    closingMostSat: offers.local?.feeRange?.maxFeeSatoshis ?? null,
  };
}

const STAGES: Readonly<Record<ChangeStage, Ledger["incoming"][number]["stage"]>> = {
  proposed: "proposed",
  signed: "signed",
  acked: "acknowledged",
  countersigned: "countersigned",
  irrevocable: "final",
};
