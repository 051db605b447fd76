import { LnError } from "../../protocol/errors.js";
import { blockHash, scanBlock, scanTransaction } from "../../protocol/tx/scan.js";
import type { Tip } from "./follow.js";
import { type Line, bytesOfHex, textOf } from "../shared/lines.js";

/** What a line tells of the chain. */
export type Happening =
  | { readonly kind: "transaction"; readonly transactions: readonly Uint8Array[]; readonly height: number | null }
  | Block
  /** The block of this height, and what came after it, is in the chain no more. */
  | { readonly kind: "disconnected"; readonly height: number };

export interface Block {
  readonly kind: "block";
  readonly height: number;
  readonly hash: string | null;
  readonly transactions: readonly Uint8Array[];
}

/**
 * Reads a line: a transaction or a block in hex, one of our reports with a `tx` or with `transactions`, a block as `{height, hash, txs}` or as Bitcoin Core's
 * `getblock HASH 2` has it, `{disconnected: HEIGHT}`. Throws: json-syntax, json-value, input-hex, tx-not-parsed, file-too-large, file-damaged.
 */
export function readHappening(line: Line): Happening {
  const source = `line ${line.number}`;
  const text = textOf(line, source).trim();
  return text.startsWith("{") ? ofDocument(parsed(text, source), source) : ofBytes(bytesOfHex(text));
}

/** Not as strictly as our own files: what other programs print has numbers of every kind. */
function parsed(text: string, source: string): Readonly<Record<string, unknown>> {
  try {
    return JSON.parse(text) as Readonly<Record<string, unknown>>;
  } catch {
    throw new LnError("json-syntax", `${source}: not one JSON document`, { source });
  }
}

/** A transaction or, where it is none, a block. Throws: tx-not-parsed. */
function ofBytes(bytes: Uint8Array): Happening {
  if (isTransaction(bytes)) return { kind: "transaction", transactions: [bytes], height: null };
  return ofBlock(bytes);
}

/** A block in its own bytes, which tell its height. Throws: tx-not-parsed. */
export function ofBlock(bytes: Uint8Array): Block {
  const { height, bounds } = scanBlock(bytes);
  return { kind: "block", height: height(), hash: blockHash(bytes), transactions: pieces(bytes, bounds) };
}

/** A block whose place in the chain is known: before BIP 34 its bytes did not tell it. Throws: tx-not-parsed. */
export function blockAt({ height, hash }: Tip, bytes: Uint8Array): Block {
  return { kind: "block", height, hash, transactions: pieces(bytes, scanBlock(bytes).bounds) };
}

function pieces(bytes: Uint8Array, bounds: readonly number[]): readonly Uint8Array[] {
  return bounds.slice(1).map((end, at) => bytes.subarray(bounds[at], end));
}

function isTransaction(bytes: Uint8Array): boolean {
  try {
    return scanTransaction(bytes, 0, () => undefined) === bytes.length;
  } catch (error) {
    if (error instanceof LnError) return false;
    throw error;
  }
}

function ofDocument(document: Readonly<Record<string, unknown>>, source: string): Happening {
  const { disconnected, block, txs, tx, transactions, height, hash } = document;
  if (disconnected !== undefined) return { kind: "disconnected", height: heightOf(disconnected, "disconnected", source) };
  if (block !== undefined) return ofBlock(bytesOfHex(stringOf(block, "block", source)));
  const listed = txs ?? (Array.isArray(tx) ? tx : undefined);
  if (listed !== undefined || (tx === undefined && transactions === undefined && height !== undefined)) {
    return {
      kind: "block",
      height: heightOf(height, "height", source),
      hash: hash === undefined ? null : stringOf(hash, "hash", source),
      transactions: listOf(listed ?? [], "txs", source, "hex"),
    };
  }
  if (tx === undefined && transactions === undefined) {
    throw new LnError("json-missing", `${source}: neither a transaction (tx, transactions) nor a block (height and txs, block) nor disconnected`, {
      source,
      path: "",
    });
  }
  return {
    kind: "transaction",
    transactions: tx === undefined ? listOf(transactions, "transactions", source, "tx") : [bytesOfHex(stringOf(tx, "tx", source))],
    height: height === undefined || height === null ? null : heightOf(height, "height", source),
  };
}

function bad(expected: string, path: string, source: string): LnError {
  return new LnError("json-value", `${source}: ${path}: expected ${expected}`, { source, path, expected });
}

/** Each in hex, or an object that has the hex under a name. */
function listOf(value: unknown, path: string, source: string, name: string): readonly Uint8Array[] {
  if (!Array.isArray(value)) throw bad("a list", path, source);
  return value.map((element: unknown, at) => {
    const hex = typeof element === "object" && element !== null ? (element as Readonly<Record<string, unknown>>)[name] : element;
    return bytesOfHex(stringOf(hex, `${path}[${at}]`, source));
  });
}

function stringOf(value: unknown, path: string, source: string): string {
  if (typeof value !== "string") throw bad("a string", path, source);
  return value;
}

/** From here on a locktime is no height. */
const MAX_HEIGHT = 499_999_999;

function heightOf(value: unknown, path: string, source: string): number {
  if (typeof value === "number" && Number.isInteger(value) && value >= 0 && value <= MAX_HEIGHT) return value;
  throw bad("a height", path, source);
}
