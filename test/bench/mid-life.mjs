// A channel at rest whose both sides have gone through many commitments, made from one that has gone through few.
import { readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import {
  FORMATS,
  Secret32,
  buildCommitment,
  fromHex,
  opposite,
  ownPerCommitmentPoint,
  ownSecret,
  parseTxid,
  point,
  secretIndex,
  signCommitment,
  slotIndexes,
  toHex,
  useEcc,
} from "../../dist/lib/index.js";
import { wasm } from "../../dist/lib/ecc/wasm.js";

/** @param {string} path */
const read = (path) => JSON.parse(readFileSync(path, "utf8"));

/** @param {string} folder */
function secrets(folder) {
  const keys = read(join(folder, "keys.json"));
  /** @param {string} name */
  const secret = (name) => new Secret32(fromHex(keys[name]));
  return {
    fundingPrivkey: secret("funding_privkey"),
    revocationBasepointSecret: secret("revocation_basepoint_secret"),
    paymentBasepointSecret: secret("payment_basepoint_secret"),
    delayedPaymentBasepointSecret: secret("delayed_payment_basepoint_secret"),
    htlcBasepointSecret: secret("htlc_basepoint_secret"),
    perCommitmentSeed: secret("per_commitment_seed"),
    perCommitmentSecrets: [],
  };
}

/** @param {Record<string, string>} params */
function basepoints(params) {
  /** @param {string} name */
  const at = (name) => point(fromHex(params[name] ?? ""));
  return {
    fundingPubkey: at("funding_pubkey"),
    revocationBasepoint: at("revocation_basepoint"),
    paymentBasepoint: at("payment_basepoint"),
    delayedPaymentBasepoint: at("delayed_payment_basepoint"),
    htlcBasepoint: at("htlc_basepoint"),
  };
}

/**
 * Writes what `import-channel` reads, and takes the old channel out of the party's folder.
 * @param {string} folder
 * @param {string} peerFolder
 * @param {number} number
 */
export function atCommitment(folder, peerFolder, number) {
  useEcc(wasm);
  const own = secrets(folder);
  const peer = secrets(peerFolder);
  const document = read(join(folder, "channel.json"));
  const [funding] = document.fundings;
  const { params } = document;
  const { spec } = funding.local.current;
  const terms = {
    format: FORMATS[document.channel_type],
    owner: "local",
    opener: document.opener,
    basepoints: { local: basepoints(params.local), remote: basepoints(params.remote) },
    funding: { txid: parseTxid(funding.txid), outputIndex: funding.output_index, amount: BigInt(funding.amount) },
    dustLimit: BigInt(params.local.dust_limit_satoshis),
    toSelfDelay: params[opposite("local")].to_self_delay,
  };
  const balances = { local: BigInt(spec.balances.local), remote: BigInt(spec.balances.remote) };
  const commitment = buildCommitment(terms, number, ownPerCommitmentPoint(own, number), {
    feeratePerKw: BigInt(spec.feerate_per_kw),
    balances,
    htlcs: [],
  });
  /** @param {typeof own} keys @param {number} at */
  const numbered = (keys, at) => ({ number: at, point: toHex(ownPerCommitmentPoint(keys, at)) });
  funding.local.current = { ...funding.local.current, number, signature: toHex(signCommitment(commitment, peer.fundingPrivkey)) };
  funding.remote.current = { ...funding.remote.current, ...numbered(peer, number) };
  document.own_points = [number, number + 1, number + 2].map((at) => numbered(own, at));
  document.remote_next_point = numbered(peer, number + 1);
  document.remote_secrets = slotIndexes(number).map((index) =>
    index === null
      ? null
      : {
          index: index <= BigInt(Number.MAX_SAFE_INTEGER) ? Number(index) : String(index),
          secret: toHex(ownSecret(peer, Number(secretIndex(0) - index)).reveal()),
        },
  );
  for (const file of ["channel.json", "highwater.json"]) rmSync(join(folder, file));
  const path = join(folder, "import.json");
  writeFileSync(path, `${JSON.stringify(document, null, 2)}\n`);
  return path;
}
