import { sha256 } from "@noble/hashes/sha2.js";
import { type ValueOf, anyObject, list, record, text } from "../json/codec.js";
import { decode } from "../json/decode.js";
import { fields, optional } from "../json/fields.js";
import * as json from "../json/primitives.js";
import { concat, displayTxid, toHex, txid } from "../protocol/bytes.js";
import { LnError } from "../protocol/errors.js";
import { deriveRevocationSecret, publicKey } from "../protocol/keys/derivation.js";
import { generateNonce } from "../protocol/keys/musig2.js";
import { MAX_COMMITMENT_NUMBER } from "../protocol/keys/shachain.js";
import { verificationNonce, verificationNonceRand, verificationNonceRoot } from "../protocol/keys/verification-nonce.js";
import type { TapLock } from "../protocol/script/assemble.js";
import { NUMS_POINT } from "../protocol/script/taproot-outputs.js";
import { Secret32 } from "../protocol/secret.js";
import type { Commitment } from "../protocol/tx/commitment-tx.js";
import { parseTransaction } from "../protocol/tx/parse.js";
import { sat } from "../protocol/units.js";
import { shown } from "./case.js";
import {
  FOLLOWS_FROM,
  type Nonces,
  type RawDocument,
  caseVector,
  deriveFundingOutput,
  deriveTree,
  fundingLock,
  tapLock,
  expectedCommon,
} from "./taproot-case.js";
import { type Vector, type VectorSet, expectedOf } from "./vector.js";
import {
  type WorkedChannel,
  derivedValue,
  secretKey,
  workedCases,
  workedChannel,
  WORKED_KEYS,
  deriveCommitmentSecrets,
  WORKED_CHANNEL,
  CHANNEL_INPUTS,
  deriveObscured,
} from "./worked-channel.js";

const simple = fields({
  about: anyObject,
  channel: fields({ ...WORKED_CHANNEL, funding_tx: json.hexBytes, default_dust_limit_sat: json.satoshi }),
  keys: fields({
    ...WORKED_KEYS,
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
  cases: workedCases({ feerate_per_kw: json.feeratePerKw, dust_limit_sat: optional(json.satoshi) }),
});

type Simple = ValueOf<typeof simple>;

/** option_simple_taproot. Secrets in, and out: this layout publishes them. */
export function readSimpleTaproot(value: unknown, source: string): VectorSet {
  const read = decode(simple, value, source);
  const { keys: given, channel: stated } = read;
  const { localVerification } = read.nonceDerivation;
  const channel = workedChannel("simple_taproot", stated, given, {
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
          channel: { ...deriveObscured(channel), ...deriveFundingTx(stated.fundingTx, channel) },
          keys: {
            ...Object.fromEntries(Object.entries(given.labels).map(([name, label]) => [name, labelledKey(given.seed, label)] as const)),
            derived: {
              ...deriveCommitmentSecrets(channel, given.localDelayedPaymentBasepoint.secret),
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

/** The funding transaction with its own output made again. */
function deriveFundingTx(stated: Uint8Array, { terms }: WorkedChannel) {
  const tx = parseTransaction(stated).clone();
  const output = tx.outs[terms.funding.outputIndex];
  if (output !== undefined) {
    output.value = terms.funding.amount;
    output.script = fundingLock(terms).scriptPubkey;
  }
  return { funding_tx: tx.toHex(), funding_txid: displayTxid(txid(tx.getHash())) };
}

/** Secret in, and out. */
function labelledKey(seed: Uint8Array, label: string) {
  const secret = new Secret32(sha256(concat(seed, ascii(label))));
  return { secret: shown(secret), pubkey: toHex(publicKey(secret)) };
}

const ascii = (words: string): Uint8Array => Uint8Array.from(words, (letter) => letter.charCodeAt(0));
const snakeCase = (name: string): string => name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);

/** An output by its role. Throws: json-value, json-missing. */
function treeOf({ role, inputs }: Simple["scriptTrees"][number], { terms, keys }: WorkedChannel, path: string): TapLock {
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
