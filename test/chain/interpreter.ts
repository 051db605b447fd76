import { isDeepStrictEqual } from "node:util";
import { fromHex, toHex } from "../../src/protocol/bytes.js";
import { type Flags, STANDARD_FLAGS } from "../../src/protocol/script/interpreter/flags.js";
import { verifyTransaction } from "../../src/protocol/script/interpreter/verify.js";
import { parseTransaction } from "../../src/protocol/tx/parse.js";
import { bcoin } from "./bcoin.js";

/** An output as the chain holds it: all that is told to the interpreter of what an input spends. */
export interface Coin {
  readonly amount: bigint;
  readonly scriptPubkey: Uint8Array;
}

/** What the interpreters say, and why. */
export type Verdict = { readonly kind: "accepted" } | { readonly kind: "refused"; readonly input: number; readonly reason: string };

/** Every rule of consensus and of standardness that bcoin knows, but for signature scripts of pushes alone, which witnesses do not have. Both number them like Bitcoin Core. */
const BCOIN_FLAGS = 65503 as Flags;

/** The outputs of later witness versions, which bcoin leaves to anybody. */
const isLaterWitness = ({ scriptPubkey }: Coin): boolean => (scriptPubkey[0] ?? 0) >= 0x51 && (scriptPubkey[0] ?? 0) <= 0x60;

/**
 * Runs the scripts of every input of `txHex`, whose spent outputs are `coins`, in bcoin's interpreter and in our own, which must say the same of
 * every input, with the same name for what is wrong.
 */
export function interpret(txHex: string, coins: readonly Coin[]): Verdict {
  const ours = interpretOurselves(txHex, coins, BCOIN_FLAGS);
  if (coins.some(isLaterWitness)) return ours;
  const theirs = interpretByBcoin(txHex, coins);
  if (!isDeepStrictEqual(ours, theirs)) throw new Error(`we say ${JSON.stringify(ours)}, bcoin ${JSON.stringify(theirs)} of ${txHex}`);
  const standard = interpretOurselves(txHex, coins, STANDARD_FLAGS);
  if (!isDeepStrictEqual(ours, standard)) throw new Error(`by today's rules of standardness ${JSON.stringify(standard)} of ${txHex}`);
  return theirs;
}

function interpretOurselves(txHex: string, coins: readonly Coin[], flags: Flags): Verdict {
  const tx = parseTransaction(fromHex(txHex));
  const spent = coins.map(({ amount, scriptPubkey }) => ({ amount, script: scriptPubkey }));
  const refused = verifyTransaction(tx, spent, flags).find((verdict) => !verdict.ok);
  return refused?.ok === false ? { kind: "refused", input: refused.input, reason: refused.error } : { kind: "accepted" };
}

function interpretByBcoin(txHex: string, coins: readonly Coin[]): Verdict {
  const tx = bcoin.TX.fromRaw(txHex, "hex");
  if (tx.inputs.length !== coins.length) throw new Error(`${tx.inputs.length} inputs for ${coins.length} coins`);
  for (const [index, { script, witness }] of tx.inputs.entries()) {
    const { amount, scriptPubkey } = coins[index]!;
    try {
      bcoin.Script.verify(script, witness, bcoin.Script.fromRaw(toHex(scriptPubkey), "hex"), tx, index, Number(amount), BCOIN_FLAGS);
    } catch (error) {
      if (!isScriptError(error)) throw error;
      return { kind: "refused", input: index, reason: error.code };
    }
  }
  return { kind: "accepted" };
}

function isScriptError(error: unknown): error is { readonly code: string } {
  return error instanceof Error && "type" in error && error.type === "ScriptError";
}

/** Where a transaction would go: the block's height, and the median time of the eleven before it. */
export interface Place {
  readonly height: number;
  readonly medianTimePast: number;
}

/** Below it nLockTime is a height, from it on a time (BIP 65). */
const LOCKTIME_THRESHOLD = 500_000_000;
const SEQUENCE_FINAL = 0xffffffff;
/** BIP 68: the bits that say that nSequence is no delay, or one in time. */
const SEQUENCE_DISABLED = 2 ** 31;
const SEQUENCE_IN_TIME = 2 ** 22;
const SEQUENCE_BLOCKS = 0xffff;

/**
 * Whether nLockTime and the inputs' nSequence (BIP 68) allow a transaction in a block, `confirmedAt` being the heights of the blocks that hold
 * what it spends. With nLockTime 500 it may stand in block 501; with nSequence 144 and its coin in block 1000, in block 1144.
 */
export function timelocksAllow(txHex: string, confirmedAt: readonly number[], place: Place): boolean {
  const { locktime, sequences } = timelocksOf(txHex);
  const clock = locktime < LOCKTIME_THRESHOLD ? place.height : place.medianTimePast;
  const final = locktime < clock || sequences.every((sequence) => sequence === SEQUENCE_FINAL);
  return final && place.height >= afterDelays(txHex, confirmedAt);
}

/** The first block that may hold a transaction whose nLockTime is a height or a time long past. */
export function earliestBlock(txHex: string, confirmedAt: readonly number[]): number {
  const { locktime, sequences } = timelocksOf(txHex);
  const lockedUntil = locktime < LOCKTIME_THRESHOLD && sequences.some((sequence) => sequence !== SEQUENCE_FINAL) ? locktime + 1 : 0;
  return Math.max(lockedUntil, afterDelays(txHex, confirmedAt));
}

function timelocksOf(txHex: string) {
  const { version, locktime, ins } = parseTransaction(fromHex(txHex));
  return { version, locktime, sequences: ins.map(({ sequence }) => sequence) };
}

/** The first block that BIP 68 allows. */
function afterDelays(txHex: string, confirmedAt: readonly number[]): number {
  const { version, sequences } = timelocksOf(txHex);
  if (sequences.length !== confirmedAt.length) throw new Error(`${sequences.length} inputs for ${confirmedAt.length} coins`);
  const blocks = sequences.map((sequence, input) => {
    if (version < 2 || sequence >= SEQUENCE_DISABLED) return confirmedAt[input]!;
    if ((sequence & SEQUENCE_IN_TIME) !== 0) throw new Error("a delay in time is in none of our transactions");
    return confirmedAt[input]! + (sequence & SEQUENCE_BLOCKS);
  });
  return Math.max(...blocks);
}
