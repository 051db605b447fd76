import { displayTxid } from "../../protocol/bytes.js";
import type { Answer, Due } from "../../protocol/channel/transitions/answer.js";
import type { FundedChannel } from "../../protocol/channel/state.js";
import type { Relation } from "../../protocol/channel/view.js";
import type { LnError } from "../../protocol/errors.js";
import { amount } from "../shared/summary.js";
import type { Document } from "../shared/command.js";

/** Which commitment was published, in fields and in words. */
export function commitmentWords(relation: Relation, { party }: FundedChannel): Document {
  switch (relation.kind) {
    case "held": {
      const { owner, standing, commitment } = relation;
      const own = owner === "local";
      return {
        commitment: own ? "own" : "theirs",
        owner,
        commitment_number: commitment.number,
        standing,
        meaning: `${own ? `${party}'s own` : "the peer's"} commitment ${commitment.number} (${standing})`,
      };
    }
    case "revoked":
      return {
        commitment: "revoked",
        owner: "remote",
        commitment_number: relation.number,
        standing: "revoked",
        meaning: `the peer's commitment ${relation.number}, which it had REVOKED: everything of the peer's in it is ${party}'s`,
      };
    case "mutual":
      return {
        commitment: "mutual",
        owner: null,
        commitment_number: null,
        standing: "mutual",
        meaning: "the channel's mutual close, which both sides have signed: each is paid at once",
      };
    case "unknown": {
      const { owner, number, standing } = relation;
      const whose = owner === "local" ? "own" : owner === "remote" ? "theirs" : "unknown";
      return { commitment: whose, owner, commitment_number: number, standing: standing ?? "unknown", meaning: unknownWords(relation, party) };
    }
    case "funding":
    case "htlc":
    case "spends":
    case "unrelated":
      return { commitment: "unknown", owner: null, commitment_number: null, standing: "unknown", meaning: "spends the funding output" };
  }
}

function unknownWords({ owner, number, standing }: Extract<Relation, { readonly kind: "unknown" }>, party: string): string {
  if (number === null) return "spends the funding output without being a commitment: as a mutual close does";
  if (owner === "local" && standing === "revoked")
    return `${party}'s own commitment ${number}, whose secret was given away: the peer may take everything of ${party}'s in it`;
  if (owner === "remote")
    return `the peer's commitment ${number}, which the state can't rebuild${standing === "ahead" ? ": the state is older than the channel" : ""}`;
  return `a commitment ${number} that the state can't rebuild`;
}

export function dueOf({ txid, outputIndex, kind, amount: value, from }: Due): Document {
  return { txid: displayTxid(txid), output_index: outputIndex, kind, amount_sat: amount(value), spendable_from: from };
}

/** An answer as its file holds it, and as the event shows it. */
export function answerDocument({ kind, takes, tx, fee }: Answer): Document {
  return {
    kind,
    txid: tx.getId(),
    takes: takes.map(({ txid, outputIndex, kind: name, amount: value }) => ({
      txid: displayTxid(txid),
      output_index: outputIndex,
      kind: name,
      amount_sat: amount(value),
    })),
    locktime: tx.locktime,
    ...(fee === null ? {} : { amount_sat: amount(fee.amount), fee_sat: amount(fee.fee) }),
    tx: tx.toHex(),
  };
}

export function errorDocument({ code, message, details }: LnError): Document {
  return { code, message, details };
}
