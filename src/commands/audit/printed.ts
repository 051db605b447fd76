import { LnError } from "../../protocol/errors.js";
import { parseStrict } from "../../json/strict.js";
import type { JsonObject } from "../../store/state.js";

/**
 * What commands print that follows from the channel, by the fields that tell it: a document is of the kind that its `format` says, or else of the one most
 * of whose fields it has, so that it is the same document still when one of them was changed.
 */
const KINDS = {
  commitment: {
    format: "chankit-commitment",
    fields: ["owner", "standing", "commitment_number", "channel_type", "unsigned_tx", "balances", "trimmed_htlcs", "base_fee_sat", "actual_fee_sat"],
  },
  force_close: {
    format: "chankit-force-close",
    fields: ["owner", "commitment_number", "txid", "outputs", "fee_sat", "to_self_delay", "htlc_txs"],
  },
  htlc_tx: {
    format: "chankit-htlc-tx",
    fields: ["kind", "commitment_txid", "output_index", "htlc", "amount_sat", "fee_sat", "locktime", "to_self_delay"],
  },
  penalty: { format: "chankit-penalty", fields: ["punishes", "to", "feerate_per_kw", "takes", "leaves", "amount_sat", "fee_sat", "fee_weight"] },
  sweep: { format: "chankit-sweep", fields: ["outputs", "waiting", "locktime", "to", "amount_sat", "fee_sat", "feerate_per_kw", "fee_weight"] },
  close: { format: "chankit-close", fields: ["kind", "fee_paid_by", "txid", "tx", "locktime", "outputs", "fee_sat", "weight", "fee_per_kw"] },
  status: {
    format: null,
    fields: ["party", "purpose", "phase", "revision", "chain", "channel_type", "opener", "funding_satoshis", "messages", "next"],
  },
  brief: { format: null, fields: ["party", "holds"] },
  step: { format: null, fields: ["party", "phase", "local_commitment", "remote_commitment", "next"] },
  funding: { format: null, fields: ["funding_txid", "funding_output_index", "funding_satoshis", "may_be_broadcast"] },
  keys: {
    format: null,
    fields: ["party", "keys", "funding_pubkey", "revocation_basepoint", "payment_basepoint", "delayed_payment_basepoint", "htlc_basepoint"],
  },
} as const;

export type DocumentKind = keyof typeof KINDS;

/** A document of a command's in a run's folder; `path` is what `-o` prints, a file's name. */
export type Printed =
  | { readonly kind: DocumentKind; readonly file: string; readonly document: JsonObject }
  | { readonly kind: "path"; readonly file: string; readonly document: string };

/** What a file is to an audit beside the messages and the parties' files; `untold` is why what it says is not judged. */
export type Looked =
  | { readonly is: "printed"; readonly printed: Printed }
  | { readonly is: "untold"; readonly why: string }
  | { readonly is: "unreadable"; readonly error: LnError }
  | { readonly is: "other" };

const OTHER: Looked = { is: "other" };

/** Looks at a file that has the name of a document. */
export function lookAt(file: string, text: string): Looked {
  if (file.endsWith(".ndjson")) return lookAtLines(file, text);
  const content = text.trim();
  if (/^\S+[.]json$/.test(content)) return { is: "printed", printed: { kind: "path", file, document: content } };
  let document: unknown;
  try {
    document = parseStrict(text, file);
  } catch (error) {
    if (!(error instanceof LnError)) throw error;
    return content === "" || lookAtLines(file, text).is === "untold" ? OTHER : { is: "unreadable", error };
  }
  return isObject(document) ? lookAtDocument(file, document) : OTHER;
}

function lookAtDocument(file: string, document: JsonObject): Looked {
  const kind = kindOf(document);
  if (kind !== null) return { is: "printed", printed: { kind, file, document } };
  const { format } = document;
  if (typeof format === "string" && format.startsWith("chankit-")) return { is: "untold", why: `audit derives nothing of a ${format} document` };
  if (isObject(document["error"])) return { is: "untold", why: "audit does not repeat what was refused" };
  return OTHER;
}

/** A line a document: what `watch` and `export-watchtower` print, `--batch` too. */
function lookAtLines(file: string, text: string): Looked {
  const [first = ""] = text.trimStart().split("\n");
  try {
    const document = parseStrict(first, file);
    if (isObject(document) && (typeof document["event"] === "string" || lookAtDocument(file, document).is !== "other")) {
      return { is: "untold", why: "audit derives nothing of documents that stand one a line" };
    }
  } catch (error) {
    if (!(error instanceof LnError)) throw error;
  }
  return OTHER;
}

function kindOf(document: JsonObject): DocumentKind | null {
  const kinds = Object.entries(KINDS) as (readonly [DocumentKind, (typeof KINDS)[DocumentKind]])[];
  const [named] = kinds.find(([, { format }]) => format !== null && format === document["format"]) ?? [];
  if (named !== undefined) return named;
  const share = ({ fields }: { readonly fields: readonly string[] }): number => fields.filter((name) => name in document).length / fields.length;
  const [best] = [...kinds].sort(([, a], [, b]) => share(b) - share(a));
  // Half of them may stand in a document of another kind: amounts and transactions are everywhere
  return best !== undefined && share(best[1]) > 0.7 ? best[0] : null;
}

export function isObject(value: unknown): value is JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
