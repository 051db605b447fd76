declare const unit: unique symbol;
type Unit<Name extends string> = bigint & { readonly [unit]: Name };

/** Whole satoshis: what a transaction output can hold. */
export type Satoshi = Unit<"sat">;
/** Thousandths of a satoshi: what BOLT 2 balances and HTLCs are counted in. */
export type MilliSatoshi = Unit<"msat">;
/** Satoshis per 1000 weight units. */
export type FeeratePerKw = Unit<"per_kw">;
/** Weight units (BIP 141). */
export type Weight = Unit<"weight">;

export const sat = (value: bigint): Satoshi => value as Satoshi;
export const msat = (value: bigint): MilliSatoshi => value as MilliSatoshi;
export const perKw = (value: bigint): FeeratePerKw => value as FeeratePerKw;
export const weight = (value: bigint): Weight => value as Weight;

export const smaller = <Amount extends bigint>(a: Amount, b: Amount): Amount => (a < b ? a : b);
export const larger = <Amount extends bigint>(a: Amount, b: Amount): Amount => (a > b ? a : b);

export const MSAT_PER_SAT = 1000n;
export const SAT_PER_BTC = 100_000_000n;

/** The amount in satoshis, its millisatoshi remainder dropped. BOLT 3 §Commitment Transaction Outputs: amounts are rounded down. */
export function floorToSat(amount: MilliSatoshi): Satoshi {
  return sat(amount / MSAT_PER_SAT);
}

export function toMsat(amount: Satoshi): MilliSatoshi {
  return msat(amount * MSAT_PER_SAT);
}

/** `feerate * size / 1000`, rounded down. BOLT 3 §Fee Calculation. */
export function feeFor(feerate: FeeratePerKw, size: Weight): Satoshi {
  return sat((feerate * size) / 1000n);
}

/** The smallest whole fee whose feerate is not below `feerate`, for transactions whose fee we choose. */
export function feeAtLeast(feerate: FeeratePerKw, size: Weight): Satoshi {
  return sat((feerate * size + 999n) / 1000n);
}
