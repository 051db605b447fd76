import { type ClosingStage, closesSimply, closingStage } from "../protocol/channel/clearing.js";
import { closingPlan } from "../protocol/channel/closing.js";
import type { FundedChannel } from "../protocol/channel/state.js";
import { type ScriptPubkey, scriptPubkey } from "../protocol/bytes.js";
import { requireSecret } from "../protocol/keys/party-keys.js";
import type { Dual } from "../protocol/side.js";
import { CLOSING_OUTPUTS, type ClosingOutputs, type ClosingTerms, sidesOf } from "../protocol/tx/closing-terms.js";
import { type ClosingPlan, buildClosing, closingAmount, isClosingDust, signClosing } from "../protocol/tx/closing-tx.js";
import { type Satoshi, floorToSat, sat } from "../protocol/units.js";
import type { Message, MessageOf } from "../protocol/wire/messages.js";
import type { Voice } from "./voice.js";

/*
 * What the adversary says of a mutual close. All is from the honest side's view: `local` is the honest side, so in a closing_complete of the adversary's
 * the closer is `remote`.
 */

/** What it pays for a close by itself. */
const FEE = sat(1_000n);

/** Its wish to close. BOLT 2 §Closing Initiation: `shutdown`. */
export function shutdownOf({ state, wallets }: Voice): MessageOf<"shutdown"> {
  return { type: "shutdown", channelId: state.channelId, scriptpubkey: scriptPubkey(wallets.remote) };
}

/** The messages of a close that are the adversary's to send now, as somebody who keeps to the rules would write them. BOLT 2 §Channel Close. */
export function dueOfClose(voice: Voice): readonly Message[] {
  const { state } = voice;
  const stage = stageOf(state);
  if (stage === "await_shutdown") return [shutdownOf(voice)];
  const terms = agreedTerms(state);
  if (terms === null || stage === null || stage === "none" || stage === "reply" || stage === "clearing") return [];
  const { offers, signed } = state.closing;
  if (!closesSimply(state)) {
    const fee = stage === "await_offer" ? FEE : stage === "await_answer" ? offers.local?.feeSatoshis : undefined;
    return fee === undefined ? [] : closingSigned(voice, { ...terms, feeSatoshis: fee }, usual(voice, { ...terms, feeSatoshis: fee }));
  }
  const answer = offers.local === null ? [] : closingSig(voice, offers.local, firstOf(Object.keys(offers.local.signatures) as ClosingOutputs[]));
  const own = { ...terms, payer: "remote", feeSatoshis: FEE } as const;
  const proposed = offers.remote === null && signed.remote === null ? closingComplete(voice, own, payable(planOf(state, own))) : [];
  return [...answer, ...proposed];
}

/**
 * Good signatures for closes on other terms than they should be: any fee, anybody's script, and any outputs. Such a message differs in more than one
 * field from an honest one, and in no byte from what somebody with these keys can say.
 */
export function closesOtherwise(voice: Voice): readonly Message[] {
  const { state, wallets } = voice;
  const terms = agreedTerms(state);
  if (terms === null) return [];
  const balance = floorToSat(planOf(state, terms).balances[terms.payer]);
  const fees = [0n, 1n, FEE + 1n, 5_000n, balance - 1_000n, balance, balance + 1n].filter((fee) => fee >= 0n).map(sat);
  const script = scriptPubkey(wallets.remote);
  const misdirected: Dual<ScriptPubkey> = { local: script, remote: terms.scripts.remote };
  const all = [
    ...fees.map((feeSatoshis): ClosingTerms => ({ ...terms, feeSatoshis })),
    { ...terms, feeSatoshis: FEE, scripts: misdirected },
    { ...terms, feeSatoshis: FEE, locktime: 499_999_999 },
  ];
  return all.flatMap((each) =>
    CLOSING_OUTPUTS.flatMap((outputs): readonly Message[] => [
      ...closingComplete(voice, { ...each, payer: "remote" }, [outputs]),
      ...closingSig(voice, { ...each, payer: "local" }, outputs),
      ...closingSigned(voice, each, outputs).flatMap((message) => [message, { ...message, feeRange: only(message.feeSatoshis) }]),
    ]),
  );
}

const only = (fee: Satoshi) => ({ minFeeSatoshis: fee, maxFeeSatoshis: fee });

/** Where the close is; null where a rule was waived and the state is one that no close can come from. */
function stageOf(state: FundedChannel): ClosingStage | null {
  return possible(() => closingStage(state));
}

function possible<T>(make: () => T): T | null {
  try {
    return make();
  } catch {
    return null;
  }
}

/** The terms that both shutdowns lead to, without a fee. */
function agreedTerms({ shutdownScripts: { local, remote }, opener }: FundedChannel): ClosingTerms | null {
  return local === null || remote === null ? null : { payer: opener, scripts: { local, remote }, feeSatoshis: sat(0n), locktime: 0 };
}

function planOf(state: FundedChannel, terms: ClosingTerms): ClosingPlan {
  return closingPlan(state, terms);
}

/** The outputs that all can be paid. */
function payable(plan: ClosingPlan): readonly ClosingOutputs[] {
  return CLOSING_OUTPUTS.filter((outputs) => sidesOf(outputs).every((side) => !isClosingDust(plan, side)));
}

const firstOf = (held: readonly ClosingOutputs[]): ClosingOutputs => CLOSING_OUTPUTS.find((outputs) => held.includes(outputs)) ?? "both";

function usual({ state }: Voice, terms: ClosingTerms): ClosingOutputs {
  return firstOf(payable(planOf(state, terms)));
}

/** Its signature of a close with these outputs; null where there is no such transaction. */
function signatureOf({ state, keys }: Voice, terms: ClosingTerms, outputs: ClosingOutputs) {
  const plan = planOf(state, terms);
  if (sidesOf(outputs).some((side) => closingAmount(plan, side) < 0n)) return null;
  return possible(() => signClosing(buildClosing(plan, outputs), requireSecret(keys, "fundingPrivkey")));
}

function closingSigned(voice: Voice, terms: ClosingTerms, outputs: ClosingOutputs): readonly MessageOf<"closing_signed">[] {
  const signature = signatureOf(voice, terms, outputs);
  const { channelId } = voice.state;
  return signature === null ? [] : [{ type: "closing_signed", channelId, feeSatoshis: terms.feeSatoshis, signature }];
}

function closingComplete(voice: Voice, terms: ClosingTerms, variants: readonly ClosingOutputs[]): readonly MessageOf<"closing_complete">[] {
  const signatures = Object.fromEntries(
    variants.flatMap((outputs) => {
      const signature = signatureOf(voice, terms, outputs);
      return signature === null ? [] : [[TLVS.remote[outputs], signature]];
    }),
  );
  return Object.keys(signatures).length === 0 ? [] : [{ type: "closing_complete", ...worded(voice, terms), ...signatures }];
}

function closingSig(voice: Voice, terms: ClosingTerms, outputs: ClosingOutputs): readonly MessageOf<"closing_sig">[] {
  const signature = signatureOf(voice, terms, outputs);
  return signature === null ? [] : [{ type: "closing_sig", ...worded(voice, terms), [TLVS.local[outputs]]: signature }];
}

/** The names of a variant's signature, by who is the closer. BOLT 2 §Closing Negotiation: `closing_complete` and `closing_sig`. */
const TLVS: Dual<Readonly<Record<ClosingOutputs, "closerOutputOnly" | "closeeOutputOnly" | "closerAndCloseeOutputs">>> = {
  local: { both: "closerAndCloseeOutputs", local: "closerOutputOnly", remote: "closeeOutputOnly" },
  remote: { both: "closerAndCloseeOutputs", local: "closeeOutputOnly", remote: "closerOutputOnly" },
};

function worded(
  { state: { channelId } }: Voice,
  { payer, scripts, feeSatoshis, locktime }: ClosingTerms,
): {
  readonly channelId: FundedChannel["channelId"];
  readonly closerScriptpubkey: ScriptPubkey;
  readonly closeeScriptpubkey: ScriptPubkey;
  readonly feeSatoshis: Satoshi;
  readonly locktime: number;
} {
  const closee = payer === "local" ? "remote" : "local";
  return { channelId, closerScriptpubkey: scripts[payer], closeeScriptpubkey: scripts[closee], feeSatoshis, locktime };
}
