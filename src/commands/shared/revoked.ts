import { revokedHtlcs } from "../../json/channel-file.js";
import { decode } from "../../json/decode.js";
import { equalBytes } from "../../protocol/bytes.js";
import type { FundedChannel } from "../../protocol/channel/state.js";
import type { Htlc } from "../../protocol/tx/spec.js";
import type { PartyPaths } from "../../store/paths.js";
import type { Context } from "./context.js";

/** The HTLCs of the peer's revoked commitments, from the lines that were kept of them. Throws: file-damaged, json-…. */
export function revokedHtlcsOf(ctx: Context, paths: PartyPaths, state: FundedChannel): (number: number) => readonly Htlc[] {
  const [funding] = state.fundings;
  return (number) =>
    ctx.store
      .findRevoked(paths, number)
      .map((line) => decode(revokedHtlcs, line, paths.revoked))
      .filter(({ fundingTxid }) => equalBytes(fundingTxid, funding.txid))
      .flatMap(({ htlcs }) => htlcs);
}
