// A channel at rest whose both sides have gone through many commitments, made from one that has gone through few.
import { readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";

// Of dist/, which need not be there when types are checked: those are of the sources
/** @param {string} file @returns {Promise<unknown>} */
const built = (file) => import(new URL(`../../dist/lib/${file}.js`, import.meta.url).href);
const {
  FORMATS,
  Secret32,
  buildCommitment,
  fromHex,
  msat,
  opposite,
  ownPerCommitmentPoint,
  ownSecret,
  parseTxid,
  perKw,
  point,
  sat,
  secretIndex,
  signCommitment,
  slotIndexes,
  toHex,
  useEcc,
} = /** @type {typeof import("../../src/index.js")} */ (await built("index"));
const { wasm } = /** @type {typeof import("../../src/ecc/wasm.js")} */ (await built("ecc/wasm"));

/**
 * @typedef {Record<"local" | "remote", number | string>} Balances
 * @typedef {{ number: number, signature?: string, spec: { feerate_per_kw: number, balances: Balances } }} Commit
 * @typedef {Record<string, string> & { dust_limit_satoshis: number, to_self_delay: number }} Params
 * @typedef {{
 *   channel_type: "static_remotekey",
 *   opener: "local" | "remote",
 *   params: { local: Params, remote: Params },
 *   fundings: [{ txid: string, output_index: number, amount: number, local: { current: Commit }, remote: { current: Commit } }],
 *   own_points: unknown, remote_next_point: unknown, remote_secrets: unknown,
 * }} ChannelDocument
 */

/** @param {string} path */
const read = (path) => /** @type {unknown} */ (JSON.parse(readFileSync(path, "utf8")));

/** @param {string} folder */
function secrets(folder) {
  const keys = /** @type {Record<string, string>} */ (read(join(folder, "keys.json")));
  /** @param {string} name @returns {import("../../src/index.js").Secret32<never>} */
  const secret = (name) => new Secret32(fromHex(keys[name] ?? ""));
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
  /** @param {string} name @returns {import("../../src/index.js").Point<never>} */
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
  const document = /** @type {ChannelDocument} */ (read(join(folder, "channel.json")));
  const [funding] = document.fundings;
  const { params } = document;
  const { spec } = funding.local.current;
  /** @type {import("../../src/index.js").CommitmentTerms} */
  const terms = {
    format: FORMATS[document.channel_type],
    owner: "local",
    opener: document.opener,
    basepoints: { local: basepoints(params.local), remote: basepoints(params.remote) },
    funding: { txid: parseTxid(funding.txid), outputIndex: funding.output_index, amount: sat(BigInt(funding.amount)) },
    dustLimit: sat(BigInt(params.local.dust_limit_satoshis)),
    toSelfDelay: params[opposite("local")].to_self_delay,
  };
  const balances = { local: msat(BigInt(spec.balances.local)), remote: msat(BigInt(spec.balances.remote)) };
  const commitment = buildCommitment(terms, number, ownPerCommitmentPoint(own, number), {
    feeratePerKw: perKw(BigInt(spec.feerate_per_kw)),
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
