import { VERSION } from "../../version.js";
import { type Entry, GROUPS, type Group } from "../registry.js";
import type { CommandSpec } from "../shared/command.js";
import { TOPICS } from "./topics.js";

/** A page of the manual: the file's name, and its text for man(7). */
export interface ManPage {
  readonly fileName: string;
  readonly text: string;
}

interface Documented {
  readonly entry: Entry;
  readonly spec: CommandSpec;
}

/** The manual: chankit(1), and a page for each command, as git has it. */
export async function manPages(registry: readonly Entry[]): Promise<readonly [ManPage, ...ManPage[]]> {
  const commands = await Promise.all(registry.map(async (entry): Promise<Documented> => ({ entry, spec: await entry.load() })));
  return [mainPage(commands), ...commands.map(commandPage)];
}

/** What every command has, as cli.ts declares it. */
const COMMON: readonly (readonly [syntax: string, help: string])[] = [
  ["-o, --output <path>", "write the result to a file, or under its own name into DIR/"],
  ["--json", "JSON on a terminal too, and errors as JSON"],
  ["--text", "a readable rendering of the same report"],
  ["-h, --help", "display help for command"],
];

const ENVIRONMENT: readonly (readonly [name: string, help: string])[] = [
  [
    "CHANKIT_ECC",
    "wasm or native: which curve backend signs and verifies; the native one where it is installed, unless given. Both give the same bytes.",
  ],
  ["NO_COLOR, FORCE_COLOR", "whether what is for people has colours"],
];

function mainPage(commands: readonly Documented[]): ManPage {
  const groups = (Object.keys(GROUPS) as Group[]).flatMap((group) => [
    `.SS ${plain(GROUPS[group])}`,
    ...commands.flatMap(({ entry }) =>
      entry.group === group ? [".TP", `.BR chankit\\-${code(entry.name)} (1)`, text(`${capital(entry.summary)}.`)] : [],
    ),
  ]);
  return page("chankit", [
    section("NAME", ["chankit \\- Lightning payment\\-channel updates as composable steps"]),
    section("SYNOPSIS", [".B chankit", ".I COMMAND", "[\\fIPARTY\\fR] [\\fIFILE\\fR|\\-] [\\fIoptions\\fR]"]),
    section("DESCRIPTION", [
      text(
        "Every step of a channel update is one command that reads JSON, does one thing to real Bitcoin transactions, and writes JSON. Two parties are two folders; what passes between them is a message file. " +
          "Nobody's command ever needs the other's secrets.",
      ),
    ]),
    section("COMMANDS", groups),
    section("OPTIONS", [text("Every command has these, beside its own."), ...COMMON.flatMap(item)]),
    section("THE UPDATE", example(TOPICS.workflow())),
    section("FILES", example(TOPICS.files())),
    section("EXIT STATUS", example(TOPICS["exit-codes"]())),
    section("ENVIRONMENT", ENVIRONMENT.flatMap(item)),
    section("SEE ALSO", [
      commands.map(({ entry }, at) => `.BR chankit\\-${code(entry.name)} (1)${at === commands.length - 1 ? "" : ","}`).join("\n"),
    ]),
  ]);
}

function commandPage({ entry: { name, summary }, spec }: Documented): ManPage {
  const { description, args, flags, examples, exits, batch } = spec;
  const options = Object.values(flags).map(({ syntax, help }) => [syntax, help] as const);
  const ofBatch =
    batch === undefined
      ? []
      : [["--batch", batch.help] as const, ["--jobs <count>", "with --batch: on so many threads (default: all cores)"] as const];
  return page(`chankit-${name}`, [
    section("NAME", [`chankit\\-${code(name)} \\- ${plain(summary)}`]),
    section("SYNOPSIS", [`.B chankit ${code(name)}`, [...args.map(({ syntax }) => syntaxOf(syntax)), "[\\fIoptions\\fR]"].join(" ")]),
    section("DESCRIPTION", [text(description ?? `${capital(summary)}.`)]),
    ...(args.length === 0
      ? []
      : [
          section(
            "ARGUMENTS",
            args.flatMap(({ syntax, help }) => [".TP", syntaxOf(syntax), text(capital(help))]),
          ),
        ]),
    section("OPTIONS", [...options, ...ofBatch, ...COMMON].flatMap(item)),
    section("EXAMPLES", example(examples.join("\n"))),
    section("EXIT STATUS", [text(`${[...new Set([0, 2, 3, 6, ...exits])].sort((a, b) => a - b).join(", ")}: see chankit(1).`)]),
    section("SEE ALSO", [".BR chankit (1)"]),
  ]);
}

function page(name: string, sections: readonly string[]): ManPage {
  return { fileName: `${name}.1`, text: `.TH ${code(name).toUpperCase()} 1 "" "chankit ${VERSION}" "chankit"\n${sections.join("\n")}\n` };
}

function section(title: string, lines: readonly string[]): string {
  return [`.SH ${title}`, ...lines].join("\n");
}

/** An option with its value set apart, and what it is for. */
function item([syntax, help]: readonly [string, string]): readonly string[] {
  return [".TP", syntaxOf(syntax), text(capital(help))];
}

/** `--owner <side>`: the name in bold, the value in italics. */
function syntaxOf(syntax: string): string {
  return syntax
    .split(/(<[^>]+>|\[[^\]]+\])/)
    .filter((part) => part !== "")
    .map((part) =>
      /^[<[]/.test(part) ? valueOf(part) : /^[-\w]/.test(part) ? `\\fB${code(part.trimEnd())}\\fR${part.endsWith(" ") ? " " : ""}` : code(part),
    )
    .join("");
}

function valueOf(part: string): string {
  const name = `\\fI${code(part.slice(1, -1))}\\fR`;
  return part.startsWith("[") ? `[${name}]` : name;
}

/** As it stands, each line by itself. */
function example(lines: string): readonly string[] {
  return [
    ".nf",
    ...lines
      .trimEnd()
      .split("\n")
      .map((line) => (line === "" ? "" : atStart(code(line)))),
    ".fi",
  ];
}

/** Running text, which man(1) breaks. */
function text(words: string): string {
  return atStart(plain(words));
}

/** Running text: only what begins an option is no hyphen. */
const plain = (words: string): string => words.replaceAll("\\", "\\e").replace(/(?<![\w-])--?(?=\w)/g, (dashes) => dashes.replaceAll("-", "\\-"));
/** What is typed as it stands: no hyphen of a text's. */
const code = (words: string): string => words.replaceAll("\\", "\\e").replaceAll("-", "\\-");
/** A dot or a quote that begins a line would be a request. */
const atStart = (line: string): string => (/^[.']/.test(line) ? `\\&${line}` : line);
const capital = (words: string): string => `${words[0]?.toUpperCase() ?? ""}${words.slice(1)}`;
