import { decode as decodeDer } from "bitcoinjs-lib/src/script_signature";
import { type Bytes32, type Signature, bytes32, concat, fromHex, signature } from "../protocol/bytes.js";
import { LnError } from "../protocol/errors.js";

/** What a node's log says of a signature that it did not take, or of one that it made. */
export interface LogExcerpt {
  readonly node: "lnd" | "ldk" | "core-lightning" | "eclair";
  /** Which signature: the commitment's, or that of an HTLC transaction. */
  readonly of: "commitment" | "htlc";
  readonly signature: Signature | null;
  /** The transaction as that node has it, in hex. */
  readonly tx: string | null;
  readonly sighash: Bytes32 | null;
  readonly number: number | null;
  readonly feeratePerKw: bigint | null;
}

/** One way in which a node words it; the groups of the expression are named like the fields. */
interface Wording {
  readonly node: LogExcerpt["node"];
  readonly of: LogExcerpt["of"];
  readonly line: RegExp;
}

const HEX = "[0-9a-fA-F]+";

/** The nodes' own words, as they print them today and did in years before. */
const WORDINGS: readonly Wording[] = [
  {
    node: "lnd",
    of: "commitment",
    line: new RegExp(
      `rejected commitment: commit_height=(?<number>\\d+),\\s*invalid_commit_sig=(?<signature>${HEX}),\\s*commit_tx=(?<tx>${HEX}),\\s*sig_hash=(?<sighash>${HEX})`,
    ),
  },
  {
    node: "lnd",
    of: "htlc",
    line: new RegExp(
      `rejected commitment: commit_height=(?<number>\\d+),\\s*invalid_htlc_sig=(?<signature>${HEX}),\\s*commit_tx=(?<tx>${HEX}),\\s*sig_hash=(?<sighash>${HEX})`,
    ),
  },
  {
    node: "core-lightning",
    of: "commitment",
    line: new RegExp(
      `(?:Bad|Creating) commit_sig signature (?:(?<number>\\d+) )?(?<signature>${HEX}) for tx\\s+(?<tx>${HEX}) wscript ${HEX} key ${HEX}(?: feerate (?<feerate>\\d+))?`,
    ),
  },
  {
    node: "core-lightning",
    of: "htlc",
    line: new RegExp(`(?:Bad commit_sig|Creating HTLC) signature (?<signature>${HEX}) for (?:htlc|tx) (?<tx>${HEX}) wscript ${HEX} key ${HEX}`),
  },
  {
    node: "ldk",
    of: "commitment",
    line: new RegExp(`commitment tx signature (?<signature>${HEX}) by key ${HEX} against tx (?<tx>${HEX})(?: \\(sighash (?<sighash>${HEX})\\))?`),
  },
  {
    node: "ldk",
    of: "htlc",
    line: new RegExp(`HTLC tx signature (?<signature>${HEX}) by key ${HEX} against tx (?<tx>${HEX})(?: \\(sighash (?<sighash>${HEX})\\))?`),
  },
  {
    node: "eclair",
    of: "commitment",
    line: new RegExp(
      `invalid commitment signature: fundingTxId=${HEX} commitmentNumber=(?<number>\\d+) (?:commitTxId=${HEX} )?(?:commitTx|unsignedCommitTx)=(?<tx>${HEX})`,
    ),
  },
  { node: "eclair", of: "commitment", line: new RegExp(`invalid commitment signature: tx=(?<tx>${HEX})`) },
];

/** The first such line of a log. Throws: input-log. */
export function readLogExcerpt(text: string, source: string): LogExcerpt {
  for (const { node, of, line } of WORDINGS) {
    const found = line.exec(text)?.groups;
    if (found === undefined) continue;
    const { signature: sig, tx, sighash, number, feerate } = found;
    return {
      node,
      of,
      signature: sig === undefined ? null : parseSignature(sig, source),
      tx: tx ?? null,
      sighash: sighash?.length === 64 ? bytes32(fromHex(sighash)) : null,
      number: number === undefined ? null : Number(number),
      feeratePerKw: feerate === undefined ? null : BigInt(feerate),
    };
  }
  throw new LnError("input-log", `${source} has no line in which lnd, LDK, Core Lightning or eclair tell of a commitment signature`, { source });
}

/** A signature in hex: 64 bytes, or DER with or without the sighash type after it. Throws: input-signature. */
export function parseSignature(hex: string, source: string): Signature {
  if (/^[0-9a-fA-F]{128}$/.test(hex)) return signature(fromHex(hex));
  const refused = new LnError("input-signature", `${source}: ${hex.slice(0, 160)} is no signature: 64 bytes or DER, in hex`, { source });
  if (!/^(?:[0-9a-fA-F]{2}){8,73}$/.test(hex)) throw refused;
  const bytes = fromHex(hex);
  // 0x30, the length of what follows, and perhaps a byte for the sighash type
  const typed = bytes.length === (bytes[1] ?? 0) + 3 ? bytes : concat(bytes, Uint8Array.of(1));
  try {
    return signature(decodeDer(typed).signature);
  } catch {
    throw refused;
  }
}
