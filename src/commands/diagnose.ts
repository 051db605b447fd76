import { parseSignature, readLogExcerpt } from "../json/log-excerpt.js";
import { type Bytes32, type Signature, displayTxid, equalBytes, toHex } from "../protocol/bytes.js";
import { transactionFromHex } from "../protocol/channel/identify.js";
import { type HeldCommitment, selectCommitment } from "../protocol/channel/select.js";
import { type FundedChannel, requireFunded } from "../protocol/channel/state.js";
import { type Difference, compareCommitment } from "../protocol/diagnose/compare.js";
import {
  type Diagnosis,
  type Evidence,
  type Explanation,
  type SearchLimits,
  type Searching,
  searching,
  searchingHtlc,
} from "../protocol/diagnose/search.js";
import { grouped } from "../protocol/explain/reading.js";
import type { Variant } from "../protocol/diagnose/variant.js";
import { LnError } from "../protocol/errors.js";
import { SIDES } from "../protocol/side.js";
import { SIGHASH_ALL } from "../protocol/tx/format.js";
import { buildHtlcTxs } from "../protocol/tx/htlc-tx.js";
import { commitmentSighash, sighash, verifyHash, verifyHtlcSignature } from "../protocol/tx/sign.js";
import { longWork } from "./shared/long-work.js";
import { defineCommand } from "./shared/command.js";
import type { Context } from "./shared/context.js";
import { flag, hexOf, integer, oneOf, text } from "./shared/options.js";
import { loadParty, locateParty, partyArgument, partyFlags, readInput, readMessageFile } from "./shared/party.js";
import { readTransaction } from "./shared/read-transaction.js";

type Tx = ReturnType<typeof transactionFromHex>;

const flags = {
  channel: partyFlags.channel,
  keys: partyFlags.keys,
  signature: flag("--signature <hex>", "the signature alone: 64 bytes or DER", text),
  log: flag("--log <file>", "what lnd, LDK, Core Lightning or eclair has logged, or -", text),
  tx: flag("--tx <file>", "the commitment as the peer has it: hex, or JSON with a `tx` or an `unsigned_tx`", text),
  sighash: flag("--sighash <hex>", "the hash that the peer has signed, or checked", hexOf(32)),
  owner: flag("--owner <side>", "whose commitment: local (ours, the default) or remote", oneOf(SIDES)),
  number: flag("--number <n>", "one of the commitments held, by its number", integer(0, 2 ** 48 - 1)),
  maxFeerate: flag("--max-feerate <sat_per_kw>", "the highest feerate to try (25000)", integer(0, 10_000_000)),
  maxTries: flag("--max-tries <n>", "the most commitments to build (100000)", integer(1, 1_000_000_000)),
};

export const command = defineCommand({
  name: "diagnose",
  summary: "why a commitment signature does not verify",
  description:
    "Given a commitment_signed that is refused, a signature, or a line of the peer's log: builds our commitment and searches for what the signer has done otherwise, so that the " +
    "signature is good: another feerate, an HTLC missing, extra or at another stage, a number off by one, rounding, dust limit, output order, channel type, sighash type, keys exchanged, " +
    "another delay, balances exchanged, a high S, and two of them at once. Says what was tried. Changes nothing, needs no keys. Exit 1 where nothing explains it.",
  args: [partyArgument, { syntax: "[message]", help: "the peer's commitment_signed, or -" }],
  flags,
  examples: [
    "chankit diagnose bob wire/0005-alice-commitment_signed.json",
    "grep -m1 'Bad commit_sig' peer.log | chankit diagnose alice --owner remote --log -",
  ],
  curve: true,
  exits: [1, 4, 5],
  run: async (ctx, args, o) => {
    const { paths, rest } = locateParty(args, o);
    const given = readGiven(ctx, rest[0], o);
    const state = requireFunded(loadParty(ctx, paths, { ...o, dryRun: true }).state);
    const owner = o.owner ?? "local";
    const held = selectCommitment(state, owner, o.number);
    const limits = { maxFeerate: BigInt(o.maxFeerate ?? 25_000), maxVariants: o.maxTries ?? 100_000 };
    let so = "nothing tried yet";
    const soFar = (): void => {
      ctx.writeStdout(`interrupted: ${so}, and none of it explains the signature\n`);
    };
    const { verdict, document } = await longWork(ctx, soFar, (work) =>
      diagnosis(state, held, given, {
        limits,
        through: async (search) => {
          for (;;) {
            const { done, value } = search.next();
            if (done === true) return value;
            so = `${grouped(value.variants)} commitments built, ${grouped(value.signatures)} signatures checked`;
            work.progress(so);
            await work.breathe();
          }
        },
      }),
    );
    return {
      document,
      fileName: `diagnosis-${state.party}-${owner}-${held.commitment.number}.json`,
      verdict: verdict === "unexplained" ? "no" : "yes",
    };
  },
});

/** All that is known of the signer's side. */
interface Given {
  readonly signature: Signature | null;
  readonly htlcSignatures: readonly Signature[];
  readonly sighash: Bytes32 | null;
  readonly tx: Tx | null;
  /** What the evidence is about. */
  readonly of: "commitment" | "htlc";
  readonly source: Record<string, unknown>;
}

interface GivenOptions {
  readonly signature: string | undefined;
  readonly log: string | undefined;
  readonly tx: string | undefined;
  readonly sighash: Uint8Array | undefined;
}

/** Throws: usage-argument, usage-stdin-twice, input-log, input-signature, state-message-type. */
function readGiven(ctx: Context, message: string | undefined, o: GivenOptions): Given {
  if (message === undefined && o.signature === undefined && o.log === undefined && o.tx === undefined && o.sighash === undefined) {
    throw new LnError("usage-argument", "name the commitment_signed that is refused, or give --signature, --log, --tx or --sighash", {});
  }
  const received = message === undefined ? undefined : readMessageFile(ctx, message).message;
  if (received !== undefined && received.type !== "commitment_signed") {
    throw new LnError("state-message-type", `a ${received.type} came where a commitment_signed is due`, {
      type: received.type,
      expected: "commitment_signed",
    });
  }
  const logged = o.log === undefined ? undefined : readLogExcerpt(readInput(ctx, o.log), o.log);
  const loggedHex = logged?.tx ?? null;
  const loggedTx = loggedHex === null ? null : transactionFromHex(loggedHex);
  return {
    signature: o.signature === undefined ? (received?.signature ?? logged?.signature ?? null) : parseSignature(o.signature, "--signature"),
    htlcSignatures: received?.htlcSignatures ?? [],
    sighash: (o.sighash as Bytes32 | undefined) ?? logged?.sighash ?? null,
    tx: o.tx === undefined ? loggedTx : readTransaction(ctx, o.tx),
    of: logged?.of ?? "commitment",
    source:
      logged === undefined
        ? {}
        : { log_of: logged.node, log_number: logged.number, log_feerate_per_kw: logged.feeratePerKw === null ? null : Number(logged.feeratePerKw) },
  };
}

/** How searches are gone through, and how far they go. */
interface Means {
  readonly limits: SearchLimits;
  readonly through: (search: Searching) => Promise<Diagnosis>;
}

async function diagnosis(
  state: FundedChannel,
  { commitment, standing }: HeldCommitment,
  given: Given,
  { limits, through }: Means,
): Promise<{ readonly verdict: Diagnosis["verdict"]; readonly document: Record<string, unknown> }> {
  const { terms, number, spec, keys, fundingLock } = commitment;
  const base: Variant = { terms, number, spec, point: keys.perCommitmentPoint, departures: {} };
  const peers = given.of === "commitment" ? given.tx : null;
  const spent = { lock: fundingLock, amount: terms.funding.amount };
  const ours = commitmentSighash(commitment);
  const theirs = given.sighash ?? (peers === null ? null : sighash(peers, 0, spent, SIGHASH_ALL));
  // By its hash a variant is recognised without the curve. Where the two have the same, it is the signature that has to be explained
  const isSame = theirs !== null && equalBytes(theirs, ours) && given.signature !== null;
  const evidence: Evidence = { signature: given.signature, sighash: isSame ? null : theirs };
  const about = {
    format: "chankit-diagnosis",
    version: 1,
    owner: terms.owner,
    commitment_number: number,
    standing,
    txid: displayTxid(commitment.txid),
    ...given.source,
  };
  if (given.of === "htlc") {
    const all: Diagnosis[] = [];
    for (const at of buildHtlcTxs(commitment).keys()) all.push(await through(searchingHtlc(base, at, state, evidence, limits)));
    const at = all.findIndex(({ verdict }) => verdict !== "unexplained");
    const found = all[at] ?? all[0];
    if (found === undefined) throw new LnError("tx-not-htlc-output", `commitment ${number} has no HTLC output`, { commitment_number: number });
    const { verdict } = found;
    return { verdict, document: { ...about, of: "htlc", ...(at === -1 ? {} : { at }), ...documentOf(found) } };
  }
  const found = await through(searching(base, state, evidence, limits));
  const bySignature =
    theirs === null || given.signature === null
      ? {}
      : { peers_sighash: toHex(theirs), signature_good_for_it: verifyHash(theirs, keys.countersignerFundingPubkey, given.signature) };
  const htlcs = found.verdict === "valid" ? await htlcDiagnoses(state, base, commitment, given.htlcSignatures, { limits, through }) : [];
  const verdict = htlcs.length === 0 ? found.verdict : htlcs.some((one) => one.verdict === "unexplained") ? "unexplained" : "explained";
  return {
    verdict,
    document: {
      ...about,
      sighash: toHex(ours),
      ...bySignature,
      ...documentOf(found),
      ...(peers === null ? {} : { differences: compareCommitment(commitment, peers).map(differenceOf) }),
      ...(htlcs.length === 0 ? {} : { verdict, commitment_signature: "valid", htlc_signatures: htlcs.map(({ document }) => document) }),
    },
  };
}

/** Each HTLC signature that is not good, where the commitment's is. */
async function htlcDiagnoses(
  state: FundedChannel,
  base: Variant,
  commitment: HeldCommitment["commitment"],
  signatures: readonly Signature[],
  { limits, through }: Means,
): Promise<readonly { readonly verdict: Diagnosis["verdict"]; readonly document: Record<string, unknown> }[]> {
  const htlcTxs = buildHtlcTxs(commitment);
  const found: { readonly verdict: Diagnosis["verdict"]; readonly document: Record<string, unknown> }[] = [];
  for (const [at, htlcTx] of htlcTxs.entries()) {
    const candidate = signatures[at];
    const { id, offeredBy } = htlcTx.output.htlc;
    const about = { at, htlc_id: Number(id), offered_by: offeredBy, output_index: htlcTx.outputIndex };
    const explained = (words: string): void => {
      found.push({ verdict: "explained", document: { ...about, verdict: "explained", words } });
    };
    if (candidate === undefined) {
      explained("there is no signature for it");
      continue;
    }
    if (verifyHtlcSignature(htlcTx, candidate)) continue;
    const others = htlcTxs.flatMap((other, place) => (verifyHtlcSignature(other, candidate) ? [place] : []));
    if (others.length > 0) {
      explained(`it is good for the HTLC at ${others.join(", ")}: the signatures are in another order`);
      continue;
    }
    const diagnosed = await through(searchingHtlc(base, at, state, { signature: candidate, sighash: null }, limits));
    found.push({ verdict: diagnosed.verdict, document: { ...about, ...documentOf(diagnosed) } });
  }
  return found;
}

function documentOf({ verdict, explanations, tried }: Diagnosis): Record<string, unknown> {
  return {
    verdict,
    ...(explanations.length === 0 ? {} : { explanations: explanations.map(explanationOf) }),
    tried,
  };
}

function explanationOf({ suspects, commitment }: Explanation): Record<string, unknown> {
  return {
    differences: suspects.map(({ cause, words, expected, actual }) => ({
      cause,
      words,
      ...(expected === undefined ? {} : { expected }),
      ...(actual === undefined ? {} : { actual }),
    })),
    txid: displayTxid(commitment.txid),
    unsigned_tx: commitment.unsigned.toHex(),
  };
}

function differenceOf({ field, ours, theirs }: Difference): Record<string, unknown> {
  return { field, ours, theirs };
}
