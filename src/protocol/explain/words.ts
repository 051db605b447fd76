import { toHex } from "../bytes.js";
import { type Side, opposite } from "../side.js";
import type { SpendPath, WitnessElement } from "../script/known-script.js";
import type { DescribedOutput } from "../tx/describe.js";

/** Who the two sides are to a reader. */
export interface Names {
  readonly local: string;
  readonly remote: string;
}

/** Whether the commitment to which an output belongs is revoked. `unsaid`: neither the bytes nor a state tell. */
export type Revocation =
  { readonly kind: "unsaid" } | { readonly kind: "not_revoked"; readonly number: number } | { readonly kind: "revoked"; readonly number: number };

/** Whose commitment the outputs are of, as far as that is known. */
export interface Ownership {
  readonly names: Names | null;
  readonly owner: Side | null;
  readonly revocation: Revocation;
}

export function sideName(names: Names, side: Side): string {
  return `${names[side]} (${side})`;
}

/** One way to spend an output, in words and in fields. */
export function spenderOf(path: SpendPath, output: DescribedOutput, ownership: Ownership): Record<string, unknown> {
  const side = sideOf(path, ownership);
  const bare = output.type === "bare";
  return {
    path: path.name,
    by: whoOf(path, ownership),
    ...(side === null ? {} : { side }),
    ...(path.key === null ? {} : { key_name: path.key.name, key: toHex(path.key.value) }),
    after: path.name === "revocation" ? revocationWords(ownership) : delayWords(path),
    ...(path.csv === null || path.csv === 0 ? {} : { csv: path.csv }),
    ...(typeof path.cltv === "number" ? { cltv_expiry: path.cltv } : {}),
    [bare ? "script_sig" : "witness"]: witnessWords(path, bare || output.type === "p2wpkh" || output.type === "p2a"),
    ...(viaOf(path) === null ? {} : { via: viaOf(path) }),
  };
}

/** The same in one line: who, when, and with which witness. */
export function pathWords(path: SpendPath, ownership: Ownership, withoutScript: boolean): string {
  const when = path.name === "revocation" ? revocationWords(ownership) : delayWords(path);
  return `${path.name}: ${whoOf(path, ownership)}, ${when}; witness ${witnessWords(path, withoutScript)}`;
}

/** What stands for an output of whose script only the hash, or nothing, is known. */
export function unknownSpender({ type, name }: DescribedOutput): Record<string, unknown> {
  if ((name === "close_to_local" || name === "close_to_remote") && type !== "op_return") {
    const side: Side = name === "close_to_local" ? "local" : "remote";
    return { path: "shutdown_script", by: `whoever the script is of that the ${side} side named for its close`, side, after: "at once" };
  }
  const hidden = type === "p2wsh" || type === "p2sh" || type === "p2tr";
  if (type === "op_return") return { path: "none", by: "nobody: OP_RETURN can't be spent", after: "never" };
  return {
    path: "unknown",
    by: hidden ? "whoever meets a script of which only the hash is here" : "whoever meets its script, which is none of BOLT 3's",
    after: "not told by these bytes",
  };
}

function sideOf({ by }: SpendPath, { owner }: Ownership): Side | null {
  if (owner === null) return null;
  if (by === "owner") return owner;
  return by === "countersigner" ? opposite(owner) : null;
}

function whoOf(path: SpendPath, ownership: Ownership): string {
  const side = sideOf(path, ownership);
  const named = side === null || ownership.names === null ? "" : `: ${sideName(ownership.names, side)}`;
  switch (path.by) {
    case "owner":
      return `owner of this commitment${named}`;
    case "countersigner":
      return `countersigner${named}`;
    case "both":
      return "both sides together";
    case "key_holder":
      return "the holder of this key: which side that is, is not told";
    case "anyone":
      return "anyone";
  }
}

function revocationWords({ revocation, names, owner }: Ownership): string {
  const holder = names === null || owner === null ? "the owner" : sideName(names, owner);
  switch (revocation.kind) {
    case "unsaid":
      return `at once, but only if ${holder} has revoked this commitment; nothing here tells whether that is so`;
    case "not_revoked":
      return `not now: only if ${holder} revokes this commitment by giving away its secret ${revocation.number}`;
    case "revoked":
      return `at once: ${holder} revoked this commitment and gave away its secret ${revocation.number}`;
  }
}

/** From this value on a locktime is a time in seconds (BIP 65). */
const LOCKTIME_THRESHOLD = 500_000_000;
const MAX_CSV_BLOCKS = 0xffff;

function delayWords({ csv, cltv }: SpendPath): string {
  const parts: string[] = [];
  if (cltv === "unseen") parts.push("after the HTLC's expiry (the nLockTime of its HTLC-timeout transaction, which this script does not hold)");
  else if (cltv !== null)
    parts.push(cltv < LOCKTIME_THRESHOLD ? `after block ${cltv} (nLockTime ${cltv})` : `after the Unix time ${cltv} (nLockTime ${cltv})`);
  if (csv === null) parts.push("to_self_delay blocks after confirmation (only the hash of the script with the delay is here)");
  else if (csv < 0 || csv > MAX_CSV_BLOCKS) parts.push(`as BIP 112 reads ${csv}, which is no number of blocks`);
  else if (csv > 0) parts.push(`${csv} ${csv === 1 ? "block" : "blocks"} after confirmation (nSequence ${csv})`);
  return parts.length === 0 ? "at once" : parts.join(", and ");
}

/** As BOLT 3 writes witnesses. */
function witnessWords({ witness }: SpendPath, withoutScript: boolean): string {
  const elements = [...witness.map(elementWords), ...(withoutScript ? [] : ["<script>"])];
  return elements.length === 0 ? "empty" : elements.join(" ");
}

function elementWords({ form, name }: WitnessElement): string {
  switch (form) {
    case "empty":
      return "<>";
    case "dummy":
      return "0";
    case "one":
      return "01";
    case "signature":
    case "preimage":
    case "pubkey":
      return `<${name}>`;
  }
}

/** The transaction that a path needs, where both have signed it beforehand. BOLT 3 §HTLC-Timeout and HTLC-Success Transactions. */
function viaOf({ name }: SpendPath): string | null {
  switch (name) {
    case "htlc_timeout":
      return "the HTLC-timeout transaction, whose output is locked like to_local";
    case "htlc_success":
      return "the HTLC-success transaction, with the payment preimage; its output is locked like to_local";
    case "delayed":
    case "revocation":
    case "plain":
    case "anchor_key":
    case "anyone":
    case "preimage":
    case "expiry":
    case "both_keys":
      return null;
  }
}

/** Where the output is specified that lets anyone pay for a commitment's confirmation. */
export const SHARED_ANCHOR_SOURCE = "option_zero_fee_commitments, lightning/bolts #1228";

const SIGHASH_TYPES: Readonly<Record<number, string>> = { 1: "ALL", 2: "NONE", 3: "SINGLE" };

/** BIP 143's name of a sighash type. */
export function sighashName(type: number): string {
  const base = SIGHASH_TYPES[type & 0x7f] ?? `0x${(type & 0x7f).toString(16).padStart(2, "0")}`;
  return type >= 0x80 ? `${base}|ANYONECANPAY` : base;
}

/** Indices in a sentence. */
export function listed(indices: readonly number[]): string {
  return `${indices.length === 1 ? "output" : "outputs"} ${indices.join(", ")}`;
}
