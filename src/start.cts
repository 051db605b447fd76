/*
 * Runs cli.js with the bytecode that the build kept of it, so that a start does not compile what every start needs. V8 itself refuses
 * bytecode of another version or other flags; then, and without the file, all is compiled as usual.
 */
const fs = require("node:fs") as typeof import("node:fs");
const path = require("node:path") as typeof import("node:path");
const vm = require("node:vm") as typeof import("node:vm");
const { Module } = require("node:module") as typeof import("node:module");

/** One file's bytecode: where it stands in the cache. */
type Slot = readonly [offset: number, length: number];

const folder = __dirname + path.sep;
const { slots, bytes } = readCache();
/** Set by the build alone: where to write what this run compiled. */
const record = process.env["CHANKIT_RECORD_BYTECODE"];
const compiled = new Map<string, InstanceType<typeof vm.Script>>();

type Compile = (this: NodeModule, content: string, filename: string) => unknown;
const loader = Module.prototype as unknown as { _compile: Compile };
const compileAsUsual = loader._compile;

loader._compile = function (content, filename) {
  const name = filename.slice(folder.length);
  const slot = slots[name];
  if (!filename.startsWith(folder) || (slot === undefined && record === undefined)) return compileAsUsual.call(this, content, filename);
  const cachedData = slot === undefined ? undefined : bytes.subarray(slot[0], slot[0] + slot[1]);
  const script = new vm.Script(Module.wrap(content), { filename, ...(cachedData === undefined ? {} : { cachedData }) });
  compiled.set(name, script);
  const run = script.runInThisContext() as (...args: readonly unknown[]) => unknown;
  return run.call(this.exports, this.exports, this.require.bind(this), this, filename, __dirname);
};

if (record !== undefined)
  process.on("exit", () => {
    writeCache(record);
  });

require("./cli.js");

/** An index as JSON, its length before it, then the bytecode of all files. */
function readCache(): { readonly slots: Readonly<Record<string, Slot>>; readonly bytes: Buffer } {
  try {
    const file = fs.readFileSync(`${folder}bytecode.bin`);
    const start = 4 + file.readUInt32LE(0);
    return { slots: JSON.parse(file.toString("latin1", 4, start)) as Record<string, Slot>, bytes: file.subarray(start) };
  } catch {
    return { slots: {}, bytes: Buffer.alloc(0) };
  }
}

function writeCache(to: string): void {
  for (const [name, script] of compiled) fs.writeFileSync(path.join(to, `${name}.${process.pid}`), script.createCachedData());
}
