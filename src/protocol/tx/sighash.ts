import type { Transaction } from "bitcoinjs-lib/src/transaction";
import { type Bytes32, bytes32 } from "../bytes.js";
import { LnError } from "../errors.js";
import { publicSha256 } from "../hash.js";

const ANYONECANPAY = 0x80;
const BASE_TYPE = 0x1f;
const NONE = 2;
const SINGLE = 3;

const OUTPOINT_BYTES = 36;
const ZERO = new Uint8Array(32);
/** Version, two hashes, outpoint, amount, sequence, hash, locktime, type. */
const FIXED_BYTES = 4 + 32 + 32 + OUTPOINT_BYTES + 8 + 4 + 32 + 4 + 4;

/** Bytes one after another, in memory that the next message takes again. */
class Message {
  #bytes = new Uint8Array(4096);
  #view = new DataView(this.#bytes.buffer);
  #size = 0;

  start(size: number): this {
    this.#size = 0;
    if (size > this.#bytes.length) {
      this.#bytes = new Uint8Array(size);
      this.#view = new DataView(this.#bytes.buffer);
    }
    return this;
  }

  u32(value: number): this {
    this.#view.setUint32(this.#size, value, true);
    this.#size += 4;
    return this;
  }

  u64(value: bigint): this {
    this.#view.setBigUint64(this.#size, value, true);
    this.#size += 8;
    return this;
  }

  bytes(bytes: Uint8Array): this {
    this.#bytes.set(bytes, this.#size);
    this.#size += bytes.length;
    return this;
  }

  /** A script behind its length, a compact size. */
  script(script: Uint8Array): this {
    const { length } = script;
    if (length < 0xfd) this.#bytes[this.#size++] = length;
    else if (length <= 0xffff) {
      this.#bytes[this.#size++] = 0xfd;
      this.#view.setUint16(this.#size, length, true);
      this.#size += 2;
    } else {
      this.#bytes[this.#size++] = 0xfe;
      this.u32(length);
    }
    return this.bytes(script);
  }

  hash(): Bytes32 {
    return bytes32(publicSha256(this.#bytes.subarray(0, this.#size), 2));
  }
}

/** Most bytes of a compact size that a script can have before it. */
const MAX_LENGTH_BYTES = 5;
const message = new Message();

/** What a witness v0 signature of that type covers, all hashed: BIP 143. `code` is the script that the input's witness runs, `amount` what it spends.
 * Throws: internal-lock where there is no such input. */
export function witnessHash(tx: Transaction, inputIndex: number, code: Uint8Array, amount: bigint, type: number): Bytes32 {
  const input = tx.ins[inputIndex];
  if (input === undefined) throw new LnError("internal-lock", `no input ${inputIndex}`, { input: inputIndex });
  const own = (type & ANYONECANPAY) !== 0;
  const base = type & BASE_TYPE;
  const prevouts = own ? ZERO : hashPrevouts(tx);
  const sequences = own || base === SINGLE || base === NONE ? ZERO : hashSequences(tx);
  // The output beside the input, where there is one
  const covered = base === SINGLE ? tx.outs.slice(inputIndex, inputIndex + 1) : tx.outs;
  const outputs = base === NONE || (base === SINGLE && covered.length === 0) ? ZERO : hashOutputs(covered);
  return message
    .start(FIXED_BYTES + MAX_LENGTH_BYTES + code.length)
    .u32(tx.version)
    .bytes(prevouts)
    .bytes(sequences)
    .bytes(input.hash)
    .u32(input.index)
    .script(code)
    .u64(amount)
    .u32(input.sequence)
    .bytes(outputs)
    .u32(tx.locktime)
    .u32(type)
    .hash();
}

function hashPrevouts({ ins }: Transaction): Bytes32 {
  message.start(OUTPOINT_BYTES * ins.length);
  for (const { hash, index } of ins) message.bytes(hash).u32(index);
  return message.hash();
}

function hashSequences({ ins }: Transaction): Bytes32 {
  message.start(4 * ins.length);
  for (const { sequence } of ins) message.u32(sequence);
  return message.hash();
}

function hashOutputs(outs: Transaction["outs"]): Bytes32 {
  message.start(outs.reduce((size, { script }) => size + 8 + MAX_LENGTH_BYTES + script.length, 0));
  for (const { value, script } of outs) message.u64(value).script(script);
  return message.hash();
}
