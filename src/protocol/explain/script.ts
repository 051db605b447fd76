import { toHex } from "../bytes.js";
import { readWitnessSignature } from "../script/assemble.js";
import { type Instruction, instructionAt } from "../script/interpreter/instruction.js";
import { TIMELOCK_SIZE, readNumber } from "../script/interpreter/number.js";
import { OP, opcodeName } from "../script/interpreter/opcodes.js";
import {
  type KnownScript,
  type ScriptType,
  type SpendPath,
  isPointShaped,
  knownElements,
  knownScript,
  scriptTypeOf,
  spendPaths,
} from "../script/known-script.js";
import { opcodeWords } from "./opcodes.js";
import { type Explanation, type FieldKind, Reading, type Said, grouped } from "./reading.js";
import { type Ownership, pathWords } from "./words.js";

/** What is known of a script beside its bytes. */
export interface ScriptAbout {
  readonly ownership: Ownership;
  /** The ways to spend it with what is known of them from elsewhere, as an HTLC's expiry. */
  readonly paths?: readonly SpendPath[];
  /** Of an output's script: what its hash or key is of. */
  readonly pays?: string;
}

export const SCRIPT_SOURCES: Readonly<Record<KnownScript["kind"], string>> = {
  funding: "BOLT 3 §Funding Transaction Output",
  to_local: "BOLT 3 §`to_local` Output",
  to_remote: "BOLT 3 §`to_remote` Output",
  anchor: "BOLT 3 §`to_local_anchor` and `to_remote_anchor` Output (option_anchors)",
  offered_htlc: "BOLT 3 §Offered HTLC Outputs",
  received_htlc: "BOLT 3 §Received HTLC Outputs",
  p2wpkh: "BIP 141",
  p2a: "BIP 433",
};

/** Each hole of BOLT 3's scripts: what it holds, and where its value comes from. */
const HOLES: Readonly<Record<string, Omit<Said, "label" | "value">>> = {
  pubkey1: { kind: "key", meaning: "the lesser of the two funding_pubkeys, by its bytes", source: "BOLT 3 §Funding Transaction Output" },
  pubkey2: { kind: "key", meaning: "the greater of the two funding_pubkeys", source: "BOLT 3 §Funding Transaction Output" },
  revocationpubkey: {
    kind: "key",
    meaning: "of the countersigner's revocation_basepoint and the owner's per_commitment_point: usable once the owner has given away its secret",
    source: "BOLT 3 §`revocationpubkey` Derivation",
  },
  to_self_delay: {
    kind: "time",
    meaning: "how long the owner waits for its own money, in blocks: the countersigner imposed it when the channel was opened",
    source: "BOLT 3 §`to_local` Output",
  },
  local_delayedpubkey: {
    kind: "key",
    meaning: "of the owner's delayed_payment_basepoint and per_commitment_point",
    source: "BOLT 3 §Key Derivation",
  },
  remotepubkey: {
    kind: "key",
    meaning: "the countersigner's payment_basepoint itself",
    source: "BOLT 3 §`remotepubkey` Derivation",
  },
  funding_pubkey: {
    kind: "key",
    meaning: "the funding_pubkey of the side whose anchor it is",
    source: "BOLT 3 §`to_local_anchor` and `to_remote_anchor` Output (option_anchors)",
  },
  revocationpubkey_hash160: {
    kind: "hash",
    meaning: "HASH160 of revocationpubkey, which the witness shows only when it punishes",
    source: "BOLT 3 §`revocationpubkey` Derivation",
  },
  remote_htlcpubkey: {
    kind: "key",
    meaning: "of the countersigner's htlc_basepoint and the owner's per_commitment_point",
    source: "BOLT 3 §Key Derivation",
  },
  local_htlcpubkey: { kind: "key", meaning: "of the owner's htlc_basepoint and per_commitment_point", source: "BOLT 3 §Key Derivation" },
  payment_hash_ripemd160: {
    kind: "hash",
    meaning: "RIPEMD160 of the payment_hash, so HASH160 of the payment_preimage",
    source: "BOLT 2 §Adding an HTLC: `update_add_htlc`",
  },
  cltv_expiry: {
    kind: "time",
    meaning: "the block from which on the HTLC has timed out",
    source: "BOLT 2 §Adding an HTLC: `update_add_htlc`",
  },
  preimage_size: {
    kind: "number",
    meaning: "the size of a preimage, by which the script tells it from an empty element",
    source: "BOLT 3 §Offered HTLC Outputs",
  },
};

/** The branches of the nested scripts, each by whether its path goes through the first (1) or the second (2) part of every OP_IF or OP_NOTIF. */
const BRANCHES: Partial<Record<KnownScript["kind"], Readonly<Record<string, SpendPath["name"]>>>> = {
  to_local: { "1": "revocation", "2": "delayed" },
  anchor: { "1": "anyone" },
  offered_htlc: { "1": "revocation", "21": "htlc_timeout", "22": "preimage" },
  received_htlc: { "1": "revocation", "21": "htlc_success", "22": "expiry" },
};

const CONSENSUS = "Bitcoin Script";

/** A script by itself. */
export function explainScript(script: Uint8Array, about: ScriptAbout): Explanation {
  const reading = new Reading(script);
  reading.heading(scriptTitle(script));
  readScript(reading, script, about);
  return reading.end();
}

/** What a script is, by its form alone. */
export function scriptTitle(script: Uint8Array): string {
  const known = knownScript(script);
  if (known !== null) return `the ${known.kind} script`;
  const type = scriptTypeOf(script);
  return type === "other" ? "a script that is none of BOLT 3's" : `an output's script: ${TYPES[type].name}`;
}

/** The forms of output scripts: their name, and what their bytes are. */
const TYPES: Readonly<Record<Exclude<ScriptType, "other">, { readonly name: string; readonly data: Omit<Said, "value">; readonly first?: string }>> =
  {
    p2wsh: {
      name: "pay to witness script hash",
      data: { label: "script_hash", kind: "hash", meaning: "SHA256 of the witness script", source: "BIP 141" },
      first: "witness version 0",
    },
    p2wpkh: {
      name: "pay to witness public key hash",
      data: { label: "key_hash", kind: "hash", meaning: "HASH160 of the public key", source: "BIP 141" },
      first: "witness version 0",
    },
    p2tr: {
      name: "pay to taproot",
      data: { label: "output_key", kind: "key", meaning: "the x coordinate of the tweaked key", source: "BIP 341" },
      first: "witness version 1",
    },
    p2a: {
      name: "pay to anchor",
      data: { label: "program", kind: "data", meaning: "the two bytes that anyone can spend with an empty witness", source: "BIP 433" },
      first: "witness version 1",
    },
    p2pkh: {
      name: "pay to public key hash",
      data: { label: "key_hash", kind: "hash", meaning: "HASH160 of the public key", source: CONSENSUS },
    },
    p2sh: {
      name: "pay to script hash",
      data: { label: "script_hash", kind: "hash", meaning: "HASH160 of the script", source: "BIP 16" },
    },
    op_return: {
      name: "data that cannot be spent",
      data: { label: "data", kind: "data", meaning: "data that only stands there", source: CONSENSUS },
    },
    bare: { name: "a script of BOLT 3 bare", data: { label: "data", kind: "data", meaning: "pushed data", source: CONSENSUS } },
  };

/** Reads a script, an opcode or a push after the other. */
export function readScript(reading: Reading, script: Uint8Array, about: ScriptAbout): void {
  const names = knownElements(script);
  const known = knownScript(script);
  const type = scriptTypeOf(script);
  const source = known === null ? CONSENSUS : SCRIPT_SOURCES[known.kind];
  const form = known === null && type !== "other" ? TYPES[type] : null;
  const branches = known === null ? [] : (about.paths ?? spendPaths(known));
  const nested: ("1" | "2")[] = [];

  let offset = 0;
  for (let index = 0; offset < script.length; index++) {
    const instruction = instructionAt(script, offset);
    const name = names?.[index]?.name;
    const at = `[${index}]`;
    if (instruction === null) {
      reading.take(at, script.length - offset, cutPush, nested.length);
      return;
    }
    if (instruction.data === null || instruction.data.length === 0) {
      const { opcode } = instruction;
      if (opcode === OP.OP_ENDIF || opcode === OP.OP_ELSE) nested.pop();
      const depth = nested.length;
      if (opcode === OP.OP_IF || opcode === OP.OP_NOTIF) nested.push("1");
      if (opcode === OP.OP_ELSE) nested.push("2");
      const branch = opens(opcode) && known !== null ? BRANCHES[known.kind]?.[nested.join("")] : undefined;
      const path = branches.find((one) => one.name === branch);
      reading.take(at, instruction.end - offset, () => opcodeSaid(instruction, { name, source, form, index }), depth);
      if (path !== undefined) reading.heading(pathWords(path, about.ownership, false), 2, nested.length);
    } else {
      readPush(reading, instruction, instruction.end - offset - instruction.data.length, { at, name, form, about, depth: nested.length });
    }
    offset = instruction.end;
  }
}

const opens = (opcode: number): boolean => opcode === OP.OP_IF || opcode === OP.OP_NOTIF || opcode === OP.OP_ELSE;

type TypeWords = (typeof TYPES)[keyof typeof TYPES];

interface OpcodeAbout {
  readonly name: string | undefined;
  readonly source: string;
  readonly form: TypeWords | null;
  readonly index: number;
}

function opcodeSaid({ opcode }: Instruction, { name, source, form, index }: OpcodeAbout): Said {
  const label = opcodeName(opcode);
  if (index === 0 && form?.first !== undefined) return { label, kind: "code", value: form.first, meaning: form.name, source: form.data.source };
  if (name !== undefined) {
    const number = opcode === OP.OP_0 ? 0 : opcode - OP.OP_1 + 1;
    return { label: name, ...holeSaid(name), value: numberValue(name, number) };
  }
  return { label, kind: "code", value: label, meaning: opcodeWords(opcode), source };
}

function holeSaid(name: string): Omit<Said, "label" | "value"> {
  return HOLES[name] ?? { kind: "data", meaning: "pushed data", source: CONSENSUS };
}

interface PushAbout {
  readonly at: string;
  readonly name: string | undefined;
  readonly form: TypeWords | null;
  readonly about: ScriptAbout;
  readonly depth: number;
}

function readPush(reading: Reading, { opcode, data }: Instruction, prefix: number, { at, name, form, about, depth }: PushAbout): void {
  const pushed = data ?? new Uint8Array(0);
  const words = pushed.length === 1 ? "pushes 1 byte" : `pushes ${pushed.length} bytes`;
  reading.take(
    `${at}.push`,
    prefix,
    () => ({ label: opcodeName(opcode), kind: "structure", value: words, meaning: words, source: CONSENSUS }),
    depth,
  );
  reading.take(`${at}.data`, pushed.length, (bytes) => dataSaid(bytes, { name, form, about }), depth);
}

function dataSaid(bytes: Uint8Array, { name, form, about }: Pick<PushAbout, "name" | "form" | "about">): Said {
  if (name !== undefined) {
    const said = holeSaid(name);
    return {
      label: name,
      ...said,
      value: said.kind === "time" || said.kind === "number" ? numberValue(name, readNumber(bytes, TIMELOCK_SIZE, true)) : toHex(bytes),
    };
  }
  if (form !== null) return { ...form.data, meaning: about.pays === undefined ? form.data.meaning : `${form.data.meaning}: ${about.pays}` };
  return looseSaid(bytes);
}

/** What bytes look like of which nothing else is known. */
export function looseSaid(bytes: Uint8Array): Said {
  const [kind, looks]: [FieldKind, string] = isPointShaped(bytes)
    ? ["key", "in the form of a public key"]
    : readWitnessSignature(bytes) !== null
      ? ["signature", "in the form of a signature"]
      : ["data", "of which nothing else is known"];
  const size = bytes.length === 1 ? "1 byte" : `${bytes.length} bytes`;
  return { label: kind === "data" ? "data" : kind === "key" ? "public key" : "signature", kind, meaning: `${size} ${looks}`, source: CONSENSUS };
}

function numberValue(name: string, value: number): string {
  if (name === "to_self_delay") return `${grouped(value)} ${value === 1 ? "block" : "blocks"}`;
  return name === "cltv_expiry" ? `block ${grouped(value)}` : grouped(value);
}

function cutPush(bytes: Uint8Array): Said {
  return {
    label: "incomplete push",
    kind: "data",
    meaning: `${bytes.length} bytes that end within a push: the script is invalid where it is reached`,
    source: CONSENSUS,
  };
}
