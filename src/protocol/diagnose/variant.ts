import { type Bytes32, type Point, compareBytes, toHex, txid } from "../bytes.js";
import { type Basepoints, type CommitmentKeys, deriveCommitmentKeys } from "../keys/commitment-keys.js";
import type { CommitmentNumber } from "../keys/shachain.js";
import { type Lock, p2wsh } from "../script/assemble.js";
import { FUNDING_SCRIPT } from "../script/funding.js";
import { opposite } from "../side.js";
import { encodeCommitmentNumber, obscuringFactor } from "../tx/commitment-number.js";
import { type Commitment, type CommitmentTerms, buildCommitmentOf } from "../tx/commitment-tx.js";
import { type CommitmentFormat, FORMATS, SIGHASH_ALL } from "../tx/format.js";
import type { CommitmentOutput } from "../tx/outputs.js";
import { sighash } from "../tx/sign.js";
import type { CommitmentSpec } from "../tx/spec.js";

/** How a signer may see a commitment: what BOLT 3 makes it of, and where its builder departs from BOLT 3. */
export interface Variant {
  readonly terms: CommitmentTerms;
  readonly number: CommitmentNumber;
  readonly point: Point<"per_commitment">;
  readonly spec: CommitmentSpec;
  readonly departures: Departures;
}

/** What no input of BOLT 3's can bring about. Empty for a builder that follows it. */
export interface Departures {
  readonly order?: OutputOrder;
  /** How the number is hidden. */
  readonly obscuring?: "swapped" | "none";
  /** The funding script's two keys, in the order that they don't have. */
  readonly fundingKeys?: "unsorted";
  readonly sighashType?: number;
  readonly signer?: Signer;
}

/** Whose key the signature is made with: one of the countersigner's, or the owner's funding key. */
export type Signer = keyof Basepoints | "htlcPubkey" | "ownerFundingPubkey";

/** Orders of outputs other than BOLT 3's, by what they compare. */
export const OUTPUT_ORDERS = ["amount", "script", "kind", "amount_descending"] as const;
export type OutputOrder = (typeof OUTPUT_ORDERS)[number];

const KINDS: readonly CommitmentOutput["kind"][] = [
  "to_local",
  "to_remote",
  "offered_htlc",
  "received_htlc",
  "to_local_anchor",
  "to_remote_anchor",
  "shared_anchor",
];
const byAmount = (a: CommitmentOutput, b: CommitmentOutput): number => (a.amount < b.amount ? -1 : a.amount > b.amount ? 1 : 0);
const ORDERS: Readonly<Record<OutputOrder, (a: CommitmentOutput, b: CommitmentOutput) => number>> = {
  amount: (a, b) => byAmount(a, b) || compareBytes(b.lock.scriptPubkey, a.lock.scriptPubkey),
  script: (a, b) => compareBytes(a.lock.scriptPubkey, b.lock.scriptPubkey) || byAmount(a, b),
  kind: (a, b) => KINDS.indexOf(a.kind) - KINDS.indexOf(b.kind) || byAmount(a, b),
  amount_descending: (a, b) => byAmount(b, a) || compareBytes(a.lock.scriptPubkey, b.lock.scriptPubkey),
};

/** Builds variants of one commitment; what many of them share, keys and scripts, is made once. */
export class Builder {
  private readonly keys = new Map<string, CommitmentKeys>();
  private readonly formats = new Map<CommitmentFormat["channelType"], CommitmentFormat>();

  /** Throws: key-degenerate, script-delay-range. */
  build({ terms, number, point, spec, departures }: Variant): Commitment {
    const format = this.format(terms.format.channelType);
    const built = buildCommitmentOf({ ...terms, format }, number, this.keysOf(terms, point), spec);
    return depart(built, departures);
  }

  private keysOf({ format, owner, basepoints }: CommitmentTerms, point: Point<"per_commitment">): CommitmentKeys {
    const [own, other] = [basepoints[owner], basepoints[opposite(owner)]];
    const name = [format.remotePubkeyRotates, toHex(point), ...namesOf(own), ...namesOf(other)].join();
    const known = this.keys.get(name) ?? deriveCommitmentKeys(own, other, point, format.remotePubkeyRotates);
    this.keys.set(name, known);
    return known;
  }

  /** The format with scripts that are made once for the same keys. */
  private format(type: CommitmentFormat["channelType"]): CommitmentFormat {
    const known = this.formats.get(type);
    if (known !== undefined) return known;
    const format = FORMATS[type];
    const offered = new WeakMap<CommitmentKeys, Map<string, Lock>>();
    const received = new WeakMap<CommitmentKeys, Map<string, Lock>>();
    const once = (made: WeakMap<CommitmentKeys, Map<string, Lock>>, keys: CommitmentKeys, name: string, make: () => Lock): Lock => {
      const locks = made.get(keys) ?? new Map<string, Lock>();
      made.set(keys, locks);
      const lock = locks.get(name) ?? make();
      locks.set(name, lock);
      return lock;
    };
    const remembering: CommitmentFormat = {
      ...format,
      offeredHtlc: (keys, hash) => once(offered, keys, toHex(hash), () => format.offeredHtlc(keys, hash)),
      receivedHtlc: (keys, hash, expiry) => once(received, keys, `${toHex(hash)} ${expiry}`, () => format.receivedHtlc(keys, hash, expiry)),
    };
    this.formats.set(type, remembering);
    return remembering;
  }
}

function namesOf(basepoints: Basepoints): readonly string[] {
  const { fundingPubkey, revocationBasepoint, paymentBasepoint, delayedPaymentBasepoint, htlcBasepoint } = basepoints;
  return [fundingPubkey, revocationBasepoint, paymentBasepoint, delayedPaymentBasepoint, htlcBasepoint].map(toHex);
}

function depart(built: Commitment, { order, obscuring, fundingKeys }: Departures): Commitment {
  if (order === undefined && obscuring === undefined && fundingKeys === undefined) return built;
  const { terms, number } = built;
  const outputs = order === undefined ? built.outputs : built.outputs.toSorted(ORDERS[order]);
  const unsigned = built.unsigned.clone();
  unsigned.outs = outputs.map(({ lock, amount }) => ({ script: lock.scriptPubkey, value: amount }));
  if (obscuring !== undefined) {
    const { basepoints, opener } = terms;
    const swapped = obscuringFactor(basepoints[opposite(opener)].paymentBasepoint, basepoints[opener].paymentBasepoint);
    const { locktime, sequence } = encodeCommitmentNumber(number, obscuring === "none" ? 0n : swapped);
    unsigned.locktime = locktime;
    for (const input of unsigned.ins) input.sequence = sequence;
  }
  const fundingLock = fundingKeys === undefined ? built.fundingLock : unsortedFunding(terms);
  return { ...built, outputs, unsigned, fundingLock, txid: txid(unsigned.getHash()) };
}

function unsortedFunding({ basepoints }: CommitmentTerms): Lock {
  const [first, second] = [basepoints.local.fundingPubkey, basepoints.remote.fundingPubkey];
  const [pubkey1, pubkey2] = compareBytes(first, second) <= 0 ? [second, first] : [first, second];
  return p2wsh(FUNDING_SCRIPT.build({ pubkey1, pubkey2 }));
}

/** What a signature of it covers. BIP 143. */
export function digestOf(commitment: Commitment, { sighashType = SIGHASH_ALL }: Departures): Bytes32 {
  const { fundingLock, terms } = commitment;
  return sighash(commitment.unsigned, 0, { lock: fundingLock, amount: terms.funding.amount }, sighashType);
}

/** The key that a signature of it is checked with. */
export function signerOf({ terms, keys }: Commitment, { signer = "fundingPubkey" }: Departures): Point {
  switch (signer) {
    case "ownerFundingPubkey":
      return keys.ownerFundingPubkey;
    case "htlcPubkey":
      return keys.countersignerHtlcPubkey;
    default:
      return terms.basepoints[opposite(terms.owner)][signer];
  }
}
