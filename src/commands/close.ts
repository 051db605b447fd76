import { scriptOfAddress } from "../json/address.js";
import { scriptPubkey } from "../protocol/bytes.js";
import { type FundedChannel, requireFunded } from "../protocol/channel/state.js";
import { completeClosings } from "../protocol/channel/closing.js";
import { planClose } from "../protocol/channel/transitions/close.js";
import type { CloseStep, SigningStep } from "../protocol/channel/transitions/close-step.js";
import type { CloseWish } from "../protocol/channel/transitions/close-wish.js";
import { type Outcome, done } from "../protocol/channel/transitions/outcome.js";
import { LnError } from "../protocol/errors.js";
import { closingsDocument, forSignerDocument } from "./close/document.js";
import type { Report } from "./shared/command.js";
import { defineCommand } from "./shared/command.js";
import type { Context } from "./shared/context.js";
import { type FlagValues, amountSat, feerate, flag, hex, integer, text, toggle } from "./shared/options.js";
import { type Party, changeFlags, loadKeys, loadParty, locateParty, partyArgument, settle } from "./shared/party.js";
import { forSigner, psbtFlags, refuseBoth, signaturesOf } from "./shared/psbt.js";
import { channelSummary } from "./shared/summary.js";

/** `300sat-900sat`. Throws: usage-value. */
function feeRange(value: string): NonNullable<CloseWish["feeRange"]> {
  const [, min, max] = /^([^-]+)-([^-]+)$/.exec(value) ?? [];
  const expected = "a range of fees, like 300sat-900sat";
  if (min === undefined || max === undefined) throw new LnError("usage-value", `${JSON.stringify(value)} is not ${expected}`, { value, expected });
  const range = { minFeeSatoshis: amountSat(min), maxFeeSatoshis: amountSat(max) };
  if (range.minFeeSatoshis > range.maxFeeSatoshis)
    throw new LnError("usage-value", `${JSON.stringify(value)} begins above its end`, { value, expected });
  return range;
}

const flags = {
  ...changeFlags,
  address: flag("--address <address>", "where a mutual close pays us", text),
  script: flag("--script <hex>", "the same as a script: P2WPKH, P2WSH, a later witness program, or OP_RETURN", (value) => scriptPubkey(hex(value))),
  feerate: flag("--feerate <sat_per_kw>", "feerate of the closing transaction, never below and within 1 %", feerate),
  fee: flag("--fee <amount>", "its fee outright, instead of a feerate", amountSat),
  feeRange: flag("--fee-range <min-max>", "for closing_signed: fees that we would take, like 300sat-900sat (default: none is said)", feeRange),
  locktime: flag("--locktime <height>", "for closing_complete: nLockTime (default: 0)", integer(0, 0xffffffff)),
  omitOutput: toggle("--omit-output", "leave out our own output, which is worth less than spending it would cost"),
  tx: toggle("--tx", "print the closing transaction that both have signed, and send nothing"),
  ...psbtFlags,
};
type Options = FlagValues<typeof flags>;

export const command = defineCommand({
  name: "close",
  summary: "close together: shutdown, then the fee and the signatures",
  description:
    "Prints whichever message of a mutual close is next for us: shutdown (--address or --script), then, when both shutdowns have gone and no HTLC is left, what the negotiation that the two " +
    "agreed to when opening asks for. With option_simple_close that is closing_complete for a close that we pay for (--feerate or --fee), and closing_sig to answer the peer's; else closing_signed, the opener's " +
    "first, where an answer without a fee agrees. Run again it prints the same message again; once both have signed, the closing transaction, as --tx does at any time. " +
    "Where the next message carries signatures, --psbt writes what is to be signed for it, and --finish sends it; from --psbt on the channel moves no more.",
  args: [partyArgument],
  flags,
  examples: [
    "chankit close alice --address bcrt1qw508d6qejxtdg4y5r3zarvary0c5xw7kygt080 | chankit receive bob -",
    "chankit close alice --feerate 500 | chankit receive bob -",
    "chankit close bob | chankit receive alice -",
    "chankit close alice --tx --json | jq -r .tx",
    "chankit close alice --feerate 500 --psbt",
  ],
  curve: true,
  exits: [4, 5],
  run: async (ctx, args, o) => {
    const { paths } = locateParty(args, o);
    if (o.address !== undefined && o.script !== undefined) throw new LnError("usage-argument", "name --address or --script, not both", {});
    if (o.fee !== undefined && o.feerate !== undefined) throw new LnError("usage-argument", "name --fee or --feerate, not both", {});
    if (o.tx === true && (o.psbt === true || o.finish !== undefined))
      throw new LnError("usage-argument", "--tx prints what both have signed: it goes with neither --psbt nor --finish", {});
    refuseBoth(o);
    const party = loadParty(ctx, paths, o.tx === true ? { ...o, dryRun: true } : o);
    const before = requireFunded(party.state);
    if (o.tx === true) return closingsReport(before);
    const script = o.address === undefined ? o.script : await scriptOfAddress(o.address, before.chain);
    const fee =
      o.fee !== undefined
        ? ({ kind: "exactly", feeSatoshis: o.fee } as const)
        : o.feerate === undefined
          ? undefined
          : ({ kind: "rate", feerate: o.feerate } as const);
    const { feeRange: range, locktime, omitOutput } = o;
    const step = planClose(before, { script, fee, feeRange: range, locktime, omitOutput });
    if (step.kind === "sign" && o.psbt === true) return forSignerReport(ctx, party, step, o);
    const outcome = await taken(ctx, party, step, o);
    const report = settle(ctx, party, outcome, o, () => channelSummary(outcome.state));
    const over = outcome.sent === null && outcome.resend === null && o.dryRun !== true;
    return over ? closingsReport(requireFunded(outcome.state)) : report;
  },
});

/** What is to be signed elsewhere. That it may be is stored before it is shown. */
async function forSignerReport(ctx: Context, party: Party, step: SigningStep, o: Options): Promise<Report> {
  const { closingSigned: repeated } = requireFunded(party.state).flags;
  const tried = settle(ctx, party, done(step.state, { repeated }), o, () => channelSummary(step.state));
  if (o.dryRun === true) return tried;
  const psbts = await forSigner(step.closings.map(({ plan }) => plan));
  return { document: forSignerDocument(step, psbts), fileName: `close-${step.state.party}.json`, undelivered: "the same command prints it again" };
}

/** The step with our signatures, where it takes any. Throws: usage-psbt, key-…, input-psbt-…. */
async function taken(ctx: Context, { paths }: Party, step: CloseStep, o: Options): Promise<Outcome> {
  if (step.kind === "sign") {
    const plans = step.closings.map(({ plan }) => plan);
    return step.finish(await signaturesOf(ctx, plans, o, { state: step.state, keys: () => loadKeys(ctx, paths, o) }));
  }
  if (o.finish !== undefined && step.outcome.sent !== null)
    throw new LnError("usage-psbt", "a shutdown is next, which carries no signature: there is nothing to finish yet", {});
  return step.outcome;
}

/** Throws: state-closing-unsigned. */
function closingsReport(state: FundedChannel): Report {
  const closings = completeClosings(state);
  if (closings.length === 0) throw new LnError("state-closing-unsigned", "no mutual close has been signed by both sides yet", {});
  return { document: closingsDocument(closings), fileName: `close-${state.party}.json` };
}
