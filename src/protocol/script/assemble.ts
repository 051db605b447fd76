import { OPS, decompile, number as scriptNumber, signature as scriptSignature } from "bitcoinjs-lib/src/script";
import {
  type Point,
  type ScriptPubkey,
  type Signature,
  type WitnessScript,
  concat,
  equalBytes,
  point,
  scriptPubkey,
  signature,
  witnessScript,
} from "../bytes.js";
import { publicRipemd160, publicSha256 } from "../hash.js";

export { OPS };

type HoleKind = "point" | "x_only" | "hash160" | "number";

/** A place in a script that differs from one use to the next, under the name that BOLT 3 gives it. */
type Hole<Name extends string, Kind extends HoleKind> = { readonly name: Name; readonly kind: Kind };
type AnyHole = Hole<string, HoleKind>;

export const pointHole = <Name extends string>(name: Name): Hole<Name, "point"> => ({ name, kind: "point" });
/** A key by its x alone, as tapscript has them (BIP 342). */
export const xOnlyHole = <Name extends string>(name: Name): Hole<Name, "x_only"> => ({ name, kind: "x_only" });
export const hashHole = <Name extends string>(name: Name): Hole<Name, "hash160"> => ({ name, kind: "hash160" });
export const numberHole = <Name extends string>(name: Name): Hole<Name, "number"> => ({ name, kind: "number" });

type HoleValue<H> = H extends Hole<string, "point"> ? Point : H extends Hole<string, "hash160" | "x_only"> ? Uint8Array : number;

/** A number that is the same in every such script, but is pushed like a hole's and has a name. */
type FixedNumber = { readonly name: string; readonly kind: "fixed"; readonly value: number };
type Part = number | AnyHole | FixedNumber;

export const fixedNumber = (name: string, value: number): FixedNumber => ({ name, kind: "fixed", value });

/** The values of a template's holes, by name. */
export type HoleValues<Parts extends readonly Part[]> = {
  readonly [H in Extract<Parts[number], AnyHole> as H["name"]]: HoleValue<H>;
};

/** One element of a script as it stands there: an opcode, or pushed data with the hole's name where it has one. */
export interface ScriptElement {
  readonly opcode?: number;
  readonly data?: Uint8Array;
  readonly name?: string;
}

/** A script with holes: one definition that builds it, recognises it and names its elements. */
export interface ScriptTemplate<Values> {
  build(values: Values): WitnessScript;
  /** The holes' values, or null where the bytes are not exactly what `build` gives. */
  parse(script: Uint8Array): Values | null;
  elements(script: Uint8Array): readonly ScriptElement[] | null;
}

export function scriptTemplate<const Parts extends readonly Part[]>(parts: Parts): ScriptTemplate<HoleValues<Parts>> {
  type Values = HoleValues<Parts>;
  const build = (values: Values): WitnessScript =>
    assemble(
      parts.map((part) => {
        if (typeof part === "number") return part;
        const value = part.kind === "fixed" ? part.value : (values[part.name as keyof Values] as Uint8Array | number);
        return typeof value === "number" ? scriptNumber.encode(value) : value;
      }),
    );
  const parse = (script: Uint8Array): Values | null => {
    const chunks = disassemble(script);
    const values: Record<string, Uint8Array | number> = {};
    for (const [at, part] of parts.entries()) {
      if (typeof part === "number" || part.kind === "fixed") continue;
      const chunk = chunks?.[at];
      const value = chunk === undefined ? null : readHole(part, chunk);
      if (value === null) return null;
      values[part.name] = value;
    }
    // Whatever stands between and behind the holes: what they hold must give these bytes
    const found = values as Values;
    return equalBytes(build(found), script) ? found : null;
  };
  const elements = (script: Uint8Array): readonly ScriptElement[] | null => {
    const chunks = parse(script) === null ? null : disassemble(script);
    if (chunks === null) return null;
    return chunks.map((chunk, at) => {
      const part = parts[at];
      const name = typeof part === "object" ? { name: part.name } : {};
      return typeof chunk === "number" ? { opcode: chunk, ...name } : { data: chunk, ...name };
    });
  };
  return { build, parse, elements };
}

function readHole(hole: AnyHole, chunk: number | Uint8Array): Uint8Array | number | null {
  switch (hole.kind) {
    case "point":
      return typeof chunk !== "number" && chunk.length === 33 && (chunk[0] === 2 || chunk[0] === 3) ? point(chunk) : null;
    case "x_only":
      return typeof chunk !== "number" && chunk.length === 32 ? chunk : null;
    case "hash160":
      return typeof chunk !== "number" && chunk.length === 20 ? chunk : null;
    case "number":
      return readNumber(chunk);
  }
}

/** At most five bytes: what CHECKLOCKTIMEVERIFY and CHECKSEQUENCEVERIFY read (BIP 65, BIP 112). */
const MAX_LOCKTIME_BYTES = 5;

/** A number as `assemble` pushes it, which none of our scripts does with a negative one; of other bytes null or any number, which is pushed otherwise. */
function readNumber(chunk: number | Uint8Array): number | null {
  if (typeof chunk === "number") return Math.max(0, chunk - OPS.OP_1 + 1);
  try {
    const value = scriptNumber.decode(chunk, MAX_LOCKTIME_BYTES);
    return value < 0 ? null : value;
  } catch {
    return null;
  }
}

/** Opcodes and pushes to bytes, pushes in their shortest form (BIP 62, rule 3). */
export function assemble(chunks: readonly (number | Uint8Array)[]): WitnessScript {
  const shortest = chunks.map((chunk) => (typeof chunk === "number" ? chunk : (smallPush(chunk) ?? chunk)));
  const script = new Uint8Array(
    shortest.reduce<number>((size, chunk) => size + (typeof chunk === "number" ? 1 : prefixSize(chunk.length) + chunk.length), 0),
  );
  let at = 0;
  for (const chunk of shortest) {
    if (typeof chunk === "number") {
      script[at++] = chunk;
      continue;
    }
    const { length } = chunk;
    const prefix = prefixSize(length);
    if (prefix > 1) script[at++] = prefix === 2 ? OPS.OP_PUSHDATA1 : prefix === 3 ? OPS.OP_PUSHDATA2 : OPS.OP_PUSHDATA4;
    const lengthBytes = prefix === 1 ? 1 : prefix - 1;
    for (let byte = 0; byte < lengthBytes; byte++) script[at++] = length >>> (8 * byte);
    script.set(chunk, at);
    at += length;
  }
  return witnessScript(script);
}

/** The opcode that pushes these bytes by itself, where there is one; OP_0, which pushes none, is the length of none as well. */
function smallPush(data: Uint8Array): number | undefined {
  const [byte = 0] = data;
  if (data.length > 1) return undefined;
  if (byte === 0x81) return OPS.OP_1NEGATE;
  return byte >= 1 && byte <= 16 ? OPS.OP_1 + byte - 1 : undefined;
}

/** The opcodes up to this one push as many bytes as they say. */
const MOST_BY_LENGTH_ALONE = 75;

/** How many bytes stand before pushed data: its length alone, or an opcode and the length. */
function prefixSize(length: number): number {
  if (length <= MOST_BY_LENGTH_ALONE) return 1;
  return length <= 0xff ? 2 : length <= 0xffff ? 3 : 5;
}

/** Bytes to opcodes and pushes, or null where they are no script. */
export function disassemble(script: Uint8Array): readonly (number | Uint8Array)[] | null {
  return decompile(script);
}

export function hash160(bytes: Uint8Array): Uint8Array {
  return publicRipemd160(publicSha256(bytes));
}

/** What an output demands of its spender, and what a spender must show. */
export type Lock =
  | { readonly kind: "p2wsh"; readonly scriptPubkey: ScriptPubkey; readonly witnessScript: WitnessScript }
  | { readonly kind: "p2wpkh"; readonly scriptPubkey: ScriptPubkey; readonly pubkey: Point }
  | TapLock
  /** Nothing: anyone spends it with an empty witness. */
  | { readonly kind: "p2a"; readonly scriptPubkey: ScriptPubkey };

/** A script that opens an output, under the name of what it is for. */
export interface TapLeaf {
  readonly name: string;
  readonly script: WitnessScript;
}

/** Pay to a key that a tree of scripts may have been joined to (BIP 341): opened by the key, or by one of the scripts. */
export interface TapLock {
  readonly kind: "p2tr";
  readonly scriptPubkey: ScriptPubkey;
  /** By its x alone. */
  readonly internalKey: Uint8Array;
  /** None, one, or two side by side: no output of a channel has more. */
  readonly leaves: readonly TapLeaf[];
  /** The internal key, tweaked: 33 bytes. */
  readonly outputKey: Uint8Array;
}

const P2WSH_PREFIX = Uint8Array.of(0, 32);

/** Pay to the hash of a witness script (BIP 141). */
export function p2wsh(script: WitnessScript): Lock {
  return { kind: "p2wsh", scriptPubkey: scriptPubkey(concat(P2WSH_PREFIX, publicSha256(script))), witnessScript: script };
}

/** Pay to the hash of one public key (BIP 141). */
export function p2wpkh(pubkey: Point): Lock {
  return { kind: "p2wpkh", scriptPubkey: scriptPubkey(concat(Uint8Array.of(0, 20), hash160(pubkey))), pubkey };
}

/** Pay to anchor: an output that anyone may spend, so that anyone may pay for the transaction that has it (BIP 433). */
export const P2A: Lock = { kind: "p2a", scriptPubkey: scriptPubkey(Uint8Array.of(0x51, 0x02, 0x4e, 0x73)) };

/** A compact signature as a witness holds it: DER (BIP 66) and the sighash byte. */
export function witnessSignature(compact: Signature, sighashType: number): Uint8Array {
  return scriptSignature.encode(compact, sighashType);
}

/** The inverse of `witnessSignature`; null where the bytes are no strict DER with a sighash byte. */
export function readWitnessSignature(bytes: Uint8Array): { readonly signature: Signature; readonly sighashType: number } | null {
  try {
    const decoded = scriptSignature.decode(bytes);
    return { signature: signature(decoded.signature), sighashType: decoded.hashType };
  } catch {
    return null;
  }
}

/** Any witness, top of the stack last. */
export type Witness = readonly Uint8Array[];

export const EMPTY: Uint8Array = new Uint8Array(0);
export const ONE: Uint8Array = Uint8Array.of(1);
