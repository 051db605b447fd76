import { randomBytes } from "node:crypto";
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import fc from "fast-check";
import { expect, test } from "vitest";
import { WITHOUT_TABLES, productTables, splitWasm } from "./split-wasm.mjs";

const folder = dirname(createRequire(import.meta.url).resolve("tiny-secp256k1"));
const whole = readFileSync(join(folder, "../secp256k1.wasm"));
const { code, data, offset } = splitWasm(whole);
const tables = productTables(data);

type Calls = Readonly<
  Record<"isPoint" | "pointAdd" | "pointFromScalar" | "pointMultiply" | "privateAdd" | "sign" | "verify", (...args: readonly number[]) => number>
>;
/** What the module exports: its memory, where in it inputs and outputs stand, what can be called. */
type Curve = Calls & { readonly memory: { readonly buffer: ArrayBuffer } } & Readonly<Record<string, unknown>>;

/** Node's declarations have nothing of it. */
const { Module, Instance } = (globalThis as unknown as Record<"WebAssembly", Engine>).WebAssembly;
interface Engine {
  readonly Module: (new (bytes: Uint8Array) => object) & { readonly exports: (module: object) => readonly object[] };
  readonly Instance: new (module: object, imports: object) => { readonly exports: unknown };
}

/** An instance, its blinding always the same. */
function instantiate(bytes: Uint8Array): Curve {
  const refuse = (code: number) => {
    throw new Error(`refused: ${code}`);
  };
  const imports = { "./rand.js": { generateInt32: () => 7 }, "./validate_error.js": { throwError: refuse } };
  return new Instance(new Module(bytes), imports).exports as Curve;
}

function joined(content: Uint8Array): Curve {
  const curve = instantiate(code);
  new Uint8Array(curve.memory.buffer).set(content, offset);
  return curve;
}

const memoryOf = ({ memory }: Curve): Buffer => Buffer.from(memory.buffer);

test("code and data together are the package's module, and the data has left it", () => {
  expect(memoryOf(joined(data)).equals(memoryOf(instantiate(whole)))).toBe(true);
  expect(code.length + data.length).toBeLessThan(whole.length + 4096);
  expect(Module.exports(new Module(code))).toEqual(Module.exports(new Module(whole)));
});

test("one changed byte of the data is noticed", () => {
  const at = data.length - 100;
  const changed = Buffer.from(data);
  changed[at] = (data[at] ?? 0) ^ 1;
  expect(memoryOf(joined(changed)).equals(memoryOf(instantiate(whole)))).toBe(false);
});

test("modules that cannot be split, and tables that are elsewhere, are refused", () => {
  const header = Buffer.from(whole.subarray(0, 8));
  expect(() => splitWasm(Buffer.concat([header, Buffer.from([8, 1, 0])]))).toThrow("starts by itself");
  // A passive segment; one at an address that is not written out
  expect(() => splitWasm(Buffer.concat([header, Buffer.from([11, 3, 1, 1, 0])]))).toThrow("cannot be split off");
  expect(() => splitWasm(Buffer.concat([header, Buffer.from([11, 6, 1, 0, 0x23, 0, 0x0b, 0])]))).toThrow("cannot be split off");
  expect(() => splitWasm(whole.subarray(0, whole.length - 1))).toThrow("ends early");
  expect(() => productTables(data.subarray(tables.at + 64))).toThrow("not where they are looked for");
});

function addressOf(curve: Curve, name: string): number {
  return (curve[name] as { readonly value: number }).value;
}

/** Writes an input where the module looks for it. */
function put(curve: Curve, name: string, bytes: Uint8Array): void {
  new Uint8Array(curve.memory.buffer).set(bytes, addressOf(curve, name));
}

const secret = fc.uint8Array({ minLength: 32, maxLength: 32 }).map((bytes) => Uint8Array.of(0, ...bytes.subarray(2), 1));

/** All that the others do without tables, and what is in the memory then; a point of each is the next one's. */
function act(curve: Curve, a: Uint8Array, b: Uint8Array, hash: Uint8Array): unknown[] {
  const result: unknown[] = [];
  const outcome = (name: string, size: number, status: number): Buffer => {
    const at = addressOf(curve, name);
    const bytes = Buffer.from(curve.memory.buffer.slice(at, at + size));
    result.push(status, bytes.toString("hex"));
    return bytes;
  };
  put(curve, "PRIVATE_INPUT", a);
  const point = outcome("PUBLIC_KEY_INPUT", 33, curve.pointFromScalar(33));
  result.push(curve.isPoint(33));
  put(curve, "TWEAK_INPUT", b);
  const multiple = outcome("PUBLIC_KEY_INPUT", 33, curve.pointMultiply(33, 33));
  put(curve, "PUBLIC_KEY_INPUT", point);
  put(curve, "PUBLIC_KEY_INPUT2", multiple);
  outcome("PUBLIC_KEY_INPUT", 33, curve.pointAdd(33, 33, 33));
  put(curve, "PRIVATE_INPUT", a);
  put(curve, "TWEAK_INPUT", b);
  outcome("PRIVATE_INPUT", 32, curve.privateAdd());
  put(curve, "PRIVATE_INPUT", a);
  put(curve, "HASH_INPUT", hash);
  put(curve, "EXTRA_DATA_INPUT", hash);
  for (const extra of [0, 1]) outcome("SIGNATURE_INPUT", 64, curve.sign(extra));
  return result;
}

/** Whether the module finds the signature good that it has just made. */
function verifiesOwn(curve: Curve, a: Uint8Array, hash: Uint8Array): boolean {
  put(curve, "PRIVATE_INPUT", a);
  curve.pointFromScalar(33);
  put(curve, "HASH_INPUT", hash);
  curve.sign(0);
  put(curve, "HASH_INPUT", hash);
  return curve.verify(33, 1) === 1;
}

test("what is said to do without the tables does so: with others in their place all it gives is the same, and only verifying goes wrong", () => {
  const other = Buffer.from(data);
  randomBytes(tables.length).copy(other, tables.at);
  const [right, wrong] = [joined(data), joined(other)];
  fc.assert(
    fc.property(secret, secret, secret, (a, b, hash) => {
      expect(act(wrong, a, b, hash)).toEqual(act(right, a, b, hash));
      expect([right, wrong].map((curve) => verifiesOwn(curve, a, hash))).toEqual([true, false]);
    }),
    { numRuns: 30 },
  );
  // `act` knows these; initializeContext goes first of all, by itself
  expect([...WITHOUT_TABLES].sort()).toEqual(["initializeContext", "isPoint", "pointAdd", "pointFromScalar", "pointMultiply", "privateAdd", "sign"]);
});
