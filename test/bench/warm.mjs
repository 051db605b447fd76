// A commitment with 483 HTLCs, built and signed whole, in a warm process: `node test/bench/warm.mjs wasm|native` prints the milliseconds of the fastest round.
import { bytes32, buildCommitment, buildHtlcTxs, FORMATS, signCommitment, signHtlcTxs, txid, useEcc } from "../../dist/lib/index.js";
import { loadNative } from "../../dist/lib/ecc/native.js";
import { wasm } from "../../dist/lib/ecc/wasm.js";
import { Secret32, basepointsOf, ownPerCommitmentPoint } from "../../dist/lib/index.js";

const ROUNDS = 25;
/** Both sides' most. BOLT 2 §The `open_channel` Message. */
const HTLCS = 483;

const native = loadNative(`${process.platform}-${process.arch}`);
const backend = process.argv[2] === "wasm" ? wasm : native;
if (backend === null) process.exit(3);
useEcc(backend);

/** @param {number} first */
function party(first) {
  const [funding, revocation, payment, delayed, htlc, seed] = Array.from({ length: 6 }, (_, at) => new Secret32(new Uint8Array(32).fill(first + at)));
  return {
    fundingPrivkey: funding,
    revocationBasepointSecret: revocation,
    paymentBasepointSecret: payment,
    delayedPaymentBasepointSecret: delayed,
    htlcBasepointSecret: htlc,
    perCommitmentSeed: seed,
    perCommitmentSecrets: [],
  };
}

const keys = { local: party(1), remote: party(11) };
const terms = {
  format: FORMATS.anchors,
  owner: "remote",
  opener: "local",
  basepoints: { local: basepointsOf(keys.local), remote: basepointsOf(keys.remote) },
  funding: { txid: txid(new Uint8Array(32).fill(9)), outputIndex: 0, amount: 200_000_000n },
  dustLimit: 354n,
  toSelfDelay: 144,
};
const htlcs = Array.from({ length: HTLCS }, (_, at) => ({
  id: BigInt(at),
  offeredBy: at % 2 === 0 ? "local" : "remote",
  amountMsat: BigInt(10_000_000 + 1000 * at),
  paymentHash: bytes32(new Uint8Array(32).map((_, byte) => 7 * at + 13 * byte)),
  cltvExpiry: 800_000 + (at % 50),
}));
const total = htlcs.reduce((sum, { amountMsat }) => sum + amountMsat, 0n);
const spec = { feeratePerKw: 2500n, balances: { local: 100_000_000_000n - total, remote: 100_000_000_000n }, htlcs };
const point = ownPerCommitmentPoint(keys.remote, 7);

let best = Infinity;
for (let round = 0; round < ROUNDS; round++) {
  const start = performance.now();
  const commitment = buildCommitment(terms, 7, point, spec);
  signHtlcTxs(commitment, buildHtlcTxs(commitment), keys.local.htlcBasepointSecret);
  signCommitment(commitment, keys.local.fundingPrivkey);
  best = Math.min(best, performance.now() - start);
}
process.stdout.write(`${best.toFixed(3)}\n`);
