// What a transaction's scripts cost: `npm run -s build && node test/bench/interpreter.mjs`. The penalty on a revoked commitment with 483 HTLCs each way, every
// input run by our interpreter on both curve backends, and by bcoin's; and the one on half as many, which must cost half. The fastest of some rounds.
import { createRequire } from "node:module";

// Of dist/, which need not be there when types are checked: those are of the sources
/** @param {string} file @returns {Promise<unknown>} */
const built = (file) => import(new URL(`../../dist/lib/${file}.js`, import.meta.url).href);
const lib = /** @type {typeof import("../../src/index.js")} */ (await built("index"));
const { loadNative } = /** @type {typeof import("../../src/ecc/native.js")} */ (await built("ecc/native"));
const { wasm } = /** @type {typeof import("../../src/ecc/wasm.js")} */ (await built("ecc/wasm"));
const bcoin = /** @type {typeof import("../chain/bcoin.js").bcoin} */ (createRequire(import.meta.url)("bcoin"));

const { FORMATS, Secret32, basepointsOf, buildCommitment, bytes32, msat, ownPerCommitmentPoint, ownSecret, penaltyClaims, perKw, sat, spendClaims } =
  lib;
const { CONSENSUS_FLAGS, toHex, txid, useEcc, verifyTransaction } = lib;

const ROUNDS = 5;
const MOST = 2 * 483;
/** P2SH, strict DER, CLTV, CSV, witness, null dummy: what consensus has of bcoin's, numbered as Bitcoin Core does. */
const BCOIN_FLAGS = 1 | 4 | 16 | 512 | 1024 | 2048;

const native = loadNative(`${process.platform}-${process.arch}`);
useEcc(wasm);

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

/** The penalty on a commitment of the other side's with so many HTLCs. @param {number} count */
function penalty(count) {
  /** @type {import("../../src/index.js").Htlc[]} */
  const htlcs = Array.from({ length: count }, (_, at) => ({
    id: BigInt(at >> 1),
    offeredBy: at % 2 === 0 ? "local" : "remote",
    amountMsat: msat(BigInt(10_000_000 + 1000 * at)),
    paymentHash: bytes32(new Uint8Array(32).map((_, byte) => 7 * at + 13 * byte)),
    cltvExpiry: 800_000 + (at % 50),
  }));
  const basepoints = { local: basepointsOf(keys.local), remote: basepointsOf(keys.remote) };
  const commitment = buildCommitment(
    {
      format: FORMATS.anchors,
      owner: "remote",
      opener: "local",
      basepoints,
      funding: { txid: txid(new Uint8Array(32).fill(9)), outputIndex: 0, amount: sat(200_000_000n) },
      dustLimit: sat(354n),
      toSelfDelay: 144,
    },
    7,
    ownPerCommitmentPoint(keys.remote, 7),
    { feeratePerKw: perKw(2500n), balances: { local: msat(100_000_000_000n), remote: msat(0n) }, htlcs },
  );
  const claims = penaltyClaims(commitment, basepoints.local, ownSecret(keys.remote, 7));
  const to = /** @type {import("../../src/index.js").ScriptPubkey} */ (Uint8Array.of(0, 20, ...new Uint8Array(20)));
  const { tx } = spendClaims(claims, keys.local, to, perKw(2500n), 2);
  return { tx, spent: claims.map(({ amount, lock }) => ({ amount, script: lock.scriptPubkey })) };
}

/** @param {() => void} run */
function fastest(run) {
  let best = Infinity;
  for (let round = 0; round < ROUNDS; round++) {
    const start = performance.now();
    run();
    best = Math.min(best, performance.now() - start);
  }
  return best;
}

/** @param {ReturnType<typeof penalty>} given */
function ours({ tx, spent }) {
  return fastest(() => {
    if (!verifyTransaction(tx, spent, CONSENSUS_FLAGS).every(({ ok }) => ok)) throw new Error("refused");
  });
}

/** @param {ReturnType<typeof penalty>} given */
function bcoins({ tx, spent }) {
  const hex = tx.toHex();
  return fastest(() => {
    const theirs = bcoin.TX.fromRaw(hex, "hex");
    for (const [index, { script, witness }] of theirs.inputs.entries()) {
      const { amount, script: spending } = spent[index] ?? { amount: 0n, script: new Uint8Array() };
      bcoin.Script.verify(script, witness, bcoin.Script.fromRaw(toHex(spending), "hex"), theirs, index, Number(amount), BCOIN_FLAGS);
    }
  });
}

const [whole, half] = [penalty(MOST), penalty(MOST / 2)];
const theirs = bcoins(whole);
const row = (/** @type {readonly string[]} */ ...cells) => process.stdout.write(`| ${cells.join(" | ")} |\n`);
row(`${whole.tx.ins.length} inputs, ${whole.tx.weight()} weight units`, "ms", "an input, ms", "× bcoin", "half as many, of it");
row("---", "---", "---", "---", "---");
for (const backend of [wasm, native]) {
  if (backend === null) continue;
  useEcc(backend);
  const all = ours(whole);
  row(
    `our interpreter, ${backend.name}`,
    all.toFixed(0),
    (all / whole.tx.ins.length).toFixed(2),
    (all / theirs).toFixed(2),
    (ours(half) / all).toFixed(2),
  );
}
row("bcoin's", theirs.toFixed(0), (theirs / whole.tx.ins.length).toFixed(2), "1", (bcoins(half) / theirs).toFixed(2));
