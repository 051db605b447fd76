import { Transaction } from "bitcoinjs-lib/src/transaction";
import { expect, test } from "vitest";
import { recogniseOutputs } from "../../../src/protocol/tx/recognise.js";
import { msat } from "../../../src/protocol/units.js";
import { channelOf } from "../channels.js";

const { terms, commitment } = channelOf("anchors");
const [first] = commitment.spec.htlcs;
const offered = (id: bigint, sat: bigint) => ({ ...first!, id, amountMsat: msat(sat * 1000n) });
const lockOf = (kind: string) => commitment.outputs.find((output) => output.kind === kind)!.lock.scriptPubkey;
const HTLC_SCRIPT = lockOf("offered_htlc");

/** What an HTLC output is taken for, of HTLCs that share its script. */
function idsOf(amounts: readonly bigint[], htlcs: readonly ReturnType<typeof offered>[]): readonly (bigint | null)[] {
  const tx = new Transaction();
  for (const amount of amounts) tx.addOutput(HTLC_SCRIPT, amount);
  return recogniseOutputs(tx, terms, commitment.keys, htlcs).map((output) => (output !== null && "htlc" in output ? output.htlc.id : null));
}

test("of HTLCs with one payment hash each output is the one of its amount", () => {
  expect(idsOf([1000n, 2000n, 3000n], [offered(5n, 3000n), offered(6n, 1000n), offered(7n, 2000n)])).toEqual([6n, 7n, 5n]);
});

test("HTLCs that are alike are each one output; for one more there is none", () => {
  expect(idsOf([1000n, 1000n, 1000n], [offered(5n, 1000n), offered(6n, 1000n)])).toEqual([5n, 6n, null]);
});

test("an output of another amount is still the HTLC that its script locks", () => {
  expect(idsOf([999n], [offered(5n, 1000n)])).toEqual([5n]);
});

test("an output of nobody's takes no other's name", () => {
  const tx = new Transaction();
  tx.addOutput(Uint8Array.of(0x6a), 0n);
  for (const { lock, amount } of commitment.outputs) tx.addOutput(lock.scriptPubkey, amount);
  const named = recogniseOutputs(tx, terms, commitment.keys, commitment.spec.htlcs);
  expect(named.map((output) => output?.kind ?? null)).toEqual([null, ...commitment.outputs.map(({ kind }) => kind)]);
});
