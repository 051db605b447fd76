// A commitment with 483 HTLCs, built and signed whole, in a warm process: `node test/bench/warm.mjs wasm|native [alone]` prints the milliseconds of the
// fastest round, on all cores or, alone, on one.
import { availableParallelism } from "node:os";
import { Worker } from "node:worker_threads";

// Of dist/, which need not be there when types are checked: those are of the sources
/** @param {string} file @returns {Promise<unknown>} */
const built = (file) => import(new URL(`../../dist/lib/${file}.js`, import.meta.url).href);
const {
  FORMATS,
  Secret32,
  basepointsOf,
  buildCommitment,
  buildHtlcTxs,
  bytes32,
  msat,
  ownPerCommitmentPoint,
  perKw,
  sat,
  signCommitment,
  signHtlcTxs,
  txid,
  useEcc,
} = /** @type {typeof import("../../src/index.js")} */ (await built("index"));
const { loadNative } = /** @type {typeof import("../../src/ecc/native.js")} */ (await built("ecc/native"));
const { onAllCores } = /** @type {typeof import("../../src/ecc/all-cores.js")} */ (await built("ecc/all-cores"));
const { wasm } = /** @type {typeof import("../../src/ecc/wasm.js")} */ (await built("ecc/wasm"));

const ROUNDS = 25;
/** Both sides' most. BOLT 2 §The `open_channel` Message. */
const HTLCS = 483;

const system = `${process.platform}-${process.arch}`;
const native = loadNative(system);
const backend = process.argv[2] === "wasm" ? wasm : native;
if (backend === null) process.exit(3);
const startHelpers = () =>
  Array.from({ length: availableParallelism() - 1 }, () => {
    const worker = new Worker(new URL("../../dist/lib/ecc/helper.js", import.meta.url), { workerData: { backend: backend.name, system } });
    worker.unref();
    return worker;
  });
useEcc(process.argv[3] === "alone" ? backend : { ...backend, ...onAllCores(backend, startHelpers) });

/** @param {number} byte @returns {import("../../src/index.js").Secret32<never>} */
const secret = (byte) => new Secret32(new Uint8Array(32).fill(byte));

/** @param {number} first */
const party = (first) => ({
  fundingPrivkey: secret(first),
  revocationBasepointSecret: secret(first + 1),
  paymentBasepointSecret: secret(first + 2),
  delayedPaymentBasepointSecret: secret(first + 3),
  htlcBasepointSecret: secret(first + 4),
  perCommitmentSeed: secret(first + 5),
  perCommitmentSecrets: [],
});

const keys = { local: party(1), remote: party(11) };
/** @type {import("../../src/index.js").CommitmentTerms} */
const terms = {
  format: FORMATS.anchors,
  owner: "remote",
  opener: "local",
  basepoints: { local: basepointsOf(keys.local), remote: basepointsOf(keys.remote) },
  funding: { txid: txid(new Uint8Array(32).fill(9)), outputIndex: 0, amount: sat(200_000_000n) },
  dustLimit: sat(354n),
  toSelfDelay: 144,
};
/** @type {import("../../src/index.js").Htlc[]} */
const htlcs = Array.from({ length: HTLCS }, (_, at) => ({
  id: BigInt(at),
  offeredBy: at % 2 === 0 ? "local" : "remote",
  amountMsat: msat(BigInt(10_000_000 + 1000 * at)),
  paymentHash: bytes32(new Uint8Array(32).map((_, byte) => 7 * at + 13 * byte)),
  cltvExpiry: 800_000 + (at % 50),
}));
const total = htlcs.reduce((sum, { amountMsat }) => sum + amountMsat, 0n);
const spec = { feeratePerKw: perKw(2500n), balances: { local: msat(100_000_000_000n - total), remote: msat(100_000_000_000n) }, htlcs };
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
