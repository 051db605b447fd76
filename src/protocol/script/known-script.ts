import { type Point, equalBytes } from "../bytes.js";
import { ANCHOR_SCRIPT } from "./anchor.js";
import { type Lock, P2A, type ScriptElement, type ScriptTemplate, type Witness, hash160, readWitnessSignature } from "./assemble.js";
import { FUNDING_SCRIPT } from "./funding.js";
import { OFFERED_HTLC_ANCHORS_SCRIPT, OFFERED_HTLC_SCRIPT, RECEIVED_HTLC_ANCHORS_SCRIPT, RECEIVED_HTLC_SCRIPT } from "./htlc.js";
import { TO_LOCAL_SCRIPT } from "./to-local.js";
import { TO_REMOTE_ANCHORS_SCRIPT } from "./to-remote.js";

type Values<T> = T extends ScriptTemplate<infer V> ? V : never;

/** What BOLT 3 pays to, with the values of its holes. An HTLC output's `csvBlocks` is 1 in channels with anchors. */
export type KnownScript =
  | { readonly kind: "funding"; readonly values: Values<typeof FUNDING_SCRIPT> }
  | { readonly kind: "to_local"; readonly values: Values<typeof TO_LOCAL_SCRIPT> }
  | { readonly kind: "to_remote"; readonly values: Values<typeof TO_REMOTE_ANCHORS_SCRIPT> }
  | { readonly kind: "anchor"; readonly values: Values<typeof ANCHOR_SCRIPT> }
  | { readonly kind: "offered_htlc"; readonly values: Values<typeof OFFERED_HTLC_SCRIPT>; readonly csvBlocks: 0 | 1 }
  | { readonly kind: "received_htlc"; readonly values: Values<typeof RECEIVED_HTLC_SCRIPT>; readonly csvBlocks: 0 | 1 }
  | { readonly kind: "p2wpkh"; readonly values: { readonly pubkey_hash160: Uint8Array } }
  | { readonly kind: "p2a"; readonly values: Readonly<Record<string, never>> };

/** Those whose bytes are a script with holes. */
type TemplateScript = Exclude<KnownScript, { readonly kind: "p2wpkh" | "p2a" }>;

interface Reader {
  readonly read: (script: Uint8Array) => TemplateScript | null;
  readonly elements: (script: Uint8Array) => readonly ScriptElement[] | null;
}

/** The reader of one template. */
function reading<V>(template: ScriptTemplate<V>, make: (values: V) => TemplateScript): Reader {
  const read = (script: Uint8Array): TemplateScript | null => {
    const values = template.parse(script);
    return values === null ? null : make(values);
  };
  return { read, elements: (script) => template.elements(script) };
}

const READERS: readonly Reader[] = [
  reading(FUNDING_SCRIPT, (values) => ({ kind: "funding", values })),
  reading(TO_LOCAL_SCRIPT, (values) => ({ kind: "to_local", values })),
  reading(TO_REMOTE_ANCHORS_SCRIPT, (values) => ({ kind: "to_remote", values })),
  reading(ANCHOR_SCRIPT, (values) => ({ kind: "anchor", values })),
  reading(OFFERED_HTLC_SCRIPT, (values) => ({ kind: "offered_htlc", values, csvBlocks: 0 })),
  reading(OFFERED_HTLC_ANCHORS_SCRIPT, (values) => ({ kind: "offered_htlc", values, csvBlocks: 1 })),
  reading(RECEIVED_HTLC_SCRIPT, (values) => ({ kind: "received_htlc", values, csvBlocks: 0 })),
  reading(RECEIVED_HTLC_ANCHORS_SCRIPT, (values) => ({ kind: "received_htlc", values, csvBlocks: 1 })),
];

/** Which of BOLT 3's scripts these bytes are, or null. */
export function knownScript(script: Uint8Array): TemplateScript | null {
  for (const { read } of READERS) {
    const found = read(script);
    if (found !== null) return found;
  }
  return null;
}

/** The elements of one of BOLT 3's scripts under the names of its holes; null for any other script. */
export function knownElements(script: Uint8Array): readonly ScriptElement[] | null {
  for (const { elements } of READERS) {
    const found = elements(script);
    if (found !== null) return found;
  }
  return null;
}

/** The same for an output whose lock is known; null for taproot, whose scripts BOLT 3 does not have. */
export function knownLock(lock: Lock): KnownScript | null {
  switch (lock.kind) {
    case "p2wsh":
      return knownScript(lock.witnessScript);
    case "p2wpkh":
      return { kind: "p2wpkh", values: { pubkey_hash160: hash160(lock.pubkey) } };
    case "p2tr":
      return null;
    case "p2a":
      return { kind: "p2a", values: {} };
  }
}

/** How an output pays, by the form of its script alone. */
export type ScriptType = "p2wsh" | "p2wpkh" | "p2tr" | "p2a" | "p2pkh" | "p2sh" | "op_return" | "bare" | "other";

/** `bare` is a script of BOLT 3's that stands in the output itself instead of its hash. */
export function scriptTypeOf(script: Uint8Array): ScriptType {
  const [first, second] = script;
  if (script.length === 34 && first === 0x00 && second === 32) return "p2wsh";
  if (script.length === 22 && first === 0x00 && second === 20) return "p2wpkh";
  if (script.length === 34 && first === 0x51 && second === 32) return "p2tr";
  if (equalBytes(script, P2A.scriptPubkey)) return "p2a";
  if (script.length === 25 && first === 0x76 && second === 0xa9 && script[2] === 20 && script[23] === 0x88 && script[24] === 0xac) return "p2pkh";
  if (script.length === 23 && first === 0xa9 && second === 20 && script[22] === 0x87) return "p2sh";
  if (first === 0x6a) return "op_return";
  return knownScript(script) === null ? "other" : "bare";
}

/** What one element of a witness is. `dummy` is the empty one that OP_CHECKMULTISIG takes besides its signatures. */
export interface WitnessElement {
  readonly name: string;
  readonly form: "signature" | "empty" | "dummy" | "one" | "preimage" | "pubkey";
  /** Of a signature: the key that it must be good for; null where the witness itself brings it. */
  readonly key: Point | null;
}

/** Who takes a path, from the view of the commitment that holds the output. `key_holder`: nothing says which side's the key is. */
export type Spender = "owner" | "countersigner" | "both" | "key_holder" | "anyone";

/** One way to spend an output. */
export interface SpendPath {
  readonly name: "delayed" | "revocation" | "plain" | "anchor_key" | "anyone" | "htlc_timeout" | "htlc_success" | "preimage" | "expiry" | "both_keys";
  readonly by: Spender;
  /** nSequence that the script demands, in blocks; null where the script is not known. */
  readonly csv: number | null;
  /** nLockTime that the path needs, or `unseen` where the script does not say it: an HTLC-timeout's is in its transaction. */
  readonly cltv: number | "unseen" | null;
  readonly key: { readonly name: string; readonly value: Uint8Array } | null;
  /** Without the script at its end. */
  readonly witness: readonly WitnessElement[];
}

const sig = (name: string, key: Point | null): WitnessElement => ({ name, form: "signature", key });
const element = (form: Exclude<WitnessElement["form"], "signature">, name: string): WitnessElement => ({ name, form, key: null });
const EMPTY_ELEMENT = element("empty", "empty");
const DUMMY = element("dummy", "dummy");

/** Every way to spend what `script` locks, in the order of BOLT 3's branches. BOLT 3 §Commitment Transaction Outputs. */
export function spendPaths(script: KnownScript): readonly SpendPath[] {
  switch (script.kind) {
    case "funding": {
      const { pubkey1, pubkey2 } = script.values;
      const witness = [DUMMY, sig("signature_for_pubkey1", pubkey1), sig("signature_for_pubkey2", pubkey2)];
      return [{ name: "both_keys", by: "both", csv: 0, cltv: null, key: null, witness }];
    }
    case "to_local":
      return delayedPaths(script.values);
    case "to_remote": {
      const { remotepubkey } = script.values;
      const key = { name: "remotepubkey", value: remotepubkey };
      return [{ name: "plain", by: "countersigner", csv: 1, cltv: null, key, witness: [sig("remote_sig", remotepubkey)] }];
    }
    case "anchor": {
      const { funding_pubkey } = script.values;
      const key = { name: "funding_pubkey", value: funding_pubkey };
      return [
        { name: "anchor_key", by: "key_holder", csv: 0, cltv: null, key, witness: [sig("sig", funding_pubkey)] },
        { name: "anyone", by: "anyone", csv: 16, cltv: null, key: null, witness: [EMPTY_ELEMENT] },
      ];
    }
    case "offered_htlc":
    case "received_htlc":
      return htlcPaths(script);
    case "p2wpkh": {
      const key = { name: "pubkey_hash160", value: script.values.pubkey_hash160 };
      return [{ name: "plain", by: "key_holder", csv: 0, cltv: null, key, witness: [sig("sig", null), element("pubkey", "pubkey")] }];
    }
    case "p2a":
      return [{ name: "anyone", by: "anyone", csv: 0, cltv: null, key: null, witness: [] }];
  }
}

/**
 * The two ways to spend a to_local output or what an HTLC transaction pays to; without values where only its hash is seen.
 * BOLT 3 §`to_local` Output, §HTLC-Timeout and HTLC-Success Transactions.
 */
export function delayedPaths(values: Values<typeof TO_LOCAL_SCRIPT> | null): readonly SpendPath[] {
  const delayed = values?.local_delayedpubkey ?? null;
  const revocation = values?.revocationpubkey ?? null;
  return [
    {
      name: "delayed",
      by: "owner",
      csv: values?.to_self_delay ?? null,
      cltv: null,
      key: delayed === null ? null : { name: "local_delayedpubkey", value: delayed },
      witness: [sig("local_delayedsig", delayed), EMPTY_ELEMENT],
    },
    {
      name: "revocation",
      by: "countersigner",
      csv: 0,
      cltv: null,
      key: revocation === null ? null : { name: "revocationpubkey", value: revocation },
      witness: [sig("revocation_sig", revocation), element("one", "01")],
    },
  ];
}

/** BOLT 3 §Offered HTLC Outputs, §Received HTLC Outputs. */
function htlcPaths(script: Extract<KnownScript, { readonly kind: "offered_htlc" | "received_htlc" }>): readonly SpendPath[] {
  const { csvBlocks: csv } = script;
  const { revocationpubkey_hash160, remote_htlcpubkey, local_htlcpubkey } = script.values;
  const remote = { name: "remote_htlcpubkey", value: remote_htlcpubkey };
  const local = { name: "local_htlcpubkey", value: local_htlcpubkey };
  const remoteSig = sig("remotehtlcsig", remote_htlcpubkey);
  const bothSigs = [DUMMY, remoteSig, sig("localhtlcsig", local_htlcpubkey)];
  const preimage = element("preimage", "payment_preimage");
  const revocation: SpendPath = {
    name: "revocation",
    by: "countersigner",
    csv: 0,
    cltv: null,
    key: { name: "revocationpubkey_hash160", value: revocationpubkey_hash160 },
    witness: [sig("revocation_sig", null), element("pubkey", "revocationpubkey")],
  };
  if (script.kind === "offered_htlc") {
    return [
      { name: "htlc_timeout", by: "owner", csv, cltv: "unseen", key: local, witness: [...bothSigs, EMPTY_ELEMENT] },
      { name: "preimage", by: "countersigner", csv, cltv: null, key: remote, witness: [remoteSig, preimage] },
      revocation,
    ];
  }
  return [
    { name: "htlc_success", by: "owner", csv, cltv: null, key: local, witness: [...bothSigs, preimage] },
    { name: "expiry", by: "countersigner", csv, cltv: script.values.cltv_expiry, key: remote, witness: [remoteSig, EMPTY_ELEMENT] },
    revocation,
  ];
}

/** The path that a witness (without its script) takes, or null where it has the form of none. Whether it is good, is another question. */
export function pathTaken(script: KnownScript, stack: Witness): SpendPath | null {
  return spendPaths(script).find(({ witness }) => witness.length === stack.length && witness.every((wanted, at) => fits(wanted, stack[at]))) ?? null;
}

function fits({ form }: WitnessElement, bytes: Uint8Array | undefined): boolean {
  if (bytes === undefined) return false;
  switch (form) {
    case "signature":
      return readWitnessSignature(bytes) !== null;
    case "empty":
    case "dummy":
      return bytes.length === 0;
    case "one":
      return bytes.length === 1 && bytes[0] === 1;
    case "preimage":
      return bytes.length === 32;
    case "pubkey":
      return isPointShaped(bytes);
  }
}

export function isPointShaped(bytes: Uint8Array): boolean {
  return bytes.length === 33 && (bytes[0] === 2 || bytes[0] === 3);
}
