import { type Bytes32, displayTxid, toHex } from "../protocol/bytes.js";
import { LnError } from "../protocol/errors.js";
import { type SecretNonce, aggregateKeys, sortKeys } from "../protocol/keys/musig2.js";
import type { Lock, TapLock } from "../protocol/script/assemble.js";
import { controlBlock, rootOf, tapLeafHash, tweakOf, xOnly } from "../protocol/script/taproot.js";
import type { Secret32 } from "../protocol/secret.js";
import type { Dual } from "../protocol/side.js";
import type { Commitment } from "../protocol/tx/commitment-tx.js";
import { type HtlcTx, buildHtlcTxs } from "../protocol/tx/htlc-tx.js";
import { type CommitmentOutput, isHtlcOutput } from "../protocol/tx/outputs.js";
import {
  aggregateShares,
  commitmentSigning,
  completeTaprootCommitment,
  completeTaprootHtlcTx,
  signCommitmentShare,
  signTaprootHtlcTx,
  taprootHtlcSighash,
  withSighashType,
} from "../protocol/tx/sign-taproot.js";
import { integer } from "./case.js";
import { within } from "./musig2-reasons.js";
import { type Vector, expectedOf } from "./vector.js";
import {
  CASE_INPUTS,
  type CaseGiven,
  HTLC_INPUTS,
  type WorkedChannel,
  buildCase,
  caseHtlcOf,
  deriveRemainder,
  deriveTrimmed,
  requirePreimages,
} from "./worked-channel.js";

/** Secrets: what both sides sign one commitment with. */
export type Nonces = Dual<SecretNonce>;

interface RawCase {
  readonly expected: Readonly<Record<string, unknown>>;
  readonly htlcs: readonly object[];
}

export interface RawDocument {
  readonly channel: object;
  readonly keys: Readonly<Record<string, object>>;
  readonly cases: readonly RawCase[];
}

export function expectedCommon(raw: RawDocument, channelInputs: readonly string[]) {
  return {
    channel: expectedOf(raw.channel, channelInputs),
    ...("funding_output" in raw ? { funding_output: raw.funding_output } : {}),
  };
}

export function fundingLock({ format, basepoints }: WorkedChannel["terms"]): TapLock {
  return tapLock(format.funding(basepoints.local.fundingPubkey, basepoints.remote.fundingPubkey));
}

export function deriveFundingOutput({ terms }: WorkedChannel) {
  const pubkeys = sortKeys([terms.basepoints.local.fundingPubkey, terms.basepoints.remote.fundingPubkey]);
  const lock = fundingLock(terms);
  return {
    sorted_pubkeys: pubkeys.map(toHex),
    aggregate_key: toHex(aggregateKeys(pubkeys)),
    internal_key_xonly: toHex(lock.internalKey),
    tap_tweak: toHex(tweakOf(lock)),
    output_key: toHex(xOnly(lock.outputKey)),
    script_pubkey: toHex(lock.scriptPubkey),
  };
}

/** Throws: internal-lock. */
export function tapLock(lock: Lock): TapLock {
  if (lock.kind === "p2tr") return lock;
  throw new LnError("internal-lock", "an output that is not P2TR", {});
}

export function deriveTree(lock: TapLock) {
  const root = rootOf(lock.leaves);
  return {
    internal_key: toHex(lock.internalKey),
    leaves: lock.leaves.map((leaf) => ({
      name: leaf.name,
      script: toHex(leaf.script),
      leaf_hash: toHex(tapLeafHash(leaf)),
      control_block: toHex(controlBlock(lock, leaf)),
    })),
    merkle_root: root === null ? null : toHex(root),
    tap_tweak: toHex(tweakOf(lock)),
    output_key: toHex(xOnly(lock.outputKey)),
    output_key_odd: lock.outputKey[0] === 3,
    script_pubkey: toHex(lock.scriptPubkey),
  };
}

type Given = CaseGiven & { readonly name: string };

export function caseVector(
  channel: WorkedChannel,
  given: Given,
  at: number,
  raw: RawCase | undefined,
  noncesFor: (commitment: Commitment) => Nonces,
): Vector {
  const simpleTaproot = channel.terms.format.channelType === "simple_taproot";
  const stated = simpleTaproot ? [] : ["local_secnonce", "remote_secnonce"];
  requirePreimages(given.htlcs, (place) => `cases[${at}].htlcs[${place}].preimage`);
  return {
    id: given.name,
    path: ["cases", at],
    expected: {
      ...expectedOf(raw, CASE_INPUTS),
      htlcs: raw?.htlcs.map((htlc) => expectedOf(htlc, HTLC_INPUTS)),
      expected: expectedOf(raw?.expected, stated),
    },
    derived: within(["cases", at], () => deriveCase(channel, given, noncesFor)),
    decisive: { what: "the commitment", path: ["expected", "txid"] },
    followsFrom: FOLLOWS_FROM,
  };
}

/** Signatures of BIP 340 without chance: the vectors' own. */
const NO_AUXILIARY = new Uint8Array(32);

/** Secrets in, and out. */
function deriveCase(channel: WorkedChannel, given: Given, noncesFor: (commitment: Commitment) => Nonces) {
  const { terms, funding, htlc: htlcSecrets } = channel;
  const commitment = buildCase(channel, given);

  const nonces = noncesFor(commitment);
  const secret = { local: toHex(nonces.local.reveal()), remote: toHex(nonces.remote.reveal()) };
  const publicNonces = { local: nonces.local.toPublic(), remote: nonces.remote.toPublic() };
  const signing = commitmentSigning(commitment, { owner: publicNonces.local, countersigner: publicNonces.remote });
  const shares = {
    owner: signCommitmentShare(signing, nonces.local, funding.local),
    countersigner: signCommitmentShare(signing, nonces.remote, funding.remote),
  };
  const signature = aggregateShares(signing, shares);
  return {
    htlcs: deriveTrimmed(commitment, given),
    expected: {
      ...(terms.format.hasFeerate ? { base_fee_sat: integer(commitment.baseFee) } : deriveRemainder(commitment)),
      outputs: commitment.outputs.map((output, vout) => ({
        vout,
        role: roleOf(output),
        ...(output.lock.kind === "p2tr" ? deriveTree(output.lock) : { script_pubkey: toHex(output.lock.scriptPubkey) }),
        ...(isHtlcOutput(output) ? { htlc_id: caseHtlcOf(given.htlcs, output)?.id } : {}),
        amount_sat: integer(output.amount),
      })),
      unsigned_tx: commitment.unsigned.toHex(),
      txid: displayTxid(commitment.txid),
      sighash: toHex(signing.sighash),
      local_secnonce: secret.local,
      local_pubnonce: toHex(publicNonces.local),
      remote_secnonce: secret.remote,
      remote_pubnonce: toHex(publicNonces.remote),
      aggregate_nonce: toHex(signing.session.aggregateNonce),
      local_partial_signature: toHex(shares.owner),
      remote_partial_signature: toHex(shares.countersigner),
      aggregate_signature: toHex(signature),
      signed_tx: completeTaprootCommitment(commitment, signature).toHex(),
      htlc_txs: buildHtlcTxs(commitment).map((htlcTx) => ({
        htlc_id: caseHtlcOf(given.htlcs, htlcTx.output)?.id,
        ...deriveHtlcTx(htlcTx, htlcSecrets, caseHtlcOf(given.htlcs, htlcTx.output)?.preimage ?? null),
      })),
    },
  };
}

/** Secrets in. The proposal's file prints the remote signature with its type behind it. */
function deriveHtlcTx(htlcTx: HtlcTx, secrets: Dual<Secret32<"htlc_basepoint">>, preimage: Bytes32 | null) {
  const { channelType, htlcSighash } = htlcTx.commitment.terms.format;
  const local = signTaprootHtlcTx(htlcTx, "owner", secrets.local, NO_AUXILIARY);
  const remote = signTaprootHtlcTx(htlcTx, "countersigner", secrets.remote, NO_AUXILIARY);
  return {
    kind: htlcTx.kind,
    vout_spent: htlcTx.outputIndex,
    sighash_remote_0x83: toHex(taprootHtlcSighash(htlcTx, "countersigner")),
    remote_signature: toHex(channelType === "simple_taproot" ? remote : withSighashType(remote, htlcSighash)),
    sighash_local_default: toHex(taprootHtlcSighash(htlcTx, "owner")),
    local_signature: toHex(local),
    tx: completeTaprootHtlcTx(htlcTx, local, remote, htlcTx.kind === "htlc_success" ? preimage : null).toHex(),
  };
}

/** What these files call an output. */
function roleOf({ kind }: CommitmentOutput): string {
  return kind.replace(/^to_(local|remote)_anchor$/, "$1_anchor");
}

const OF_TREE = "the keys that the output's scripts name, to_self_delay, the payment hash, the expiry";
const OF_COMMITMENT = "the funding outpoint, commitment_number, local_is_opener, both payment basepoints, and all outputs";
const OF_SIGHASH = `the funding output's script and amount, ${OF_COMMITMENT}`;
const OF_SESSION = `both nonces, both funding keys, the sighash: ${OF_SIGHASH}`;
export const FOLLOWS_FROM: Readonly<Record<string, string>> = {
  channel: "both payment basepoints, local_is_opener, commitment_number; both funding keys and funding_amount_sat",
  keys: "seed and labels, or the secrets; the per-commitment point",
  nums_point: "nothing: it is agreed on",
  funding_output: "both funding keys",
  nonce_derivation: "shachain_root, commitment_number, local_funding; seed",
  internal_key: OF_TREE,
  leaves: OF_TREE,
  merkle_root: OF_TREE,
  tap_tweak: OF_TREE,
  output_key: OF_TREE,
  output_key_odd: OF_TREE,
  script_pubkey: OF_TREE,
  htlcs: "the amounts of the HTLCs, dust_limit_sat",
  base_fee_sat: "feerate_per_kw, how many HTLCs are untrimmed",
  trimmed_and_rounded_sat: "the funding less all outputs that are no anchors",
  shared_anchor_sat: "the funding less all other outputs, 240 at most",
  fee_sat: "the funding less all outputs",
  outputs: "balances, HTLCs, the feerate, local_is_opener, dust_limit_sat, to_self_delay and the keys",
  unsigned_tx: OF_COMMITMENT,
  txid: OF_COMMITMENT,
  sighash: OF_SIGHASH,
  local_secnonce: "shachain_root, commitment_number, local_funding",
  local_pubnonce: "local_secnonce",
  remote_secnonce: "seed, remote_funding, the commitment's txid",
  remote_pubnonce: "remote_secnonce",
  aggregate_nonce: "both nonces",
  local_partial_signature: `local_funding; ${OF_SESSION}`,
  remote_partial_signature: `remote_funding; ${OF_SESSION}`,
  aggregate_signature: `both partial signatures; ${OF_SESSION}`,
  signed_tx: `${OF_COMMITMENT}; both partial signatures`,
  htlc_txs: "the commitment's txid and HTLC outputs, to_self_delay, both HTLC keys, the preimages",
};
