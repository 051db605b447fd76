/*
 * Runs cli.js and what it loads of the files beside it, with the bytecode that the build kept of them: a start then compiles nothing, and does
 * not search for what it knows the place of. V8 itself refuses bytecode of another version or other flags; then, and without the file, all is
 * compiled as usual.
 */
const fs = require("node:fs") as typeof import("node:fs");
const path = require("node:path") as typeof import("node:path");
const vm = require("node:vm") as typeof import("node:vm");

/** One file's bytecode: where it stands in the cache. */
type Slot = readonly [offset: number, length: number];
type Load = (id: string) => unknown;
type Wrapped = (exports: unknown, require: Load, module: { exports: unknown }, filename: string, folder: string) => void;

const { slots, bytesOf } = openCache();
/** Set by the build alone: where to write what this run compiled. */
const record = process.env["CHANKIT_RECORD_BYTECODE"];
const compiled = new Map<string, InstanceType<typeof vm.Script>>();
const modules = new Map<string, { exports: unknown }>();

if (record !== undefined)
  process.on("exit", () => {
    writeCache(record);
  });

// All is done and written: what is left is to go, without taking apart first what the system takes back whole
process.on("beforeExit", () => process.exit());

load("./cli.js");

/** The program's own files are CommonJS in ASCII, and import one another as `./NAME`; the rest is Node's. */
function load(id: string): unknown {
  if (!id.startsWith("./")) return require(id);
  const name = id.slice(2);
  const known = modules.get(name);
  if (known !== undefined) return known.exports;
  const filename = __dirname + path.sep + name;
  const source = fs.readFileSync(filename, "latin1");
  const slot = slots[name];
  const script = new vm.Script(`(function(exports,require,module,__filename,__dirname){${source}\n})`, {
    filename,
    ...(slot === undefined ? {} : { cachedData: bytesOf(slot) }),
  });
  compiled.set(name, script);
  const module = { exports: {} as unknown };
  modules.set(name, module);
  (script.runInThisContext() as Wrapped)(module.exports, load, module, filename, __dirname);
  return module.exports;
}

/** An index as JSON, its length before it, then the bytecode of all files, of which a start reads what it needs. */
function openCache(): { readonly slots: Readonly<Record<string, Slot>>; readonly bytesOf: (slot: Slot) => Buffer } {
  try {
    const file = fs.openSync(path.join(__dirname, "bytecode.bin"), "r");
    const read = (offset: number, length: number): Buffer => {
      const bytes = Buffer.allocUnsafeSlow(length);
      fs.readSync(file, bytes, 0, length, offset);
      return bytes;
    };
    const start = 4 + read(0, 4).readUInt32LE(0);
    return { slots: JSON.parse(read(4, start - 4).toString("latin1")) as Record<string, Slot>, bytesOf: ([at, length]) => read(start + at, length) };
  } catch {
    return { slots: {}, bytesOf: () => Buffer.alloc(0) };
  }
}

function writeCache(to: string): void {
  for (const [name, script] of compiled) fs.writeFileSync(path.join(to, `${name}.${process.pid}`), script.createCachedData());
}
