import { Command, CommanderError } from "commander";
import { GROUPS, type Group, REGISTRY } from "./commands/registry.js";
import type { CommandSpec, Document, Report } from "./commands/shared/command.js";
import { type Context, connectLazily, sleep, systemEntropy } from "./commands/shared/context.js";
import { integer } from "./commands/shared/options.js";
import { isStdout, onInterrupt, readChunks, stdinReader, stdoutIsTerminal, writeStderr, writeStdout } from "./commands/shared/io.js";
import { parseStrict } from "./json/strict.js";
import { LnError } from "./protocol/errors.js";
import { VERSION } from "./version.js";
import { openStore } from "./store/channel-store.js";

/** Options of every command. */
interface OutputOptions {
  readonly output?: string;
  readonly json?: boolean;
  readonly text?: boolean;
  /** Of commands that change a state: where the new one goes. */
  readonly channelOut?: string;
  readonly dryRun?: boolean;
}

const EXIT_NO = 1;
const EXIT_USAGE = 2;
const EXIT_INTERNAL = 70;

/** The kinds of refusal by the prefix of their codes. */
const EXITS: readonly (readonly [prefix: string, exit: number])[] = [
  ["output-closed", 141],
  ["usage-", EXIT_USAGE],
  ["input-", 3],
  ["json-", 3],
  ["wire-", 3],
  ["key-", 3],
  ["script-", 3],
  ["tx-", 3],
  ["vector-", 3],
  ["policy-", 4],
  ["state-", 4],
  ["file-", 5],
  ["output-", 6],
  ["busy-", 75],
  ["internal-", EXIT_INTERNAL],
];

function exitOf(code: string): number {
  return EXITS.find(([prefix]) => code.startsWith(prefix))?.[1] ?? EXIT_INTERNAL;
}

/** `help` is the list of commands, `help NAME` what `NAME --help` is. */
function withoutHelp(argv: readonly string[]): readonly string[] {
  const [first, second] = argv;
  if (first === undefined || (first === "help" && second === undefined)) return ["--help"];
  return first === "help" && REGISTRY.some(({ name }) => name === second) ? [second ?? "", "--help"] : argv;
}

async function main(given: readonly string[]): Promise<number> {
  const argv = withoutHelp(given);
  const program = new Command("chankit")
    .description("Lightning payment-channel updates as composable steps: two parties are two folders, a message is a file.")
    .usage("COMMAND PARTY [FILE|-] [options]")
    .helpCommand(false)
    .version(VERSION)
    .exitOverride()
    .configureOutput({ writeOut: writeStdout, writeErr: () => undefined })
    .addHelpText("after", '\nThe main path: pay → sign → verify-sig → make-revocation → receive-revocation. "chankit help workflow" shows it whole.');
  let exit = 0;
  const all = argv[0] === "help" && argv[1] === "all";
  const named = argv.find((arg) => !arg.startsWith("-"));
  // The others are for the list, and for a suggestion where a name is mistyped
  const wanted = all ? [] : REGISTRY.filter(({ name }) => name === argv[0]);
  for (const { name, group, summary, load } of wanted.length > 0 ? wanted : REGISTRY) {
    const command = program.command(name).summary(summary).helpGroup(groupTitle(group)).copyInheritedSettings(program);
    if (name === named || all) {
      declare(command, await load(), (code) => {
        exit = code;
      });
    }
  }
  if (all) {
    writeStdout(program.commands.map((command) => helpText(command)).join("\n"));
    return 0;
  }
  await program.parseAsync([...argv], { from: "user" });
  return exit;
}

/** What `NAME --help` prints, in the width of a file. */
function helpText(command: Command): string {
  const parts: string[] = [];
  command.configureOutput({ writeOut: (part) => parts.push(part), getOutHelpWidth: () => 100 });
  command.outputHelp();
  return parts.join("");
}

function groupTitle(group: Group): string {
  return `${GROUPS[group]}:`;
}

function declare(command: Command, spec: CommandSpec, setExit: (code: number) => void): void {
  command.description(spec.description ?? `${spec.summary[0]?.toUpperCase() ?? ""}${spec.summary.slice(1)}.`);
  for (const { syntax, help } of spec.args) command.argument(syntax, help);
  for (const { syntax, help, parse, required } of Object.values(spec.flags)) {
    const takesValue = syntax.includes("<");
    // With --batch there is no party for which it could be required
    if (required && !(spec.batch !== undefined && process.argv.includes("--batch"))) command.requiredOption(syntax, help, parse);
    else if (takesValue) command.option(syntax, help, parse);
    else command.option(syntax, help);
  }
  if (spec.batch !== undefined) {
    command.option("--batch", spec.batch.help);
    if (!("jobs" in spec.flags)) command.option("--jobs <count>", "with --batch: on so many threads (default: all cores)", integer(1, 1024));
  }
  command
    .option("-o, --output <path>", "write the result to a file, or under its own name into DIR/")
    .option("--json", "JSON on a terminal too, and errors as JSON")
    .option("--text", "a readable rendering of the same report")
    .addHelpText(
      "after",
      `\nExamples:\n${spec.examples.map((example) => `  $ ${example}`).join("\n")}\n\nExit codes: ${exitsOf(spec).join(", ")} (chankit help exit-codes)`,
    )
    .action(async (...given: unknown[]) => {
      const options = given[given.length - 2] as OutputOptions & Record<string, unknown>;
      const args = (given.slice(0, -2) as (string | string[] | undefined)[]).flat().filter((arg) => arg !== undefined);
      if (spec.batch !== undefined && !("jobs" in spec.flags) && options["jobs"] !== undefined && options["batch"] !== true)
        throw new LnError("usage-syntax", "--jobs goes with --batch", {});
      const ctx = contextFor(spec.name, options);
      if (spec.curve) await (await import("./commands/shared/curve.js")).useCurve();
      const values = Object.fromEntries(Object.entries(spec.flags).map(([name, flag]) => [name, options[optionName(flag.syntax)]]));
      if (spec.batch !== undefined && options["batch"] === true) {
        const other = Object.keys(options).find((name) => ![...BATCH_OPTIONS, ...(spec.batch?.with ?? [])].includes(name));
        if (other !== undefined)
          throw new LnError(
            "usage-syntax",
            `--batch reads all it needs from its lines, and prints to standard output: it does not go with --${other}`,
            {},
          );
        const { runBatch } = await import("./commands/shared/batch.js");
        const well = await runBatch(spec.batch, spec.batch.file(args), options, options["jobs"] as number | undefined);
        setExit(well ? 0 : EXIT_NO);
        return;
      }
      if (options.output !== undefined && !isStdout(options.output) && options["dryRun"] !== true) ctx.store.requireWritable(options.output);
      const report = await spec.run(ctx, args, values);
      await present(ctx, report, options);
      setExit(report.verdict === "no" ? EXIT_NO : 0);
    });
}

/** What goes with every --batch. */
const BATCH_OPTIONS = ["batch", "jobs", "json"];

/** What any command can end with, and what this one can. */
function exitsOf({ exits }: CommandSpec): readonly number[] {
  return [...new Set([0, 2, 3, 6, ...exits])].sort((a, b) => a - b);
}

/** The name under which commander keeps an option: `--to-self-delay <blocks>` → toSelfDelay. */
function optionName(syntax: string): string {
  const long = /--([a-z0-9-]+)/.exec(syntax)?.[1] ?? "";
  return long.replace(/-([a-z0-9])/g, (_, letter: string) => letter.toUpperCase());
}

function contextFor(command: string, { output }: OutputOptions): Context {
  return {
    store: openStore(parseStrict),
    readStdin: stdinReader(),
    readStream: () => readChunks("-"),
    writeStdout,
    command,
    output: output === undefined || isStdout(output) ? undefined : output,
    onInterrupt,
    sleep,
    outputIsStdout: output === undefined || isStdout(output),
    self: [process.execPath, ...process.argv.slice(1, 2)],
    entropy: systemEntropy,
    env: process.env,
    connect: connectLazily,
    mayStartThreads: true,
    warn: (line) => {
      writeStderr(`chankit: warning: ${line}`);
    },
  };
}

async function present(ctx: Context, report: Report, { output, json, text, channelOut, dryRun }: OutputOptions): Promise<void> {
  try {
    if (report.streamed === true) return;
    if (output !== undefined && !isStdout(output) && dryRun !== true) {
      const reports = output.endsWith("/") && report.parts !== undefined ? report.parts : [report];
      const paths = reports.map((each) => writeReport(ctx, each, output));
      // One document each way: behind a state there is no place for them
      if (channelOut === undefined || !isStdout(channelOut)) writeStdout(paths.map((path) => `${path}\n`).join(""));
      return;
    }
    if (report.plain !== undefined && json !== true) {
      writeStdout(report.plain);
      return;
    }
    if (json !== true && (text === true || (output === undefined && stdoutIsTerminal()))) {
      const { loadStyle, renderText } = await import("./commands/shared/render.js");
      const style = await loadStyle(process.env, stdoutIsTerminal());
      const { rendered } = report;
      writeStdout(typeof rendered === "function" ? rendered(style) : (rendered ?? renderText(report.readable ?? report.document, style)));
      return;
    }
    writeStdout(printed(report.document));
  } catch (error) {
    if (report.undelivered !== undefined && error instanceof LnError && error.code.startsWith("output-")) {
      writeStderr(`chankit: not delivered, but in the state: ${report.undelivered}`);
    }
    throw error;
  }
}

function printed(document: Document): string {
  return `${JSON.stringify(document, null, 2)}\n`;
}

/** Throws: usage-output-folder, output-…. */
function writeReport(ctx: Context, { fileName, plain, document }: Report, output: string): string {
  const content = plain ?? printed(document);
  if (!output.endsWith("/")) {
    ctx.store.writeOutput(output, content, "replace");
    return output;
  }
  if (fileName === undefined)
    throw new LnError("usage-output-folder", "this result has no name of its own: name a file instead of a folder", { output });
  ctx.store.makeFolder(output);
  ctx.store.writeOutput(output + fileName, content, "keep");
  return output + fileName;
}

/** Tells what went wrong; the exit code is what is left to say. */
function explain(error: unknown, argv: readonly string[]): number {
  if (error instanceof CommanderError) {
    if (error.exitCode === 0) return 0;
    const message = error.message.replace(/^error: /, "");
    tell({ code: "usage-syntax", message, details: {} }, argv);
    return EXIT_USAGE;
  }
  if (error instanceof LnError) {
    const exit = exitOf(error.code);
    if (exit !== 141) tell(error, argv);
    return exit;
  }
  tell({ code: "internal-error", message: error instanceof Error ? (error.stack ?? error.message) : String(error), details: {} }, argv);
  return EXIT_INTERNAL;
}

function tell({ code, message, details }: Pick<LnError, "message" | "details"> & { readonly code: string }, argv: readonly string[]): void {
  if (argv.includes("--json")) {
    writeStderr(JSON.stringify({ error: { code, message, details } }));
    return;
  }
  writeStderr(`chankit: ${code}: ${message}`);
  const { bolt_asks: asks } = details;
  if (typeof asks === "string") writeStderr(`  BOLT asks to ${asks}.`);
  if (code.startsWith("usage-")) writeStderr('  "chankit help" lists the commands, "chankit COMMAND --help" the options of one.');
}

const argv = process.argv.slice(2);
/** When the command is through, what it says is written and the exit code set. */
export const ended: Promise<void> = main(argv)
  .catch((error: unknown) => explain(error, argv))
  .then(
    (exit) => {
      process.exitCode = exit;
    },
    () => {
      process.exitCode = EXIT_INTERNAL;
    },
  );
