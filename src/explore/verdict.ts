import { fromHex, toHex } from "../protocol/bytes.js";
import { type ClosingTx, closingAmount } from "../protocol/tx/closing-tx.js";
import type { Commitment } from "../protocol/tx/commitment-tx.js";
import { isAnchorOutput, isHtlcOutput } from "../protocol/tx/outputs.js";
import type { Htlc } from "../protocol/tx/spec.js";
import type { Side } from "../protocol/side.js";
import { type Chain, type Coin, type Confirmed, idOf, scriptHex } from "./chain.js";
import type { Grip, Spending } from "./grip.js";
import { type Keyring, waysToSpend } from "./keyring.js";
import { type Ledger, entitlement, knowing } from "./ledger.js";
import { type Situation, preimagesIn } from "./watch.js";

/** How a loss came about: taken by the adversary, locked where nobody can leave alone, or gone to the miners. */
export type LossKind = "theft" | "hostage" | "grief";
/** `waits`: who has lost state may not leave alone, and nothing is taken from it while the other does not either. BOLT 2 §Message Retransmission. */
export type Verdict = "safe" | "waits" | LossKind;

/** What a party pays or loses without being robbed, in msat: each has its own cause, and nothing else may be missing. */
export interface Terms {
  /** The commitment's fee and anchors, which the opener pays. */
  readonly commitmentMsat: bigint;
  /** A mutual close's fee, as far as we agreed to pay it. */
  readonly closingMsat: bigint;
  /** Balances and HTLCs below the dust limit; of our own offers no more than we allow ourselves. */
  readonly dustMsat: bigint;
  /** Parts of a satoshi. */
  readonly roundingMsat: bigint;
  /** Fees of its own transactions, and of the cheater's on what a penalty took back. */
  readonly spendingMsat: bigint;
}

export interface Result {
  readonly verdict: Verdict;
  readonly entitledMsat: bigint;
  readonly terms: Terms;
  /** Confirmed outputs that the honest side's own keys can spend, in satoshis; and the adversary's. */
  readonly honestSat: bigint;
  readonly adversarySat: bigint;
  /** Outputs that neither can spend alone. */
  readonly lockedSat: bigint;
  readonly missingMsat: bigint;
  readonly chain: Chain;
}

export interface Scene {
  readonly chain: Chain;
  readonly funding: Coin;
  readonly ledger: Ledger;
  /** Whether the honest side has lost state. */
  readonly restored: boolean;
  /** Below which a mutual close may leave an output out. */
  readonly dustLimit: bigint;
  /** The most that the honest side's offers may come to in trimmed HTLCs. */
  readonly maxDustExposureMsat: bigint;
  /** On what spent the funding output, or null where nothing did. */
  readonly grip: Grip | null;
  readonly wallets: { readonly honest: Uint8Array; readonly adversary: Uint8Array };
  /** What the honest side has handed out, and the preimages that this has shown, in hex. */
  readonly handedOut: Pick<Situation, "own" | "shown">;
}

/** Judges what the chain holds when nobody has anything left to do. */
export function judgeEnd(scene: Scene): Result {
  const { chain, funding, grip, wallets } = scene;
  const own = ({ script }: Coin, wallet: Uint8Array) => scriptHex(script) === scriptHex(wallet);
  const canTake = (ring: Keyring | undefined, { script }: Coin) => ring !== undefined && waysToSpend(ring, script).length > 0;
  let [honestSat, adversarySat, lockedSat] = [0n, 0n, 0n];
  for (const coin of family(chain, funding)) {
    // What both could still take, the adversary takes
    if (own(coin, wallets.adversary) || (!own(coin, wallets.honest) && canTake(grip?.adversary, coin))) adversarySat += coin.amount;
    else if (own(coin, wallets.honest) || canTake(grip?.honest, coin)) honestSat += coin.amount;
    else lockedSat += coin.amount;
  }
  const published = grip?.spending;
  const ledger = onChain(scene);
  const revoked =
    published?.kind === "commitment" && published.commitment.terms.owner === "remote" && published.commitment.number < ledger.revocationsHeld;
  const entitledMsat = revoked ? funding.amount * 1000n : entitlement(ledger);
  const terms =
    published === undefined
      ? NO_TERMS
      : published.kind === "closing"
        ? closingTerms(scene, published.closing, ledger)
        : termsOf(scene, published.commitment, ledger, revoked);
  const missingMsat = entitledMsat - sumOf(terms) - honestSat * 1000n;
  const waits = scene.restored && grip === null;
  const verdict =
    missingMsat <= 0n
      ? "safe"
      : waits
        ? "waits"
        : lockedSat * 1000n >= missingMsat
          ? "hostage"
          : isTheft(scene, adversarySat - anchorsIn(published, revoked), entitledMsat)
            ? "theft"
            : "grief";
  return {
    verdict,
    entitledMsat,
    terms,
    honestSat,
    adversarySat,
    lockedSat,
    missingMsat: missingMsat > 0n && !waits ? missingMsat : 0n,
    chain,
  };
}

/** What the adversary may have of anchors that the honest side has paid for: a term, whoever takes them. */
function anchorsIn(published: Spending | undefined, revoked: boolean): bigint {
  if (published?.kind !== "commitment") return 0n;
  const { opener, format } = published.commitment.terms;
  return revoked || opener === "local" ? format.anchorsCost : 0n;
}

/** The adversary has more than what the honest side was not owed. */
function isTheft({ funding }: Scene, adversarySat: bigint, entitledMsat: bigint): boolean {
  return adversarySat * 1000n > funding.amount * 1000n - entitledMsat;
}

const NO_TERMS: Terms = { commitmentMsat: 0n, closingMsat: 0n, dustMsat: 0n, roundingMsat: 0n, spendingMsat: 0n };

export function sumOf({ commitmentMsat, closingMsat, dustMsat, roundingMsat, spendingMsat }: Terms): bigint {
  return commitmentMsat + closingMsat + dustMsat + roundingMsat + spendingMsat;
}

/** Unspent outputs that come from the funding output, itself included. */
function family(chain: Chain, funding: Coin): readonly Coin[] {
  const ids = new Set(chain.confirmed.map(({ txid }) => txid));
  return [...chain.coins.values()].filter((coin) => ids.has(coin.txid) || (coin.txid === funding.txid && coin.index === funding.index));
}

/** The ledger with the preimages that the chain, or what was to go there, has shown. */
function onChain({ ledger, chain, handedOut: { own, shown } }: Scene): Ledger {
  const theirs = chain.confirmed.filter(({ txid }) => !own.has(txid)).flatMap(({ tx }) => preimagesIn(tx));
  return knowing(ledger, theirs.map(fromHex), [...shown].map(fromHex));
}

const floor = (msat: bigint): bigint => msat / 1000n;
const fraction = (msat: bigint): bigint => msat % 1000n;

function termsOf(scene: Scene, commitment: Commitment, ledger: Ledger, revoked: boolean): Terms {
  const {
    chain,
    handedOut: { own },
    maxDustExposureMsat,
  } = scene;
  const { terms, spec, baseFee, trimmedHtlcs, outputs, actualFee } = commitment;
  const fees = (each: readonly Confirmed[]): bigint =>
    each.reduce(
      (total, { tx, spent }) => spent.reduce((sum, { amount }) => sum + amount, total) - tx.outs.reduce((sum, { value }) => sum + value, 0n),
      0n,
    );
  const later = chain.confirmed.filter(({ tx }) => idOf(tx) !== idOf(commitment.unsigned));
  const spendingMsat = 1000n * fees(revoked ? later : later.filter(({ txid }) => own.has(txid)));
  if (revoked) {
    const anchors = outputs.filter(isAnchorOutput);
    const anchorsSat = anchors.reduce((sum, { amount }) => sum + amount, 0n);
    return { ...NO_TERMS, commitmentMsat: 1000n * (actualFee + anchorsSat), spendingMsat };
  }
  const costs = terms.opener === "local" ? baseFee + terms.format.anchorsCost : 0n;
  const balance = floor(spec.balances.local);
  const commitmentMsat = 1000n * (costs < balance ? costs : balance);
  const kept = balance - commitmentMsat / 1000n;
  const ours = (htlc: Htlc): boolean =>
    htlc.offeredBy === "local" ? !ledger.learned.has(toHex(htlc.paymentHash)) : ledger.revealed.has(toHex(htlc.paymentHash));
  const trimmed = (by: Side): bigint =>
    trimmedHtlcs.filter((htlc) => htlc.offeredBy === by && ours(htlc)).reduce((sum, { amountMsat }) => sum + amountMsat, 0n);
  const offered = trimmed("local");
  const dust = (kept < terms.dustLimit ? kept : 0n) * 1000n + trimmed("remote") + (offered < maxDustExposureMsat ? offered : maxDustExposureMsat);
  const untrimmed = outputs.filter(isHtlcOutput).map(({ htlc }) => htlc);
  const roundingMsat = fraction(spec.balances.local) + untrimmed.filter(ours).reduce((sum, { amountMsat }) => sum + fraction(amountMsat), 0n);
  return { ...NO_TERMS, commitmentMsat, dustMsat: dust, roundingMsat, spendingMsat };
}

/** Of a mutual close: the fee that our own messages named, and an output that is too small to be one. */
function closingTerms({ dustLimit }: Scene, { plan, outputs }: ClosingTx, { closingFeeSat }: Ledger): Terms {
  const fee = plan.payer === "local" ? (plan.feeSatoshis < closingFeeSat ? plan.feeSatoshis : closingFeeSat) : 0n;
  const left = outputs.some(({ side }) => side === "local") ? 0n : closingAmount(plan, "local");
  return {
    ...NO_TERMS,
    closingMsat: fee * 1000n,
    dustMsat: left > 0n && left < dustLimit ? left * 1000n : 0n,
    roundingMsat: fraction(plan.balances.local),
  };
}
