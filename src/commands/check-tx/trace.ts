import { toHex } from "../../protocol/bytes.js";
import type { FundedChannel } from "../../protocol/channel/state.js";
import type { SignatureCheck, TraceStep } from "../../protocol/script/interpreter/verify.js";
import type { DescribedInput } from "../../protocol/tx/describe.js";
import { describeTransaction } from "../../protocol/tx/describe.js";
import { sat } from "../../protocol/units.js";
import type { KnownOutput, Tx } from "./known-outputs.js";

/** One opcode in a report. Elements are named where their meaning is known, `<>` is the empty one. */
export interface ShownStep {
  readonly script: string;
  readonly opcode: string;
  /** False in a branch that is not taken. */
  readonly executed: boolean;
  readonly before: readonly string[];
  readonly after: readonly string[];
  readonly signatures?: readonly Readonly<Record<string, string | boolean>>[];
  readonly error?: string;
}

/** How an input's scripts ran, and what the names in it stand for. */
export interface ShownTrace {
  readonly input: number;
  readonly elements: Readonly<Record<string, string>>;
  readonly steps: readonly ShownStep[];
}

/** What a trace shows by name: shorter elements are readable as they are. */
const MIN_NAMED_BYTES = 20;

export function shownTraces(tx: Tx, spent: readonly KnownOutput[], steps: readonly TraceStep[], state: FundedChannel | null): readonly ShownTrace[] {
  const { inputs } = describeTransaction(tx, { spent: spent.map(({ amount }) => ({ amount: sat(amount), lock: null, name: null })), outputs: [] });
  return inputs.map((described, input) => {
    const names = elementNames(described, state);
    const elements: Record<string, string> = {};
    const shown = (bytes: Uint8Array): string => {
      if (bytes.length === 0) return "<>";
      const hex = toHex(bytes);
      if (bytes.length < MIN_NAMED_BYTES) return hex;
      const name = `<${names.get(hex) ?? `${hex.slice(0, 8)}…${hex.slice(-4)}`}>`;
      elements[name] = hex;
      return name;
    };
    const ran = steps.filter((step) => step.input === input).map((step) => shownStep(step, shown));
    return { input, elements, steps: ran };
  });
}

function shownStep(step: TraceStep, shown: (bytes: Uint8Array) => string): ShownStep {
  const { script, opcode, executed, before, after, checks, error } = step;
  return {
    script,
    opcode,
    executed,
    before: before.map(shown),
    after: after.map(shown),
    ...(checks.length === 0 ? {} : { signatures: checks.map((check) => shownCheck(check, shown)) }),
    ...(error === null ? {} : { error }),
  };
}

function shownCheck({ signature, pubkey, sighash, good }: SignatureCheck, shown: (bytes: Uint8Array) => string) {
  return { signature: shown(signature), pubkey: shown(pubkey), sighash: toHex(sighash), good };
}

/** By their bytes: what the witness brings, and what the script holds. */
function elementNames({ elements, script }: DescribedInput, state: FundedChannel | null): ReadonlyMap<string, string> {
  const names = new Map<string, string>();
  for (const { name, bytes } of elements) names.set(toHex(bytes), name.replace(/ /g, "_"));
  if (script === null) return names;
  for (const [name, value] of Object.entries(script.values) as readonly (readonly [string, Uint8Array | number])[]) {
    if (typeof value !== "number") names.set(toHex(value), name);
  }
  if (script.kind === "funding" && state !== null) nameSides(names, state);
  return names;
}

/** Of the funding output's two keys and signatures: whose they are. */
function nameSides(names: Map<string, string>, { party, params }: FundedChannel): void {
  const hexOf = (wanted: string) => [...names].find(([, name]) => name === wanted)?.[0];
  const ours = toHex(params.local.fundingPubkey);
  for (const [key, signature] of [
    [hexOf("pubkey1"), hexOf("signature_for_pubkey1")],
    [hexOf("pubkey2"), hexOf("signature_for_pubkey2")],
  ]) {
    const side = key === ours ? party : "peer";
    if (key !== undefined) names.set(key, `${side}_funding_pubkey`);
    if (signature !== undefined) names.set(signature, `${side}_sig`);
  }
}

/** A trace in lines for people: opcode, and the stack before and behind it where that differs. */
export function traceLines({ input, elements, steps }: ShownTrace): Readonly<Record<string, unknown>> {
  const width = Math.max(0, ...steps.map(({ opcode }) => opcode.length));
  const lines = steps.map(({ script, opcode, executed, before, after, signatures = [], error }) => {
    const stack = executed ? `${joined(before)}  →  ${error ?? joined(after)}` : "(not taken)";
    const checked = signatures.map(
      ({ signature, pubkey, good }) => `  [${String(signature)} ${good === true ? "is good" : "is not good"} for ${String(pubkey)}]`,
    );
    return `${script.padEnd(14)}  ${opcode.padEnd(width)}  ${stack}${checked.join("")}`;
  });
  return { input, steps: lines, elements };
}

function joined(stack: readonly string[]): string {
  return stack.length === 0 ? "(empty)" : stack.join(" ");
}
