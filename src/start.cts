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
type Script = InstanceType<typeof vm.Script>;

/** What was read is copied out of it at once: memory that was touched before costs nothing to touch again. */
const scratch = Buffer.allocUnsafeSlow(256 * 1024);
const { slots, bytesOf } = openCache();
/** Set by the build alone: where to write what this run compiled. */
const record = process.env["CHANKIT_RECORD_BYTECODE"];
const files = new Map<string, { readonly script: Script; readonly parts: Readonly<Record<string, Wrapped>> }>();
const modules = new Map<string, { exports: unknown }>();

if (record !== undefined)
  process.on("exit", () => {
    writeCache(record);
  });

if (isCurveHelper()) load("./helper.js#helper.js");
else {
  const { ended } = load("./cli.js#cli.js") as { readonly ended: Promise<void> };
  // All is done and written: what is left is to go. The event loop would first collect garbage and take apart what the system takes back whole
  void ended.then(() => process.exit());
}

/** Whether this is a thread that takes part in what the curve has to do (commands/shared/curve.ts). */
function isCurveHelper(): boolean {
  return process.argv[2] === "--curve-helper" && !(require("node:worker_threads") as typeof import("node:worker_threads")).isMainThread;
}

/** `./FILE#PART` is one of the program's own modules: a file is an object of them, wrapped as Node wraps CommonJS, in ASCII. The rest is Node's. */
function load(id: string): unknown {
  if (!id.startsWith("./")) return require(id);
  const known = modules.get(id);
  if (known !== undefined) return known.exports;
  const [name = "", part = ""] = id.slice(2).split("#");
  const module = { exports: {} as unknown };
  modules.set(id, module);
  const { parts } = files.get(name) ?? openFile(name);
  parts[part]?.(module.exports, load, module, __dirname + path.sep + name, __dirname);
  return module.exports;
}

function openFile(name: string): { readonly parts: Readonly<Record<string, Wrapped>> } {
  const filename = __dirname + path.sep + name;
  const source = textOf(filename);
  const slot = slots[name];
  const script = new vm.Script(source, slot === undefined ? { filename } : { filename, cachedData: bytesOf(slot) });
  const file = { script, parts: script.runInThisContext() as Readonly<Record<string, Wrapped>> };
  files.set(name, file);
  return file;
}

function textOf(filename: string): string {
  const file = fs.openSync(filename, "r");
  try {
    let size = 0;
    for (;;) {
      const read = fs.readSync(file, scratch, size, scratch.length - size, size);
      if (read === 0) break;
      size += read;
    }
    return size < scratch.length ? scratch.toString("latin1", 0, size) : fs.readFileSync(filename, "latin1");
  } finally {
    fs.closeSync(file);
  }
}

/** An index as JSON, its length before it, then the bytecode of all files, of which a start reads what it needs. */
function openCache(): { readonly slots: Readonly<Record<string, Slot>>; readonly bytesOf: (slot: Slot) => Buffer } {
  try {
    const file = fs.openSync(path.join(__dirname, "bytecode.bin"), "r");
    const read = (offset: number, length: number): Buffer => {
      const bytes = length <= scratch.length ? scratch.subarray(0, length) : Buffer.allocUnsafeSlow(length);
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
  for (const [name, { script }] of files) fs.writeFileSync(path.join(to, name), script.createCachedData());
}
