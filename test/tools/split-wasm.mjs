/*
 * Most of tiny-secp256k1's WebAssembly is tables, a megabyte. As part of the module they are read, copied by the engine and copied again into the
 * memory of the instance; from a file of their own they are read into that memory at once, which takes half the time. And nearly all of that megabyte
 * is wanted by few functions only.
 */

const HEADER_BYTES = 8;
const START_SECTION = 8;
const DATA_SECTION = 11;
const I32_CONST = 0x41;
const END = 0x0b;

/**
 * A module without its data, and what the memory holds from `offset` on.
 * @param {Uint8Array} wasm
 */
export function splitWasm(wasm) {
  let at = HEADER_BYTES;
  const byte = () => {
    const value = wasm[at++];
    if (value === undefined) throw new Error("the module ends early");
    return value;
  };
  /** LEB128, of which addresses below 2^31 are read alike with and without a sign. */
  const integer = () => {
    let value = 0;
    for (let shift = 0; ; shift += 7) {
      const next = byte();
      value += (next & 0x7f) * 2 ** shift;
      if (next < 0x80) return value;
    }
  };
  const expect = (/** @type {number} */ value) => {
    if (byte() !== value) throw new Error("data of a kind that cannot be split off");
  };

  const kept = [wasm.subarray(0, HEADER_BYTES)];
  /** @type {{ readonly offset: number, readonly bytes: Uint8Array }[]} */
  const segments = [];
  while (at < wasm.length) {
    const start = at;
    const section = byte();
    const size = integer();
    const end = at + size;
    if (end > wasm.length) throw new Error("the module ends early");
    // Code that ran before the memory is filled would find it empty
    if (section === START_SECTION) throw new Error("the module starts by itself");
    if (section === DATA_SECTION) {
      for (let left = integer(); left > 0; left--) {
        expect(0);
        expect(I32_CONST);
        const offset = integer();
        expect(END);
        const length = integer();
        segments.push({ offset, bytes: wasm.subarray(at, at + length) });
        at += length;
      }
    } else kept.push(wasm.subarray(start, end));
    at = end;
  }
  const offset = Math.min(...segments.map((segment) => segment.offset));
  const data = Buffer.alloc(Math.max(...segments.map((segment) => segment.offset + segment.bytes.length)) - offset);
  for (const segment of segments) data.set(segment.bytes, segment.offset - offset);
  return { code: Buffer.concat(kept), data, offset };
}

/** x of G and of 2^128 G, the first entries of libsecp256k1's tables of their odd multiples, as it stores them: least byte first. */
const [G, G_128] = [
  "79be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798",
  "8f68b9d2f63b5f339239c1ad981f162ee88c5678723ea3351b7b444c9ec4c0da",
].map((hex) => Buffer.from(hex, "hex").reverse());
/** 2^13 points of 64 bytes. */
const TABLE_BYTES = 2 ** 19;

/**
 * Where in the data the two tables stand, one after the other, that only a sum of two products asks for: verifying, recovering, a tweak of a point.
 * @param {Buffer} data
 */
export function productTables(data) {
  const at = data.indexOf(G ?? "");
  if (at === -1 || data.indexOf(G_128 ?? "") !== at + TABLE_BYTES) throw new Error("the tables of multiples are not where they are looked for");
  return { at, length: 2 * TABLE_BYTES };
}

/** What never looks into those tables. They are read when anything else is called: a megabyte to read, to copy and to touch, a tenth of a start. */
export const WITHOUT_TABLES = ["initializeContext", "isPoint", "pointAdd", "pointFromScalar", "pointMultiply", "privateAdd", "sign"];
