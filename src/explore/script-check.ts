import type { Transaction } from "bitcoinjs-lib/src/transaction";
import { toHex } from "../protocol/bytes.js";
import { CONSENSUS_FLAGS } from "../protocol/script/interpreter/flags.js";
import { verifyTransaction } from "../protocol/script/interpreter/verify.js";
import type { ScriptCheck } from "./chain.js";

/** Consensus rules on every input, by our own interpreter. A transaction that was seen before has the verdict of the first time: scripts do not look at the chain. */
export function scriptCheck(): { readonly check: ScriptCheck; readonly interpreted: () => readonly string[] } {
  const known = new Map<string, string | null>();
  const seen = new WeakMap<Transaction, string | null>();
  return {
    interpreted: () => [...known.keys()],
    check: (tx, spent) => {
      const before = seen.get(tx);
      if (before !== undefined) return before;
      // Its witness counts, too
      const key = toHex(tx.getHash(true));
      let verdict = known.get(key);
      if (verdict === undefined) {
        const wrong = verifyTransaction(tx, spent, CONSENSUS_FLAGS).find(({ ok }) => !ok);
        verdict = wrong === undefined || wrong.ok ? null : `input ${wrong.input}: ${wrong.error}`;
        known.set(key, verdict);
      }
      seen.set(tx, verdict);
      return verdict;
    },
  };
}
