import { decode } from "../../json/decode.js";
import { toHex, scriptPubkey } from "../../protocol/bytes.js";
import { LnError } from "../../protocol/errors.js";
import { SIDES } from "../../protocol/side.js";
import type { ChannelType } from "../../protocol/tx/channel-type.js";
import type { ClosingOutputs } from "../../protocol/tx/closing-terms.js";
import { closingFee, closingWeight, isClosingDust, outputsAbove } from "../../protocol/tx/closing-tx.js";
import { planSpend } from "../../protocol/tx/spend.js";
import { perKw, sat } from "../../protocol/units.js";
import { type CaseInputs, SPEND_KINDS, type SpendKind, caseInputs } from "../case-document.js";
import { type SignedCase, integer, signCase } from "../case.js";
import { deriveCase, deriveRefusal } from "../derive.js";
import { claimsOf, closePlan } from "../spends.js";
import { anyDraft, inputsOf } from "./draft.js";
import { NumberStream, seedOf } from "./number-stream.js";
import { RECIPES, type Recipe, fullRecipe, recipeFor } from "./recipes.js";
import { REFUSALS, type Refusal, healthy, ordinaryLimits, refusalFor } from "./refusals.js";

/** All that decides what a set of cases is. */
export interface CaseSet {
  readonly seed: string;
  /** In the order in which they take turns. */
  readonly channelTypes: readonly ChannelType[];
}

/** A case as it is printed: the layout's JSON. */
export interface GeneratedCase {
  readonly id: string;
  readonly tags: readonly string[];
  readonly case: Readonly<Record<string, unknown>>;
  readonly expected: Readonly<Record<string, unknown>>;
}

const RECIPE_NAMES = Object.keys(RECIPES);
const REFUSAL_NAMES = Object.keys(REFUSALS);
/** All recipes come once in a round, with another channel type in the next. */
const ROUND = RECIPE_NAMES.length + REFUSAL_NAMES.length;

/** A commitment with all HTLCs that there can be, the last case of so many. */
const FULL_EVERY = 512;

/** How many signatures a case takes, on the average of the recipes: what one thread is not worth starting for, a caller can tell by it. */
export const SIGNATURES_PER_CASE = 15;

/** Secrets out: a case publishes those of both sides. Case `index` of a set, from 0, whichever others are made. */
export function generateCase({ seed, channelTypes }: CaseSet, index: number): GeneratedCase {
  const key = seedOf(seed);
  const stream = new NumberStream(key, index);
  const at = index % ROUND;
  const channelType = channelTypes[(at + Math.floor(index / ROUND)) % channelTypes.length] ?? "anchors";
  const id = `${toHex(key.subarray(0, 4))}-${index}`;
  if (index % FULL_EVERY === FULL_EVERY - 1) return { id, ...commitmentCase(stream, channelType, fullRecipe(channelType)) };
  const recipe = RECIPE_NAMES[at];
  return {
    id,
    ...(recipe === undefined
      ? refusalCase(stream, channelType, refusalFor(REFUSAL_NAMES[at - RECIPE_NAMES.length] ?? "", channelType))
      : commitmentCase(stream, channelType, recipeFor(recipe, channelType))),
  };
}

type Unnamed = Omit<GeneratedCase, "id">;

function commitmentCase(
  stream: NumberStream,
  channelType: ChannelType,
  { name, recipe }: { readonly name: string; readonly recipe: Recipe | undefined },
): Unnamed {
  if (recipe === undefined) throw new LnError("internal-recipe", `no recipe ${name}`, { recipe: name });
  const draft = anyDraft(stream, channelType);
  recipe(draft, stream);
  const bare = inputsOf(draft, stream);
  const read = decode(caseInputs, bare, "case");
  const signed = signCase(read);
  const spends = spendsFor(signed, read, stream);
  const close = draft.htlcs.length === 0 ? closeFor(signed, stream) : null;
  const inputs = { ...bare, ...(spends.length === 0 ? {} : { spends }), ...(close === null ? {} : { close }) };
  const tags = [channelType, name, ...new Set(spends.map(({ kind }) => kind)), ...(close === null ? [] : [`close_${close.kind}`])];
  return { tags, case: inputs, expected: deriveCase({ ...decode(caseInputs, inputs, "case"), local: read.local, remote: read.remote }, signed) };
}

function refusalCase(
  stream: NumberStream,
  channelType: ChannelType,
  { name: tag, refusal }: { readonly name: string; readonly refusal: Refusal | undefined },
): Unnamed {
  if (refusal === undefined) throw new LnError("internal-recipe", `no recipe ${tag}`, { recipe: tag });
  const draft = anyDraft(stream, channelType);
  healthy(draft, stream);
  refusal.prepare?.(draft, stream);
  const bare = inputsOf(draft, stream);
  const read = decode(caseInputs, bare, "case");
  const limits = ordinaryLimits();
  let signed: SignedCase | undefined;
  const attempt = refusal.attempt({ inputs: read, signed: () => (signed ??= signCase(read)) }, limits, stream);
  const inputs = { ...bare, limits, attempt };
  const derived = deriveRefusal(decode(caseInputs, inputs, "case"));
  if (derived.refused !== tag)
    throw new LnError("internal-recipe", `a case that is to be refused with ${tag} is refused with ${derived.refused ?? "nothing"}`, { recipe: tag });
  return { tags: [channelType, "refused", tag], case: inputs, expected: derived };
}

const SPEND_FEERATES = [253n, 1000n, 2500n, 10_000n];

/** Everything that can become of the commitment, each at the first of some feerates that leaves an output worth having. */
function spendsFor(signed: SignedCase, inputs: CaseInputs, stream: NumberStream) {
  const { format } = signed.terms;
  const htlcOutputs = signed.htlcTxs.map(({ htlcTx }) => htlcTx.outputIndex);
  return SPEND_KINDS.flatMap((kind) => {
    const outputIndex = isOfOneHtlc(kind) ? (htlcOutputs.length === 0 ? undefined : stream.pick(htlcOutputs)) : undefined;
    const to = anyScript(stream);
    const claims = claimsOf(signed, inputs, kind, outputIndex);
    const wanted = stream.pick(SPEND_FEERATES);
    if (claims.length === 0) return [];
    for (const feerate of [wanted, 253n, 0n]) {
      const plan = unlessDust(() => planSpend(claims, scriptPubkey(to), perKw(feerate), format.txVersion));
      if (plan === null) continue;
      return [
        {
          kind,
          ...(outputIndex === undefined ? {} : { output_index: outputIndex }),
          to_scriptpubkey: toHex(to),
          feerate_per_kw: Number(feerate),
          fee_weight: Number(plan.feeWeight),
          fee_sat: integer(plan.fee),
        },
      ];
    }
    return [];
  });
}

function isOfOneHtlc(kind: SpendKind): boolean {
  return kind === "penalty_second_stage" || kind === "sweep_second_stage" || kind === "claim_htlc";
}

function unlessDust<T>(act: () => T): T | null {
  try {
    return act();
  } catch (error) {
    if (error instanceof LnError && error.code === "tx-output-dust") return null;
    throw error;
  }
}

/** P2WPKH, P2WSH or P2TR, of nobody's key. */
function anyScript(stream: NumberStream): Uint8Array {
  const [prefix, size] = stream.pick([
    [[0x00, 20], 20],
    [[0x00, 32], 32],
    [[0x51, 32], 32],
  ] as const);
  return Uint8Array.of(...prefix, ...stream.bytes(size));
}

/** A mutual close; null where neither side has what could be paid out. */
function closeFor(signed: SignedCase, stream: NumberStream) {
  const kind = stream.pick(["legacy", "simple"] as const);
  const payer = kind === "legacy" ? signed.terms.opener : stream.pick(SIDES);
  const scripts = { localScriptpubkey: scriptPubkey(anyScript(stream)), remoteScriptpubkey: scriptPubkey(anyScript(stream)) };
  const locktime = kind === "simple" ? stream.pick([0, stream.integer(1, 900_000)]) : 0;
  const feerate = perKw(stream.pick(SPEND_FEERATES));
  const terms = { kind, payer, locktime, ...scripts };
  const planAt = (outputs: ClosingOutputs) => {
    const free = closePlan(signed, { ...terms, feeSat: sat(0n) });
    return { ...free, feeSatoshis: closingFee(free, outputs, feerate) };
  };
  // Whoever's output would be dust gets none
  const both = outputsAbove(planAt("both"), signed.terms.dustLimit);
  const outputs =
    both === "both" && isClosingDust(planAt("both"), "local")
      ? "remote"
      : both === "both" && isClosingDust(planAt("both"), "remote")
        ? "local"
        : both;
  if (outputs === null) return null;
  const plan = planAt(outputs);
  if (plan.balances[payer] / 1000n < plan.feeSatoshis) return null;
  return {
    kind,
    payer,
    outputs,
    local_scriptpubkey: toHex(scripts.localScriptpubkey),
    remote_scriptpubkey: toHex(scripts.remoteScriptpubkey),
    locktime,
    feerate_per_kw: Number(feerate),
    fee_weight: Number(closingWeight(plan, outputs)),
    fee_sat: integer(plan.feeSatoshis),
  };
}
