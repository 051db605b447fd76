import { parseStrict } from "../../json/strict.js";
import { openStore } from "../../store/channel-store.js";
import type { FileSystem } from "../../store/file-system.js";
import type { CommandSpec, Report } from "./command.js";
import type { Context } from "./context.js";

/** A command as a user gives it. */
export interface MemoryCall {
  readonly args: readonly string[];
  /** Options under the names that the command gives them; true for one without a value. */
  readonly flags: Readonly<Record<string, string | true>>;
  readonly stdin?: string | undefined;
}

/** Runs a command as the program does, on files in memory, with nothing else of the world within its reach. Throws: what the command throws, usage-value. */
export async function runInMemory(command: CommandSpec, fs: FileSystem, { args, flags, stdin }: MemoryCall, parse = parseStrict): Promise<Report> {
  const options = Object.entries(command.flags).map(([name, flag]) => {
    const text = flags[name];
    return [name, text === undefined ? undefined : flag.parse(text === true ? "" : text)] as const;
  });
  const ctx: Context = {
    store: openStore(parse, { fs, pid: 1, isAlive: () => false, posix: true }),
    readStdin: () => stdin ?? "",
    readStream: () => {
      throw new Error("a command asked for a stream");
    },
    command: command.name,
    writeStdout: () => undefined,
    output: undefined,
    onInterrupt: () => () => undefined,
    sleep: () => Promise.resolve(),
    outputIsStdout: true,
    self: ["chankit"],
    entropy: (size) => new Uint8Array(size).fill(9),
    env: {},
    connect: () => Promise.reject(new Error("a command asked for a node")),
    mayStartThreads: false,
    warn: () => undefined,
  };
  return command.run(ctx, args, Object.fromEntries(options));
}
