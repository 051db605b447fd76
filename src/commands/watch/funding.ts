import { CHANNEL_FORMAT } from "../../json/channel-file.js";
import { type Txid, parseTxid } from "../../protocol/bytes.js";
import { CHAINS, type Chain } from "../../protocol/channel/params.js";
import { LnError } from "../../protocol/errors.js";
import { penaltyNeedsRealChannel } from "../../protocol/policy/leave.js";

export interface FundingOutpoint {
  readonly chain: Chain;
  readonly txid: Txid;
  readonly outputIndex: number;
}

/**
 * The funding output that a channel file names, or null where it has none yet. Only that is looked at: the file is read as strictly as ever once
 * something spends it. Throws: json-syntax, file-damaged, policy-vector-channel.
 */
export function fundingIn(text: string, path: string): FundingOutpoint | null {
  const { format, purpose, chain, fundings } = parsed(text, path);
  if (format !== CHANNEL_FORMAT) throw damaged(path);
  penaltyNeedsRealChannel({ purpose: purpose === "vector" ? "vector" : "channel" });
  if (fundings === undefined) return null;
  const [funding] = Array.isArray(fundings) ? (fundings as readonly unknown[]) : [];
  const { txid, output_index: outputIndex } = (funding ?? {}) as { readonly txid?: unknown; readonly output_index?: unknown };
  const named = CHAINS.find((name) => name === chain);
  if (named === undefined || typeof txid !== "string" || !/^[0-9a-f]{64}$/.test(txid) || typeof outputIndex !== "number") throw damaged(path);
  return { chain: named, txid: parseTxid(txid), outputIndex };
}

interface Document {
  readonly format?: unknown;
  readonly purpose?: unknown;
  readonly chain?: unknown;
  readonly fundings?: unknown;
}

function parsed(text: string, path: string): Document {
  try {
    const document: unknown = JSON.parse(text);
    if (typeof document === "object" && document !== null) return document;
  } catch {
    throw new LnError("json-syntax", `${path}: not one JSON document`, { source: path });
  }
  throw damaged(path);
}

function damaged(path: string): LnError {
  return new LnError("file-damaged", `${path} names no channel as we write them`, { path });
}
