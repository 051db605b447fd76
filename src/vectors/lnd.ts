import { type ValueOf, boolean, list, text } from "../json/codec.js";
import { decode } from "../json/decode.js";
import { fields, optional } from "../json/fields.js";
import * as json from "../json/primitives.js";
import { LnError } from "../protocol/errors.js";
import { APPENDIX_C, htlcIdsFor } from "./appendix-c.js";
import { type Placed, placing } from "./placed.js";

/** lnd's lnwallet/test_vectors_*.json, and BOLT 3's Appendix F, which is printed alike. */
const document = list(
  fields({
    Name: text,
    LocalBalance: json.u53,
    RemoteBalance: json.u53,
    DustLimitSatoshis: optional(json.u53),
    FeePerKw: json.u32,
    UseTestHtlcs: boolean,
    HtlcDescs: list(fields({ RemoteSigHex: text, ResolutionTxHex: text })),
    ExpectedCommitmentTxHex: text,
    RemoteSigHex: text,
  }),
);

/** Whether a document's first element has the keys of that layout. */
export function isLnd(value: unknown): boolean {
  const [first] = Array.isArray(value) ? (value as readonly unknown[]) : [];
  return typeof first === "object" && first !== null && Object.hasOwn(first, "ExpectedCommitmentTxHex");
}

/** The same in the layout of `commitments.ts`, of a channel type that its transactions will tell. Throws: json-…. */
export function readLnd(value: unknown, source: string): Placed {
  const cases: ValueOf<typeof document> = decode(document, value, source);
  const { note, places } = placing();
  const own = cases.map((one, at) => {
    const path = ["cases", at, "expected"];
    note([...path, "commit_tx"], `[${at}].ExpectedCommitmentTxHex`);
    note([...path, "remote_signature_der"], `[${at}].RemoteSigHex`);
    note([...path, "htlc_txs"], `[${at}].HtlcDescs`);
    for (const index of one.HtlcDescs.keys()) {
      note([...path, "htlc_txs", index], `[${at}].HtlcDescs[${index}]`);
      note([...path, "htlc_txs", index, "tx"], `[${at}].HtlcDescs[${index}].ResolutionTxHex`);
      note([...path, "htlc_txs", index, "remote_signature_der"], `[${at}].HtlcDescs[${index}].RemoteSigHex`);
    }
    return {
      name: one.Name,
      to_local_msat: one.LocalBalance,
      to_remote_msat: one.RemoteBalance,
      feerate_per_kw: one.FeePerKw,
      ...(one.DustLimitSatoshis === undefined ? {} : { dust_limit_sat: one.DustLimitSatoshis }),
      htlc_ids: one.UseTestHtlcs ? htlcIds(one.LocalBalance, one.RemoteBalance, `[${at}].LocalBalance`) : [],
      expected: {
        commit_tx: one.ExpectedCommitmentTxHex,
        remote_signature_der: one.RemoteSigHex,
        htlc_txs: one.HtlcDescs.map(({ RemoteSigHex, ResolutionTxHex }) => ({ remote_signature_der: RemoteSigHex, tx: ResolutionTxHex })),
      },
    };
  });
  return { document: { common: APPENDIX_C, cases: own }, places };
}

/** Throws: json-value. */
export function htlcIds(toLocalMsat: number, toRemoteMsat: number, path: string): readonly number[] {
  const ids = htlcIdsFor(toLocalMsat, toRemoteMsat);
  if (ids !== null) return ids;
  throw new LnError("json-value", `${path}: with no HTLCs of BOLT 3's Appendix C do these balances make up its funding`, {
    path,
    value: toLocalMsat,
  });
}
