import { list, text, union } from "../../json/codec.js";
import { decode } from "../../json/decode.js";
import { optional, someFields } from "../../json/fields.js";
import { showValue } from "../../json/path.js";
import { parseStrict } from "../../json/strict.js";
import { transactionFromHex } from "../../protocol/channel/identify.js";
import { LnError } from "../../protocol/errors.js";
import type { Context } from "./context.js";
import { readInput } from "./party.js";

const withTx = union(someFields({ tx: text }), someFields({ unsigned_tx: text }));

/** A transaction as people have it: hex in a file, or one of our reports with a `tx` or an `unsigned_tx`. Throws: tx-not-parsed, json-…, file-…. */
export function readTransaction(ctx: Context, path: string): ReturnType<typeof transactionFromHex> {
  return transactionIn(readInput(ctx, path), path);
}

/** The transactions of one report, in the order in which they may be sent; `mark` is why they are for no chain, where the report says so. */
export interface Reported {
  readonly txs: readonly ReturnType<typeof transactionFromHex>[];
  readonly mark: string | null;
}

const reported = someFields({
  not_for_broadcast: optional(text),
  tx: optional(text),
  transactions: optional(list(someFields({ tx: text }))),
});

/** Signed transactions: hex in a file, or one of our reports with a `tx` or with `transactions`. Throws: tx-not-parsed, json-…, input-unreadable. */
export function readTransactions(ctx: Context, path: string): Reported {
  return transactionsIn(readInput(ctx, path).trim(), path);
}

/** The same from a text; `path` is what refusals call it. Throws: tx-not-parsed, json-…. */
export function transactionsIn(content: string, path: string): Reported {
  if (!content.startsWith("{")) return { txs: [transactionIn(content, path)], mark: null };
  const document = parseStrict(content, path);
  const { tx, transactions, notForBroadcast: mark = null } = decode(reported, document, path);
  const hexes = transactions?.map((one) => one.tx) ?? (tx === undefined ? [] : [tx]);
  if (hexes.length > 0) return { txs: hexes.map((hex) => transactionIn(hex, path)), mark };
  throw new LnError("tx-not-parsed", `${path} holds no signed transaction: hex, or JSON with \`tx\` or \`transactions\``, { source: path });
}

/** The same from a text; `path` is what refusals call it. Throws: tx-not-parsed, json-…. */
export function transactionIn(text: string, path: string): ReturnType<typeof transactionFromHex> {
  const content = text.trim();
  const hex = content.startsWith("{") ? hexOf(parseStrict(content, path), path) : content;
  try {
    return transactionFromHex(hex);
  } catch (error) {
    if (!(error instanceof LnError)) throw error;
    throw new LnError(error.code, `${path}: ${error.message}`, { source: path, ...error.details });
  }
}

function hexOf(document: unknown, path: string): string {
  const held = typeof document === "object" && document !== null ? document : {};
  if (!("tx" in held) && !("unsigned_tx" in held)) {
    const kind =
      "type" in held ? `a message (${showValue(held.type)})` : "format" in held ? `a ${showValue(held.format)} file` : "JSON of another kind";
    throw new LnError("tx-not-parsed", `${path} is ${kind}: a transaction is hex, or JSON with \`tx\` or \`unsigned_tx\``, { source: path });
  }
  const found = decode(withTx, document, path);
  return "tx" in found ? found.tx : found.unsignedTx;
}
