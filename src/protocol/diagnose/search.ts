import { type Bytes32, type Point, type Signature, equalBytes, toHex } from "../bytes.js";
import type { FundedChannel } from "../channel/state.js";
import { LnError } from "../errors.js";
import { isLowS, negateS } from "../keys/scalar.js";
import type { Commitment } from "../tx/commitment-tx.js";
import { baseFee } from "../tx/fees.js";
import { type HtlcTx, buildHtlcTxs } from "../tx/htlc-tx.js";
import { sighash, verifyHash } from "../tx/sign.js";
import { perKw } from "../units.js";
import type { Suspect } from "./suspect.js";
import { suspectsOf } from "./suspects.js";
import { delaySuspect, feerateSuspect } from "./values.js";
import { Builder, type Variant, digestOf, signerOf } from "./variant.js";

/** What is known of the signer's side: a signature, or the hash that it signed, by which a variant is recognised at once. */
export interface Evidence {
  readonly signature: Signature | null;
  readonly sighash: Bytes32 | null;
}

/** Differences under which the evidence fits, all of them together. */
export interface Explanation {
  readonly suspects: readonly Suspect[];
  /** The signer's commitment. */
  readonly commitment: Commitment;
}

/** Good as it stands; with a high S but good else; good for what the explanations say; or good for nothing that was tried. */
export type Verdict = "valid" | "high_s" | "explained" | "unexplained";

export interface Diagnosis {
  readonly verdict: Verdict;
  readonly explanations: readonly Explanation[];
  readonly tried: Tried;
}

export interface Tried {
  /** Single differences that were thought of. */
  readonly suspects: number;
  /** Commitments that were built. */
  readonly variants: number;
  /** Signatures that were checked: variants with the same bytes are checked once. */
  readonly signatures: number;
  readonly feerates: number;
  readonly pairs: number;
  /** False where a bound ended the search before everything was tried. */
  readonly complete: boolean;
}

export interface SearchLimits {
  /** The highest feerate that is tried. */
  readonly maxFeerate: bigint;
  /** The most commitments that are built. */
  readonly maxVariants: number;
}

/** A search that says how far it is, and in the end what it has found. */
export type Searching = Generator<Tried, Diagnosis, undefined>;
/** What comes of one difference or of two after the other: null where they do not explain it. */
type Trials = Generator<Explanation | null, void, undefined>;

/** The lowest feerate that a commitment has, but for 0. BOLT 2 §Updating Fees: `update_fee`. */
const MIN_FEERATE = 253n;

/**
 * Looks for what makes a commitment signature good that is not good for `base`: one difference, then any feerate and any delay, then two
 * differences at once. Of single differences all that explain it are found, since several may come to the same bytes; of pairs the first.
 */
export function diagnose(base: Variant, state: FundedChannel, evidence: Evidence, limits: SearchLimits): Diagnosis {
  return finished(searching(base, state, evidence, limits));
}

/** The same search a stretch at a time: how far it is after each. */
export function searching(base: Variant, state: FundedChannel, evidence: Evidence, limits: SearchLimits): Searching {
  return new Search(evidence, limits, checkCommitment).run(base, suspectsOf(base, state));
}

/** The same for the signature of one HTLC transaction, that of the HTLC `at` in output order, where the commitment's own is good. */
export function diagnoseHtlc(base: Variant, at: number, state: FundedChannel, evidence: Evidence, limits: SearchLimits): Diagnosis {
  return finished(searchingHtlc(base, at, state, evidence, limits));
}

/** The same a stretch at a time. */
export function searchingHtlc(base: Variant, at: number, state: FundedChannel, evidence: Evidence, limits: SearchLimits): Searching {
  const agreed = new Builder().build(base);
  return new Search(evidence, limits, checkHtlcTx(agreed, at)).run(base, suspectsOf(base, state));
}

function finished(search: Searching): Diagnosis {
  for (;;) {
    const { done, value } = search.next();
    if (done === true) return value;
  }
}

/** What a signature covers in a variant, and whose it is; null where the variant has no such thing. */
interface Signed {
  readonly digest: Bytes32;
  readonly signer: Point;
}
type Reading = (commitment: Commitment, variant: Variant) => Signed | null;

const checkCommitment: Reading = (commitment, { departures }) => ({
  digest: digestOf(commitment, departures),
  signer: signerOf(commitment, departures),
});

/** Both have the same commitment, so the HTLC transaction spends the same output of it. */
function checkHtlcTx(agreed: Commitment, at: number): Reading {
  const agreedTx = buildHtlcTxs(agreed)[at];
  const [input] = agreedTx?.unsigned.ins ?? [];
  return (commitment, { departures }) => {
    const htlcTx = buildHtlcTxs(commitment).find((candidate) => isSameHtlc(candidate, agreedTx));
    if (htlcTx === undefined || input === undefined) return null;
    const tx = htlcTx.unsigned.clone();
    for (const spending of tx.ins) Object.assign(spending, { hash: input.hash, index: input.index });
    const type = departures.sighashType ?? commitment.terms.format.htlcSighash;
    const signer = departures.signer === undefined ? commitment.keys.countersignerHtlcPubkey : signerOf(commitment, departures);
    return { digest: sighash(tx, 0, { lock: htlcTx.output.lock, amount: htlcTx.output.amount }, type), signer };
  };
}

function isSameHtlc({ output: { htlc } }: HtlcTx, other: HtlcTx | undefined): boolean {
  return htlc.id === other?.output.htlc.id && htlc.paymentHash === other.output.htlc.paymentHash;
}

class Search {
  private readonly builder = new Builder();
  private readonly highS: boolean;
  private readonly signature: Signature | null;
  private readonly sighash: Bytes32 | null;
  private readonly limits: SearchLimits;
  private readonly reading: Reading;
  private readonly seen = new Map<string, boolean>();
  private readonly counts = { variants: 0, signatures: 0, feerates: 0, pairs: 0, complete: true };

  constructor({ signature, sighash: hash }: Evidence, limits: SearchLimits, reading: Reading) {
    this.highS = signature !== null && !isLowS(signature);
    this.signature = signature !== null && this.highS ? negateS(signature) : signature;
    this.sighash = hash;
    this.limits = limits;
    this.reading = reading;
  }

  *run(base: Variant, suspects: readonly Suspect[]): Searching {
    const tried = (): Tried => ({ ...this.counts, suspects: suspects.length });
    const ended = (verdict: Verdict, explanations: readonly (Explanation | null)[] = []): Diagnosis => ({
      verdict,
      explanations: explanations.filter((one) => one !== null),
      tried: tried(),
    });
    if (this.explain(base, []) !== null) return ended(this.highS ? "high_s" : "valid");
    const single = suspects.map((suspect) => this.explain(base, [suspect])).filter((one) => one !== null);
    if (single.length > 0) return ended("explained", single);
    for (const trials of [this.feerates(base), this.delays(base), this.pairs(base, suspects)]) {
      for (const found of trials) {
        if (found !== null) return ended("explained", [found]);
        if (this.isExhausted()) return ended("unexplained");
        if (this.counts.variants % STRETCH === 0) yield tried();
      }
    }
    return ended("unexplained");
  }

  /** The explanation that these differences are, if the evidence fits them. */
  private explain(base: Variant, suspects: readonly Suspect[]): Explanation | null {
    let variant: Variant | null = base;
    for (const { apply } of suspects) variant = variant === null ? null : apply(variant);
    const commitment = variant === null ? null : this.build(variant);
    if (variant === null || commitment === null) return null;
    const signed = this.reading(commitment, variant);
    return signed !== null && this.fits(signed) ? { suspects, commitment } : null;
  }

  private fits({ digest, signer }: Signed): boolean {
    if (this.sighash !== null) return equalBytes(digest, this.sighash);
    if (this.signature === null) return false;
    const name = toHex(digest) + toHex(signer);
    const known = this.seen.get(name);
    if (known !== undefined) return known;
    const good = verifyHash(digest, signer, this.signature);
    this.counts.signatures += 1;
    this.seen.set(name, good);
    return good;
  }

  /** Every feerate that gives a commitment of its own. */
  private *feerates(base: Variant): Trials {
    const { spec, terms } = base;
    const trimsByFee = terms.format.htlcTimeoutFeeWeight > 0n;
    let last: bigint | null = null;
    for (let feerate = 0n; feerate <= this.limits.maxFeerate; feerate += feerate === 0n ? MIN_FEERATE : 1n) {
      const fee = baseFee(terms.format, perKw(feerate), spec.htlcs.length);
      if (fee === last && !trimsByFee) continue;
      last = fee;
      this.counts.feerates += 1;
      const [suspect] = feerateSuspect(spec.feeratePerKw, feerate);
      yield suspect === undefined ? null : this.explain(base, [suspect]);
    }
  }

  /** Every delay that a node would take. */
  private *delays(base: Variant): Trials {
    for (let delay = 0; delay <= MAX_DELAY; delay++) {
      const [suspect] = delaySuspect(base.terms.toSelfDelay, delay);
      yield suspect === undefined ? null : this.explain(base, [suspect]);
    }
  }

  /** Two differences at once, the likelier ones with each other first; then in the other order, which for some is not the same. */
  private *pairs(base: Variant, suspects: readonly Suspect[]): Trials {
    for (const reversed of [false, true]) {
      for (let sum = 1; sum < 2 * suspects.length - 2; sum++) {
        for (let at = Math.max(0, sum - suspects.length + 1); 2 * at < sum; at++) {
          const pair = [suspects[at], suspects[sum - at]].filter((suspect) => suspect !== undefined);
          this.counts.pairs += 1;
          yield this.explain(base, reversed ? pair.toReversed() : pair);
        }
      }
    }
  }

  private isExhausted(): boolean {
    if (this.counts.variants < this.limits.maxVariants) return false;
    this.counts.complete = false;
    return true;
  }

  /** Null for what can't be built: a key at infinity, a delay that no script can have. */
  private build(variant: Variant): Commitment | null {
    this.counts.variants += 1;
    try {
      return this.builder.build(variant);
    } catch (error) {
      if (error instanceof LnError && /^(key|script)-/.test(error.code)) return null;
      throw error;
    }
  }
}

/** Two weeks: longer ones are not agreed to. */
const MAX_DELAY = 2016;

/** How many commitments are built between two looks at the world. */
const STRETCH = 16;
