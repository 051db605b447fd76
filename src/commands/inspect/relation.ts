import type { Standing } from "../../protocol/channel/select.js";
import type { Relation } from "../../protocol/channel/view.js";
import { isRevocable } from "../../protocol/tx/penalty-tx.js";
import { type Side, opposite } from "../../protocol/side.js";
import { type Names, listed, sideName } from "../../protocol/explain/words.js";

const STANDINGS: Readonly<Record<Side, Readonly<Record<Standing, string>>>> = {
  local: {
    next: "the next one, which the peer has not signed yet",
    current: "the newest that the peer has signed",
    pending: "signed beyond an unrevoked one",
    previous: "replaced, but not revoked yet",
    preview: "what it will be",
  },
  remote: {
    next: "the next one, which we have not signed yet",
    current: "the newest of the unrevoked ones that we signed",
    pending: "signed by us beyond one that is not revoked yet",
    previous: "replaced, but not revoked yet",
    preview: "what it will be",
  },
};

/** What the channel says of the transaction, in fields and in words. */
export function relationOf(relation: Relation, names: Names): Record<string, unknown> {
  switch (relation.kind) {
    case "held": {
      const { owner, standing, commitment } = relation;
      const fields = { owner, owner_name: sideName(names, owner), commitment_number: commitment.number, standing, revoked: false };
      return {
        relation: "commitment",
        ...fields,
        meaning: `${sideName(names, owner)}'s commitment ${commitment.number}: ${STANDINGS[owner][standing]}`,
      };
    }
    case "revoked": {
      const { number, outputs } = relation;
      const taken = outputs.flatMap((output, at) => (output !== null && isRevocable(output) ? [at] : []));
      const victim = sideName(names, "local");
      const consequence =
        taken.length === 0
          ? "it has no output of the cheater's: nothing to punish"
          : `${victim} holds its secret and may take ${listed(taken)} at once (penalty-tx), before the owner's delay is over`;
      return {
        relation: "commitment",
        owner: "remote",
        owner_name: sideName(names, "remote"),
        commitment_number: number,
        standing: "revoked",
        revoked: true,
        punishable_outputs: taken,
        meaning: `${sideName(names, "remote")}'s commitment ${number}, which is REVOKED: ${consequence}`,
      };
    }
    case "htlc": {
      const { owner, held, htlcTx } = relation;
      const { number } = held.commitment;
      const kind = htlcTx.kind === "htlc_timeout" ? "HTLC-timeout" : "HTLC-success";
      return {
        relation: htlcTx.kind,
        owner,
        owner_name: sideName(names, owner),
        commitment_number: number,
        standing: held.standing,
        output_index: htlcTx.outputIndex,
        revoked: false,
        meaning: `the ${kind} transaction for output ${htlcTx.outputIndex} of ${sideName(names, owner)}'s commitment ${number} (${STANDINGS[owner][held.standing]})`,
      };
    }
    case "spends": {
      const { owner, held } = relation;
      const { number } = held.commitment;
      return {
        relation: "spends_commitment",
        owner,
        owner_name: sideName(names, owner),
        commitment_number: number,
        standing: held.standing,
        revoked: false,
        meaning: `spends outputs of ${sideName(names, owner)}'s commitment ${number} (${STANDINGS[owner][held.standing]})`,
      };
    }
    case "funding":
      return { relation: "funding", meaning: "the channel's funding transaction" };
    case "mutual": {
      const { closing } = relation;
      const fee = closing === null ? {} : { fee_paid_by: closing.plan.payer };
      const which = closing === null ? "of an earlier round, which the state does not hold any more" : `by ${closing.plan.kind} negotiation`;
      return { relation: "mutual_close", ...fee, meaning: `the channel's mutual close, ${which}: both sides have signed it, each is paid at once` };
    }
    case "unknown": {
      const { owner, number, standing } = relation;
      return {
        relation: number === null ? "funding_spend" : "commitment",
        owner,
        ...(owner === null ? {} : { owner_name: sideName(names, owner) }),
        commitment_number: number,
        standing: standing ?? "unknown",
        revoked: standing === "revoked" ? true : null,
        meaning: unknownWords(relation, names),
      };
    }
    case "unrelated":
      return {
        relation: "unrelated",
        meaning: "neither spends this channel's funding output nor an output of a commitment that the state can rebuild",
      };
  }
}

function unknownWords({ owner, number, standing, ownerBy }: Extract<Relation, { readonly kind: "unknown" }>, names: Names): string {
  if (number === null)
    return "spends this channel's funding output, but bears no commitment's marks: as a mutual close does, of which the state holds none";
  if (owner === null)
    return `a commitment ${number} of this channel that the state can't rebuild; whose it is, neither its keys nor its outputs tell`;
  const because = ownerBy === "elimination" ? ` (${sideName(names, opposite(owner))}'s commitment ${number} has none of these outputs)` : "";
  const what = `${sideName(names, owner)}'s commitment ${number}${because}`;
  switch (standing) {
    case "revoked":
      return `${what}, which is REVOKED: its secret was given away, and ${sideName(names, opposite(owner))} may take to_local and every HTLC; never publish it`;
    case "ahead":
      return `${what}, later than any that this state knows: the state is older than the channel, or the number is made up`;
    case "other":
    case null:
      return `${what} by number and keys, but the state holds that number with other contents`;
  }
}
