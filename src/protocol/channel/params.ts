import { type Bytes32, type Point, type ScriptPubkey, bytes32, fromHex, reversed } from "../bytes.js";
import { featureField, hasFeatureBit } from "../features.js";
import type { Basepoints } from "../keys/commitment-keys.js";
import type { CommitmentNumber } from "../keys/shachain.js";
import type { FeeratePerKw, MilliSatoshi, Satoshi } from "../units.js";

/**
 * What one side announced when the channel opened. `dustLimitSatoshis` holds for its own commitment; the other limits are
 * what it imposes on the peer. BOLT 2 §The `open_channel` Message.
 */
export interface PartyParams extends Basepoints {
  readonly dustLimitSatoshis: Satoshi;
  readonly maxHtlcValueInFlightMsat: MilliSatoshi;
  readonly channelReserveSatoshis: Satoshi;
  readonly htlcMinimumMsat: MilliSatoshi;
  readonly toSelfDelay: number;
  readonly maxAcceptedHtlcs: number;
  readonly upfrontShutdownScript: ScriptPubkey | null;
}

/** What this party accepts of a peer beyond what BOLT fixes; set when the channel opens, in every state file. */
export interface Limits {
  /** The lowest feerate agreed to, from either side. */
  readonly minFeeratePerKw: FeeratePerKw;
  readonly maxFeeratePerKw: FeeratePerKw;
  /** The longest delay that the peer may impose on us. */
  readonly maxToSelfDelay: number;
  /** The highest dust limit that the peer may have, or set for us by its reserve. */
  readonly maxDustLimitSatoshis: Satoshi;
  /** Most value that may stand in trimmed HTLCs of one commitment. BOLT 2 §Bounding exposure to trimmed in-flight HTLCs: `max_dust_htlc_exposure_msat`. */
  readonly maxDustHtlcExposureMsat: MilliSatoshi;
}

/** What two sides may agree on beside the channel type: how a mutual close is negotiated, and what it may pay to. */
export const FEATURES = ["option_shutdown_anysegwit", "option_simple_close"] as const;
export type Feature = (typeof FEATURES)[number];

/** The odd bit of each pair, by which a side says that it can. BOLT 9 §BOLT #9: Assigned Feature Flags. */
const FEATURE_BITS: Readonly<Record<Feature, number>> = { option_shutdown_anysegwit: 27, option_simple_close: 61 };

/** BOLT 9 §BOLT #9: Assigned Feature Flags. */
export function featuresField(features: readonly Feature[]): Uint8Array {
  return featureField(features.map((feature) => FEATURE_BITS[feature]));
}

/**
 * Those of a field that we know, by either bit of their pairs; option_simple_close counts only with what it depends on.
 * BOLT 9 §BOLT #9: Assigned Feature Flags.
 */
export function featuresOf(field: Uint8Array): readonly Feature[] {
  const found = FEATURES.filter((feature) => [FEATURE_BITS[feature], FEATURE_BITS[feature] - 1].some((bit) => hasFeatureBit(field, bit)));
  return found.includes("option_shutdown_anysegwit") ? found : [];
}

/** A per-commitment point with the number it is for. */
export interface NumberedPoint {
  readonly number: CommitmentNumber;
  readonly point: Point<"per_commitment">;
}

/** The chains by their genesis blocks, in the byte order of BOLT 2's chain_hash. */
export const CHAINS = ["bitcoin", "testnet4", "signet", "regtest"] as const;
export type Chain = (typeof CHAINS)[number];

/** The first block of each chain, by which messages name it, in display order. BOLT 0 §Glossary and Terminology Guide. */
const GENESIS: Readonly<Record<Chain, string>> = {
  bitcoin: "000000000019d6689c085ae165831e934ff763ae46a2a6c172b3f1b60a8ce26f",
  testnet4: "00000000da84f2bafbbc53dee25a72ae507ff4914b867c565be350b0da8bf043",
  signet: "00000008819873e925422c1ff0f99f7cc9bbb232af63a077a480a3633bee1ef6",
  regtest: "0f9188f13cb7b2c71f2a335e3a4fc328bf5beb436012afca590b1a11466e2206",
};

export function chainHash(chain: Chain): Bytes32 {
  return bytes32(reversed(fromHex(GENESIS[chain])));
}

/** BOLT 2 §Definition of `channel_id`: the funding txid with its last two bytes XORed with the output index. */
export function channelIdOf(fundingTxid: Uint8Array, outputIndex: number): Bytes32 {
  const id = Uint8Array.from(fundingTxid);
  id[30] = (id[30] ?? 0) ^ (outputIndex >> 8);
  id[31] = (id[31] ?? 0) ^ (outputIndex & 0xff);
  return id as Bytes32;
}
