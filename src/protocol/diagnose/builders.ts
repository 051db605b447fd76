import type { Basepoints } from "../keys/commitment-keys.js";
import { SIDES, withSide } from "../side.js";
import type { CommitmentTerms } from "../tx/commitment-tx.js";
import { SIGHASH_ALL } from "../tx/format.js";
import { type Signer, type Variant, OUTPUT_ORDERS } from "./variant.js";
import { type Suspect, otherValue, withTerms } from "./suspect.js";

/** What a builder may do otherwise than BOLT 3 says. */
export function builders({ terms }: Variant): readonly Suspect[] {
  const { funding } = terms;
  return [
    ...OUTPUT_ORDERS.map((order): Suspect => ({
      cause: "output_order",
      words: `with the outputs ordered by ${order.replace("_", ", ")}`,
      apply: (variant) => ({ ...variant, departures: { ...variant.departures, order } }),
    })),
    {
      cause: "obscuring",
      words: "with the number hidden by the accepter's payment_basepoint first",
      apply: (variant) => ({ ...variant, departures: { ...variant.departures, obscuring: "swapped" } }),
    },
    {
      cause: "obscuring",
      words: "with the number not hidden",
      apply: (variant) => ({ ...variant, departures: { ...variant.departures, obscuring: "none" } }),
    },
    {
      cause: "funding_script",
      words: "with the funding script's keys in the wrong order",
      apply: (variant) => ({ ...variant, departures: { ...variant.departures, fundingKeys: "unsorted" } }),
    },
    {
      cause: "funding_outpoint",
      words: "with the funding txid in the other byte order",
      apply: (variant) =>
        withTerms(variant, { funding: { ...variant.terms.funding, txid: variant.terms.funding.txid.toReversed() as typeof funding.txid } }),
    },
    ...[0, 1, 2, funding.outputIndex + 1].flatMap((index) =>
      otherValue("funding_outpoint", "funding output", funding.outputIndex, index, (variant) =>
        withTerms(variant, { funding: { ...variant.terms.funding, outputIndex: index } }),
      ),
    ),
    ...[0x00, 0x02, 0x03, 0x81, 0x82, 0x83].flatMap((type) =>
      otherValue("sighash_type", "sighash type", hexByte(SIGHASH_ALL), hexByte(type), (variant) => ({
        ...variant,
        departures: { ...variant.departures, sighashType: type },
      })),
    ),
  ];
}

const hexByte = (value: number): string => `0x${value.toString(16).padStart(2, "0")}`;

/** The names of the basepoints as BOLT 2 has them. */
const NAMES: Readonly<Record<keyof Basepoints, string>> = {
  fundingPubkey: "funding_pubkey",
  revocationBasepoint: "revocation_basepoint",
  paymentBasepoint: "payment_basepoint",
  delayedPaymentBasepoint: "delayed_payment_basepoint",
  htlcBasepoint: "htlc_basepoint",
};
const BASEPOINTS = ["revocationBasepoint", "paymentBasepoint", "delayedPaymentBasepoint", "htlcBasepoint"] as const;

/** Keys that were confused: of the two sides, or of one side's purposes; and the signing key itself. */
export function keys({ terms }: Variant): readonly Suspect[] {
  const suspects: Suspect[] = [];
  const swap = (words: string, change: (basepoints: CommitmentTerms["basepoints"]) => CommitmentTerms["basepoints"]): void => {
    suspects.push({
      cause: "basepoints",
      words,
      apply: (variant) => withTerms(variant, { basepoints: change(variant.terms.basepoints) }),
    });
  };
  const withoutFunding = (mine: Basepoints, others: Basepoints): Basepoints => ({ ...others, fundingPubkey: mine.fundingPubkey });
  swap("with the two sides' basepoints exchanged", ({ local, remote }) => ({
    local: withoutFunding(local, remote),
    remote: withoutFunding(remote, local),
  }));
  for (const name of BASEPOINTS) {
    swap(`with the two sides' ${NAMES[name]} exchanged`, ({ local, remote }) => ({
      local: { ...local, [name]: remote[name] },
      remote: { ...remote, [name]: local[name] },
    }));
  }
  for (const side of SIDES) {
    for (const [at, first] of BASEPOINTS.entries()) {
      for (const second of BASEPOINTS.slice(at + 1)) {
        swap(`with the ${side} side's ${NAMES[first]} and ${NAMES[second]} exchanged`, (basepoints) =>
          withSide(basepoints, side, { ...basepoints[side], [first]: basepoints[side][second], [second]: basepoints[side][first] }),
        );
      }
    }
  }
  const signers: readonly (readonly [Signer, string])[] = [
    ["ownerFundingPubkey", `the ${terms.owner} side's own funding key`],
    ...BASEPOINTS.map((name): readonly [Signer, string] => [name, `the key of its ${NAMES[name]}`]),
    ["htlcPubkey", "its HTLC key of this commitment"],
  ];
  for (const [signer, words] of signers) {
    suspects.push({
      cause: "signer",
      words: `with ${words}, not with its funding key`,
      apply: (variant) => ({ ...variant, departures: { ...variant.departures, signer } }),
    });
  }
  return suspects;
}
