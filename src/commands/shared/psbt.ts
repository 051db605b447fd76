import { parseStrict } from "../../json/strict.js";
import { type Signature, toHex } from "../../protocol/bytes.js";
import { requireOwnKeys } from "../../protocol/channel/own-keys.js";
import type { FundedChannel } from "../../protocol/channel/state.js";
import { LnError } from "../../protocol/errors.js";
import type { PartyKeys } from "../../protocol/keys/party-keys.js";
import { type SignableInput, type OwnInput, type TxPlan, isOwn, signInput, signInputs, signPlan } from "../../protocol/tx/plan.js";
import { SECRET_NAMES } from "../../protocol/tx/signer.js";
import type { readTransaction } from "./read-transaction.js";
import type { DescribedWalletInput } from "../../json/psbt-plan.js";
import type { Context } from "./context.js";
import { type FlagValues, flag, text, toggle } from "./options.js";
import { readInput } from "./load-party.js";

type Transaction = ReturnType<typeof readTransaction>;

/** For commands that sign transactions: who signs. */
export const psbtFlags = {
  psbt: toggle("--psbt", "write a PSBT for a signer elsewhere instead of signing: keys.json is not read"),
  finish: flag(
    "--finish <files>",
    "finish what --psbt wrote, signed, all other options as then: PSBTs (base64, hex or JSON), separated by commas",
    text,
  ),
};

export type PsbtOptions = FlagValues<typeof psbtFlags>;

/** A planned transaction on its way: signed, or as a PSBT. */
export interface CarriedOut {
  readonly tx: Transaction | null;
  /** Its fields in a report. */
  readonly shown: Readonly<Record<string, unknown>>;
}

/** Where the secrets come from, asked only where we sign. */
export interface KeySource {
  readonly state: FundedChannel;
  readonly keys: () => Promise<PartyKeys>;
}

/**
 * What becomes of planned transactions: signed with our keys, written as PSBTs, or finished from signed ones. `parents` are transactions that they spend.
 * Throws: usage-psbt, key-…, input-psbt….
 */
export async function carryOut(
  ctx: Context,
  plans: readonly TxPlan[],
  parents: readonly Transaction[],
  { psbt, finish }: PsbtOptions,
  { state, keys }: KeySource,
): Promise<readonly CarriedOut[]> {
  refuseBoth({ psbt, finish });
  if (psbt === true) {
    const { printPsbt } = await import("../../json/psbt-plan.js");
    return plans.map((plan) => unsigned(plan, printPsbt(plan, parents)));
  }
  if (finish !== undefined) {
    const { finishPlans } = await import("../../json/psbt-finish.js");
    return (await finishPlans(plans, readPsbts(ctx, finish))).map(signed);
  }
  const held = await keys();
  requireOwnKeys(state, held);
  return plans.map((plan) => signed(signPlan(plan, held)));
}

/**
 * Our signatures of planned transactions to which the peer's signature is still to come, or whose are to go into a message: made with our keys, or
 * taken from signed PSBTs. Throws: key-…, input-psbt….
 */
export async function signaturesOf(
  ctx: Context,
  plans: readonly TxPlan<SignableInput>[],
  { finish }: PsbtOptions,
  { state, keys }: KeySource,
): Promise<readonly Signature[]> {
  if (finish !== undefined) {
    const { signaturesIn } = await import("../../json/psbt-finish.js");
    return signaturesIn(plans, readPsbts(ctx, finish));
  }
  const held = await keys();
  requireOwnKeys(state, held);
  return plans.flatMap((plan) => signInputs(plan, held));
}

/** What a report shows of such transactions for a signer elsewhere. */
export async function forSigner(plans: readonly TxPlan<SignableInput>[]): Promise<readonly CarriedOut["shown"][]> {
  const { printPsbt } = await import("../../json/psbt-plan.js");
  return plans.map((plan) => unsigned(plan, printPsbt(plan, [])).shown);
}

/**
 * The same for a transaction to which a wallet brings inputs: it becomes a PSBT for the wallet, with our signatures unless --psbt leaves them out.
 * Throws: usage-psbt, key-…, input-psbt….
 */
export async function carryOutWithWallet(
  ctx: Context,
  plan: TxPlan<OwnInput | DescribedWalletInput>,
  parents: readonly Transaction[],
  { psbt, finish }: PsbtOptions,
  { state, keys }: KeySource,
): Promise<CarriedOut> {
  refuseBoth({ psbt, finish });
  if (finish !== undefined) {
    const { finishPlans } = await import("../../json/psbt-finish.js");
    const [tx] = await finishPlans([plan], readPsbts(ctx, finish));
    if (tx !== undefined) return signed(tx);
  }
  const { printPsbt } = await import("../../json/psbt-plan.js");
  if (psbt === true) return unsigned(plan, printPsbt(plan, parents));
  const held = await keys();
  requireOwnKeys(state, held);
  const signatures = plan.inputs.map((input, index) => (isOwn(input) ? signInput(plan, index, input, held) : null));
  return { tx: null, shown: asPsbt(plan, printPsbt(plan, parents, signatures)) };
}

/** Throws: usage-psbt. */
export function refuseBoth({ psbt, finish }: PsbtOptions): void {
  if (psbt === true && finish !== undefined) throw new LnError("usage-psbt", "--psbt writes a PSBT, --finish reads one: not both", {});
}

function signed(tx: Transaction): CarriedOut {
  return { tx, shown: { txid: tx.getId(), tx: tx.toHex(), weight: tx.weight() } };
}

function unsigned(plan: TxPlan<SignableInput | DescribedWalletInput>, psbt: string): CarriedOut {
  return { tx: null, shown: { ...asPsbt(plan, psbt), to_sign: plan.inputs.flatMap(toSign) } };
}

function asPsbt({ unsigned: tx }: Pick<TxPlan, "unsigned">, psbt: string): Readonly<Record<string, unknown>> {
  return { txid: tx.getId(), unsigned_tx: tx.toHex(), psbt };
}

/** Which key of ours an input waits for, as BOLT 3 derives it. */
function toSign(planned: SignableInput | DescribedWalletInput, input: number): readonly Record<string, unknown>[] {
  const signer = isOwn(planned) ? planned.signer : null;
  if (signer === null) return [];
  const pubkey = toHex(signer.pubkey);
  const key = { input, pubkey, from: SECRET_NAMES[signer.from] };
  switch (signer.kind) {
    case "plain":
      return [key];
    case "derived":
      return [{ ...key, basepoint: toHex(signer.basepoint), per_commitment_point: toHex(signer.perCommitmentPoint) }];
    case "revocation":
      return [{ ...key, basepoint: toHex(signer.basepoint), with: "the per-commitment secret that the peer gave away, in the PSBT" }];
  }
}

/** PSBTs from files: base64 or hex alone, or one of our reports with a `psbt`, or one for each of its `transactions`. Throws: input-psbt, input-unreadable, json-…. */
export function readPsbts(ctx: Context, files: string) {
  return files.split(",").flatMap((source) => {
    const content = readInput(ctx, source).trim();
    const texts = content.startsWith("{") ? psbtsIn(parseStrict(content, source), source) : [content];
    return texts.map((text) => ({ source, text }));
  });
}

/** The PSBT in a text: alone, or in one of our reports; null where there is none. Throws: json-…. */
export function psbtWithin(content: string, source: string): string | null {
  // Its first bytes in base64 and in hex (BIP 174)
  if (content.startsWith("cHNidP8") || content.toLowerCase().startsWith("70736274ff")) return content;
  return content.startsWith("{") ? psbtField(parseStrict(content, source)) : null;
}

function psbtField(document: unknown): string | null {
  return typeof document === "object" && document !== null && "psbt" in document && typeof document.psbt === "string" ? document.psbt : null;
}

function psbtsIn(document: unknown, source: string): readonly string[] {
  const several = typeof document === "object" && document !== null && "transactions" in document && Array.isArray(document.transactions);
  const psbts = (several ? (document.transactions as readonly unknown[]) : [document]).flatMap((one) => psbtField(one) ?? []);
  if (psbts.length > 0) return psbts;
  throw new LnError("input-psbt", `${source} is JSON without a \`psbt\``, { source });
}
