import { sha256 } from "@noble/hashes/sha2.js";
import { type ValueOf, anyObject, anything, boolean, list, literal, oneOf, record, text } from "../json/codec.js";
import { decode } from "../json/decode.js";
import { type Shape, fields, optional } from "../json/fields.js";
import * as json from "../json/primitives.js";
import { type Bytes32, type Point, concat, displayTxid, equalBytes, fromHex, toHex, txid } from "../protocol/bytes.js";
import { LnError } from "../protocol/errors.js";
import type { Basepoints, CommitmentKeys } from "../protocol/keys/commitment-keys.js";
import { deriveRevocationSecret, deriveSecret, publicKey } from "../protocol/keys/derivation.js";
import { SecretNonce, aggregateKeys, generateNonce, sortKeys } from "../protocol/keys/musig2.js";
import { MAX_COMMITMENT_NUMBER } from "../protocol/keys/shachain.js";
import { verificationNonce, verificationNonceRand, verificationNonceRoot } from "../protocol/keys/verification-nonce.js";
import type { Lock, TapLock } from "../protocol/script/assemble.js";
import { controlBlock, rootOf, tapLeafHash, tweakOf, xOnly } from "../protocol/script/taproot.js";
import { NUMS_POINT } from "../protocol/script/taproot-outputs.js";
import { Secret32, type SecretRole } from "../protocol/secret.js";
import type { Dual } from "../protocol/side.js";
import type { TaprootType } from "../protocol/tx/channel-type.js";
import { obscuringFactor } from "../protocol/tx/commitment-number.js";
import { type Commitment, type CommitmentTerms, buildCommitmentOf } from "../protocol/tx/commitment-tx.js";
import { FORMATS } from "../protocol/tx/format.js";
import { type HtlcTx, buildHtlcTxs } from "../protocol/tx/htlc-tx.js";
import { type CommitmentOutput, isAnchorOutput, isHtlcOutput } from "../protocol/tx/outputs.js";
import { parseTransaction } from "../protocol/tx/parse.js";
import { commitmentKeysOf } from "../protocol/tx/recognise.js";
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
import { type FeeratePerKw, type Satoshi, perKw, sat } from "../protocol/units.js";
import { hex48, integer, shown } from "./case.js";
import { isObject } from "./compare.js";
import { within } from "./musig2-reasons.js";
import { type Vector, type VectorSet, expectedOf } from "./vector.js";

const derivedValue = optional(anything);

const secretKey = <Role extends SecretRole>(role: Role) => fields({ secret: json.secret<Role>(role), pubkey: derivedValue });

/** The keys that both files have. `local` is the owner. */
const sharedKeys = {
  local_funding: secretKey("funding"),
  remote_funding: secretKey("funding"),
  local_payment_basepoint: secretKey("payment_basepoint"),
  remote_payment_basepoint: secretKey("payment_basepoint"),
  local_delayed_payment_basepoint: secretKey("delayed_payment_basepoint"),
  local_htlc_basepoint: secretKey("htlc_basepoint"),
  remote_htlc_basepoint: secretKey("htlc_basepoint"),
  derived: derivedValue,
};

const sharedChannel = {
  funding_txid: json.txid,
  funding_vout: json.u16,
  funding_amount_sat: json.satoshi,
  commitment_number: json.commitmentNumber,
  to_self_delay: json.u16,
  local_is_opener: boolean,
  obscured_commitment_number_hex: derivedValue,
};

const caseOf = <const More extends Shape>(more: More) =>
  list(
    fields({
      name: text,
      to_local_msat: json.millisatoshi,
      to_remote_msat: json.millisatoshi,
      htlcs: list(
        fields({
          id: json.u32,
          direction: oneOf(["offered", "received"]),
          amount_msat: json.millisatoshi,
          cltv_expiry: json.u32,
          payment_hash: json.bytes32,
          preimage: json.bytes32,
          trimmed: derivedValue,
        }),
      ),
      expected: anyObject,
      ...more,
    }),
  );
const CASE_INPUTS = ["name", "feerate_per_kw", "dust_limit_sat", "to_local_msat", "to_remote_msat"];
const HTLC_INPUTS = ["id", "direction", "amount_msat", "cltv_expiry", "payment_hash", "preimage"];

const simple = fields({
  about: anyObject,
  channel: fields({ ...sharedChannel, funding_tx: json.hexBytes, default_dust_limit_sat: json.satoshi }),
  keys: fields({
    ...sharedKeys,
    seed: json.bytes32,
    derivation: text,
    labels: record(text),
    remote_revocation_basepoint: secretKey("revocation_basepoint"),
    local_per_commitment: secretKey("per_commitment"),
  }),
  nums_point: derivedValue,
  funding_output: derivedValue,
  nonce_derivation: fields({
    local_verification: fields({
      how: text,
      note: text,
      shachain_root: json.bytes32,
      nonce_root: derivedValue,
      shachain_index: derivedValue,
      leaf: derivedValue,
      secnonce: derivedValue,
      pubnonce: derivedValue,
    }),
    remote_jit_signing: fields({ how: text, rand: derivedValue }),
  }),
  script_trees: list(
    fields({
      role: text,
      internal_key: derivedValue,
      leaves: derivedValue,
      merkle_root: derivedValue,
      tap_tweak: derivedValue,
      output_key: derivedValue,
      output_key_odd: derivedValue,
      script_pubkey: derivedValue,
      inputs: optional(
        fields({
          payment_hash: json.bytes32,
          cltv_expiry: optional(json.u32),
          receiver_key: optional(json.point("htlcpubkey")),
          sender_key: optional(json.point("htlcpubkey")),
        }),
      ),
    }),
  ),
  cases: caseOf({ feerate_per_kw: json.feeratePerKw, dust_limit_sat: optional(json.satoshi) }),
});

const zeroFee = fields({
  about: anyObject,
  channel: fields({ ...sharedChannel, feerate_per_kw: literal(0) }),
  keys: fields({
    ...sharedKeys,
    remote_revocation_basepoint: fields({ pubkey: json.point("revocation_basepoint") }),
    per_commitment: fields({ point: json.point("per_commitment") }),
  }),
  funding_output: derivedValue,
  cases: caseOf({ dust_limit_sat: json.satoshi }),
});

type Simple = ValueOf<typeof simple>;
type ZeroFee = ValueOf<typeof zeroFee>;
type Case = ZeroFee["cases"][number];

const ABOUT: Readonly<Record<TaprootType, RegExp>> = {
  simple_taproot: /^option_simple_taproot\b/,
  taproot_zero_fee_commitments: /^taproot_zero_fee_commitments\b/,
};

/** Which of the two a document is about; null for neither. */
export function taprootTypeOf({ about }: Readonly<Record<string, unknown>>): TaprootType | null {
  const format = isObject(about) ? about["format"] : undefined;
  if (typeof format !== "string") return null;
  return ABOUT.simple_taproot.test(format)
    ? "simple_taproot"
    : ABOUT.taproot_zero_fee_commitments.test(format)
      ? "taproot_zero_fee_commitments"
      : null;
}

/** One channel, as far as its owner's transactions need it. Secrets: both sides'. */
interface Channel {
  readonly terms: Omit<CommitmentTerms, "dustLimit">;
  readonly number: number;
  readonly keys: CommitmentKeys;
  readonly funding: Dual<Secret32<"funding">>;
  readonly htlc: Dual<Secret32<"htlc_basepoint">>;
}

interface ChannelGiven {
  readonly channel: Simple["channel"] | ZeroFee["channel"];
  readonly keys: Pick<ZeroFee["keys"], "localFunding" | "remoteFunding" | "localPaymentBasepoint" | "remotePaymentBasepoint"> &
    Pick<ZeroFee["keys"], "localDelayedPaymentBasepoint" | "localHtlcBasepoint" | "remoteHtlcBasepoint">;
  readonly revocationBasepoint: Point<"revocation_basepoint">;
  readonly perCommitmentPoint: Point<"per_commitment">;
}

/** Secrets in. The file gives neither the owner's revocation basepoint nor the other's delayed one, which are in no transaction: other points stand in. */
function channelOf(type: TaprootType, { channel, keys: given, revocationBasepoint, perCommitmentPoint }: ChannelGiven): Channel {
  const funding = { local: given.localFunding.secret, remote: given.remoteFunding.secret };
  const payment = { local: given.localPaymentBasepoint.secret, remote: given.remotePaymentBasepoint.secret };
  const htlc = { local: given.localHtlcBasepoint.secret, remote: given.remoteHtlcBasepoint.secret };
  const points = (side: "local" | "remote"): Basepoints => ({
    fundingPubkey: publicKey(funding[side]),
    revocationBasepoint,
    paymentBasepoint: publicKey(payment[side]),
    delayedPaymentBasepoint: publicKey(given.localDelayedPaymentBasepoint.secret),
    htlcBasepoint: publicKey(htlc[side]),
  });
  const terms: Channel["terms"] = {
    format: FORMATS[type],
    owner: "local",
    opener: channel.localIsOpener ? "local" : "remote",
    basepoints: { local: points("local"), remote: points("remote") },
    funding: { txid: channel.fundingTxid, outputIndex: channel.fundingVout, amount: channel.fundingAmountSat },
    toSelfDelay: channel.toSelfDelay,
  };
  return { terms, number: channel.commitmentNumber, keys: commitmentKeysOf({ ...terms, dustLimit: sat(0n) }, perCommitmentPoint), funding, htlc };
}

/** Secrets: what both sides sign one commitment with. */
type Nonces = Dual<SecretNonce>;

interface RawCase {
  readonly expected: Readonly<Record<string, unknown>>;
  readonly htlcs: readonly object[];
}

interface RawDocument {
  readonly channel: object;
  readonly keys: Readonly<Record<string, object>>;
  readonly cases: readonly RawCase[];
}

/** option_simple_taproot. Secrets in, and out: this layout publishes them. */
export function readSimpleTaproot(value: unknown, source: string): VectorSet {
  const read = decode(simple, value, source);
  const { keys: given, channel: stated } = read;
  const { localVerification } = read.nonceDerivation;
  const channel = channelOf("simple_taproot", {
    channel: stated,
    keys: given,
    revocationBasepoint: publicKey(given.remoteRevocationBasepoint.secret),
    perCommitmentPoint: publicKey(given.localPerCommitment.secret),
  });
  const shachainRoot = new Secret32(localVerification.shachainRoot);
  const ownNonce = verificationNonce(shachainRoot, channel.number, channel.keys.ownerFundingPubkey);
  const jitRand = sha256(concat(given.seed, ascii("remote-signing-rand")));
  const noncesFor = (commitment: Commitment): Nonces => ({
    local: verificationNonce(shachainRoot, channel.number, channel.keys.ownerFundingPubkey),
    remote: generateNonce({ rand: new Secret32(jitRand), pubkey: channel.keys.countersignerFundingPubkey, extraInput: commitment.txid }),
  });

  const raw = value as RawDocument & {
    readonly nums_point?: unknown;
    readonly nonce_derivation: { readonly local_verification: object; readonly remote_jit_signing: object };
    readonly script_trees: readonly object[];
  };
  return {
    common: [
      {
        id: "common",
        path: [],
        expected: {
          ...expectedCommon(raw, [...CHANNEL_INPUTS, "default_dust_limit_sat"]),
          keys: expectedOf(raw.keys, ["seed", "derivation", "labels"]),
          ...("nums_point" in raw ? { nums_point: raw.nums_point } : {}),
          nonce_derivation: {
            local_verification: expectedOf(raw.nonce_derivation.local_verification, ["how", "note"]),
            remote_jit_signing: expectedOf(raw.nonce_derivation.remote_jit_signing, ["how"]),
          },
        },
        derived: {
          channel: { ...deriveChannel(channel), ...deriveFundingTx(stated.fundingTx, channel) },
          keys: {
            ...Object.fromEntries(Object.entries(given.labels).map(([name, label]) => [name, labelledKey(given.seed, label)] as const)),
            derived: {
              ...deriveKeys(channel, given.localDelayedPaymentBasepoint.secret),
              revocation_secret: shown(deriveRevocationSecret(given.remoteRevocationBasepoint.secret, given.localPerCommitment.secret)),
            },
          },
          funding_output: deriveFundingOutput(channel),
          nums_point: toHex(NUMS_POINT),
          nonce_derivation: {
            local_verification: {
              // As the vectors were made: the per-commitment secret in the root's place
              shachain_root: shown(given.localPerCommitment.secret),
              nonce_root: shown(verificationNonceRoot(shachainRoot)),
              shachain_index: String(MAX_COMMITMENT_NUMBER - channel.number),
              leaf: shown(verificationNonceRand(shachainRoot, channel.number)),
              secnonce: toHex(ownNonce.reveal()),
              pubnonce: toHex(ownNonce.toPublic()),
            },
            remote_jit_signing: { rand: toHex(jitRand) },
          },
        },
        followsFrom: FOLLOWS_FROM,
      },
    ],
    cases: [
      ...read.scriptTrees.map((tree, at): Vector => ({
        id: tree.role,
        path: ["script_trees", at],
        expected: expectedOf(raw.script_trees[at], ["role", "inputs"]),
        derived: deriveTree(treeOf(tree, channel, `script_trees[${at}]`)),
        followsFrom: FOLLOWS_FROM,
      })),
      ...read.cases.map((one, at) => {
        const dustLimit = one.dustLimitSat ?? stated.defaultDustLimitSat;
        return caseVector(channel, { ...one, dustLimit }, at, raw.cases[at], noncesFor);
      }),
    ],
  };
}

/** taproot_zero_fee_commitments, a proposal. Secrets in, and out: this layout publishes them. */
export function readTaprootZeroFee(value: unknown, source: string): VectorSet {
  const { channel: stated, keys: given, cases } = decode(zeroFee, value, source);
  const channel = channelOf("taproot_zero_fee_commitments", {
    channel: stated,
    keys: given,
    revocationBasepoint: given.remoteRevocationBasepoint.pubkey,
    perCommitmentPoint: given.perCommitment.point,
  });
  const raw = value as RawDocument;
  return {
    common: [
      {
        id: "common",
        path: [],
        expected: {
          ...expectedCommon(raw, [...CHANNEL_INPUTS, "funding_txid", "feerate_per_kw"]),
          keys: Object.fromEntries(
            Object.entries(expectedOf(raw.keys, ["remote_revocation_basepoint", "per_commitment"])).map(([name, key]) => [
              name,
              name === "derived" ? key : expectedOf(key, ["secret"]),
            ]),
          ),
        },
        derived: {
          channel: deriveChannel(channel),
          keys: {
            ...Object.fromEntries(Object.entries(pubkeysOf(channel)).map(([name, pubkey]) => [name, { pubkey }])),
            derived: deriveKeys(channel, given.localDelayedPaymentBasepoint.secret),
          },
          funding_output: deriveFundingOutput(channel),
        },
        followsFrom: FOLLOWS_FROM,
      },
    ],
    cases: cases.map((one, at) => {
      const rawCase = raw.cases[at];
      // How its nonces were made, nobody says
      const nonceOf = (key: string): SecretNonce => statedNonce(rawCase?.expected[key], `cases[${at}].expected.${key}`);
      return caseVector(channel, { ...one, feeratePerKw: perKw(0n), dustLimit: one.dustLimitSat }, at, rawCase, () => ({
        local: nonceOf("local_secnonce"),
        remote: nonceOf("remote_secnonce"),
      }));
    }),
  };
}

/** Secret in, and out. Throws: json-value, key-nonce-used. */
function statedNonce(value: unknown, path: string): SecretNonce {
  if (typeof value === "string" && /^[0-9a-f]{194}$/i.test(value)) return new SecretNonce(fromHex(value));
  throw new LnError("json-value", `${path}: not a secret nonce of 97 bytes in hex`, { path });
}

const CHANNEL_INPUTS = ["funding_vout", "funding_amount_sat", "commitment_number", "to_self_delay", "local_is_opener"];

function expectedCommon(raw: RawDocument, channelInputs: readonly string[]) {
  return {
    channel: expectedOf(raw.channel, channelInputs),
    ...("funding_output" in raw ? { funding_output: raw.funding_output } : {}),
  };
}

function deriveChannel({ terms, number }: Channel) {
  const { local, remote } = terms.basepoints;
  const [opener, accepter] = terms.opener === "local" ? [local, remote] : [remote, local];
  return { obscured_commitment_number_hex: hex48(obscuringFactor(opener.paymentBasepoint, accepter.paymentBasepoint) ^ BigInt(number)) };
}

/** The funding transaction with its own output made again. */
function deriveFundingTx(stated: Uint8Array, { terms }: Channel) {
  const tx = parseTransaction(stated).clone();
  const output = tx.outs[terms.funding.outputIndex];
  if (output !== undefined) {
    output.value = terms.funding.amount;
    output.script = fundingLock(terms).scriptPubkey;
  }
  return { funding_tx: tx.toHex(), funding_txid: displayTxid(txid(tx.getHash())) };
}

function fundingLock({ format, basepoints }: Channel["terms"]): TapLock {
  return tapLock(format.funding(basepoints.local.fundingPubkey, basepoints.remote.fundingPubkey));
}

function deriveFundingOutput({ terms }: Channel) {
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

function pubkeysOf({ terms }: Channel): Readonly<Record<string, string>> {
  const { local, remote } = terms.basepoints;
  return {
    local_funding: toHex(local.fundingPubkey),
    remote_funding: toHex(remote.fundingPubkey),
    local_payment_basepoint: toHex(local.paymentBasepoint),
    remote_payment_basepoint: toHex(remote.paymentBasepoint),
    local_delayed_payment_basepoint: toHex(local.delayedPaymentBasepoint),
    local_htlc_basepoint: toHex(local.htlcBasepoint),
    remote_htlc_basepoint: toHex(remote.htlcBasepoint),
  };
}

/** Secrets in, and out. */
function deriveKeys({ keys, htlc }: Channel, delayed: Secret32<"delayed_payment_basepoint">) {
  return {
    local_delayed: toHex(keys.ownerDelayedPubkey),
    local_htlc: toHex(keys.ownerHtlcPubkey),
    remote_htlc: toHex(keys.countersignerHtlcPubkey),
    revocation: toHex(keys.revocationPubkey),
    remote_payment: toHex(keys.remotePubkey),
    local_htlc_secret: shown(deriveSecret<"htlc">(htlc.local, keys.perCommitmentPoint)),
    remote_htlc_secret: shown(deriveSecret<"htlc">(htlc.remote, keys.perCommitmentPoint)),
    local_delayed_secret: shown(deriveSecret<"delayed">(delayed, keys.perCommitmentPoint)),
  };
}

/** Secret in, and out. */
function labelledKey(seed: Uint8Array, label: string) {
  const secret = new Secret32(sha256(concat(seed, ascii(label))));
  return { secret: shown(secret), pubkey: toHex(publicKey(secret)) };
}

const ascii = (words: string): Uint8Array => Uint8Array.from(words, (letter) => letter.charCodeAt(0));
const snakeCase = (name: string): string => name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);

/** Throws: internal-lock. */
function tapLock(lock: Lock): TapLock {
  if (lock.kind === "p2tr") return lock;
  throw new LnError("internal-lock", "an output that is not P2TR", {});
}

/** An output by its role. Throws: json-value, json-missing. */
function treeOf({ role, inputs }: Simple["scriptTrees"][number], { terms, keys }: Channel, path: string): TapLock {
  const { format, toSelfDelay } = terms;
  const input = <Name extends keyof NonNullable<typeof inputs>>(name: Name): NonNullable<NonNullable<typeof inputs>[Name]> => {
    const given = inputs?.[name];
    if (given !== undefined) return given;
    const at = `${path}.inputs.${snakeCase(name)}`;
    throw new LnError("json-missing", `${at}: missing`, { path: at });
  };
  switch (/^[a-z_]*/.exec(role)?.[0] ?? "") {
    case "to_local":
      return tapLock(format.toLocal(keys, toSelfDelay));
    case "to_remote":
      return tapLock(format.toRemote(keys));
    case "local_anchor":
    case "remote_anchor": {
      const [local, remote] = format.anchors(keys, { toLocal: true, toRemote: true, untrimmedHtlcs: true, left: sat(0n) });
      const anchor = role.startsWith("local") ? local : remote;
      if (anchor !== undefined) return tapLock(anchor.lock);
      break;
    }
    case "second_level":
      return tapLock(format.secondStage(keys, toSelfDelay));
    case "offered_htlc":
      return tapLock(format.offeredHtlc(keys, input("paymentHash")));
    case "received_htlc": {
      const roles = { ...keys, ownerHtlcPubkey: input("receiverKey"), countersignerHtlcPubkey: input("senderKey") };
      return tapLock(format.receivedHtlc(roles, input("paymentHash"), input("cltvExpiry")));
    }
  }
  throw new LnError("json-value", `${path}.role: no output of these channels`, { path: `${path}.role`, value: role });
}

function deriveTree(lock: TapLock) {
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

type Given = Pick<Case, "name" | "toLocalMsat" | "toRemoteMsat" | "htlcs"> & { readonly feeratePerKw: FeeratePerKw; readonly dustLimit: Satoshi };

function caseVector(channel: Channel, given: Given, at: number, raw: RawCase | undefined, noncesFor: (commitment: Commitment) => Nonces): Vector {
  const simpleTaproot = channel.terms.format.channelType === "simple_taproot";
  const stated = simpleTaproot ? [] : ["local_secnonce", "remote_secnonce"];
  for (const [place, { preimage, paymentHash }] of given.htlcs.entries())
    requirePreimage(preimage, paymentHash, `cases[${at}].htlcs[${place}].preimage`);
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

/** Throws: input-preimage-mismatch. */
function requirePreimage(preimage: Bytes32, paymentHash: Bytes32, path: string): void {
  if (equalBytes(sha256(preimage), paymentHash)) return;
  throw new LnError("input-preimage-mismatch", `${path}: its hash is not ${toHex(paymentHash)}`, { path, payment_hash: toHex(paymentHash) });
}

/** Signatures of BIP 340 without chance: the vectors' own. */
const NO_AUXILIARY = new Uint8Array(32);

/** Secrets in, and out. An HTLC's id in the core is its place in the list: the two sides' ids are alike. */
function deriveCase(
  { terms: shared, number, keys, funding, htlc: htlcSecrets }: Channel,
  given: Given,
  noncesFor: (commitment: Commitment) => Nonces,
) {
  const terms: CommitmentTerms = { ...shared, dustLimit: given.dustLimit };
  const commitment = buildCommitmentOf(terms, number, keys, {
    feeratePerKw: given.feeratePerKw,
    balances: { local: given.toLocalMsat, remote: given.toRemoteMsat },
    htlcs: given.htlcs.map(({ direction, amountMsat, paymentHash, cltvExpiry }, place) => ({
      id: BigInt(place),
      offeredBy: direction === "offered" ? "local" : "remote",
      amountMsat,
      paymentHash,
      cltvExpiry,
    })),
  });
  const idOf = ({ htlc }: { readonly htlc: { readonly id: bigint } }): number | undefined => given.htlcs[Number(htlc.id)]?.id;

  const nonces = noncesFor(commitment);
  const secret = { local: toHex(nonces.local.reveal()), remote: toHex(nonces.remote.reveal()) };
  const publicNonces = { local: nonces.local.toPublic(), remote: nonces.remote.toPublic() };
  const signing = commitmentSigning(commitment, { owner: publicNonces.local, countersigner: publicNonces.remote });
  const shares = {
    owner: signCommitmentShare(signing, nonces.local, funding.local),
    countersigner: signCommitmentShare(signing, nonces.remote, funding.remote),
  };
  const signature = aggregateShares(signing, shares);
  const sharedAnchor = commitment.outputs.filter(isAnchorOutput).reduce<bigint>((sum, { amount }) => sum + amount, 0n);
  return {
    htlcs: given.htlcs.map((_, place) => ({ trimmed: commitment.trimmedHtlcs.some(({ id }) => id === BigInt(place)) })),
    expected: {
      ...(terms.format.hasFeerate
        ? { base_fee_sat: integer(commitment.baseFee) }
        : {
            trimmed_and_rounded_sat: integer(sharedAnchor + commitment.actualFee),
            shared_anchor_sat: integer(sharedAnchor),
            fee_sat: integer(commitment.actualFee),
          }),
      outputs: commitment.outputs.map((output, vout) => ({
        vout,
        role: roleOf(output),
        ...(output.lock.kind === "p2tr" ? deriveTree(output.lock) : { script_pubkey: toHex(output.lock.scriptPubkey) }),
        ...(isHtlcOutput(output) ? { htlc_id: idOf(output) } : {}),
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
        htlc_id: idOf(htlcTx.output),
        ...deriveHtlcTx(htlcTx, htlcSecrets, given.htlcs[Number(htlcTx.output.htlc.id)]?.preimage ?? null),
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
const FOLLOWS_FROM: Readonly<Record<string, string>> = {
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
