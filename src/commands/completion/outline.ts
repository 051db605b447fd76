import { SCHEMA_NAMES } from "../../json/schema-names.js";
import { ERROR_CODES } from "../../protocol/errors.js";
import type { Entry } from "../registry.js";
import type { CommandSpec } from "../shared/command.js";
import { TOPIC_NAMES } from "../shared/topic-names.js";

/** What stands at a place of a command line: one of some words, a party's folder, a file, or what only the user knows. */
export type Place =
  | { readonly kind: "words"; readonly words: readonly string[] }
  | { readonly kind: "party" }
  | { readonly kind: "file" }
  | { readonly kind: "free"; readonly name: string };

export interface OptionOutline {
  /** `--owner`. */
  readonly name: string;
  readonly help: string;
  /** Null for one without a value. */
  readonly value: Place | null;
}

export interface CommandOutline {
  readonly name: string;
  readonly summary: string;
  readonly options: readonly OptionOutline[];
  /** The arguments in their order; the last one's kind goes on for more. */
  readonly places: readonly Place[];
}

/** Options that every command has, as cli.ts declares them. */
const COMMON: readonly OptionOutline[] = [
  { name: "--output", help: "write the result to a file, or under its own name into DIR/", value: { kind: "file" } },
  { name: "--json", help: "JSON on a terminal too, and errors as JSON", value: null },
  { name: "--text", help: "a readable rendering of the same report", value: null },
  { name: "--help", help: "display help for command", value: null },
];
const BATCH: readonly OptionOutline[] = [
  { name: "--batch", help: "NDJSON in, a result a line", value: null },
  { name: "--jobs", help: "with --batch: on so many threads", value: { kind: "free", name: "count" } },
];

/** What can be completed of every command. */
export async function outlineOf(registry: readonly Entry[]): Promise<readonly CommandOutline[]> {
  const names = registry.map(({ name }) => name);
  return Promise.all(registry.map(async ({ name, summary, load }) => outline(name, summary, await load(), names)));
}

function outline(name: string, summary: string, { args, flags, batch }: CommandSpec, commands: readonly string[]): CommandOutline {
  const options = Object.values(flags).map(({ syntax, help, parse }): OptionOutline => {
    const value = /<([^>]+)>/.exec(syntax)?.[1];
    const name = /--[a-z0-9-]+/.exec(syntax)?.[0] ?? syntax;
    return { name, help, value: value === undefined ? null : name === "--party" ? { kind: "party" } : valuePlace(value, parse) };
  });
  return {
    name,
    summary,
    options: [...options, ...(batch === undefined ? [] : BATCH.filter(({ name: added }) => !options.some((own) => own.name === added))), ...COMMON],
    places: args.map(({ syntax }) => argumentPlace(name, syntax, commands)),
  };
}

function valuePlace(name: string, parse: object): Place {
  if ("values" in parse) return { kind: "words", words: parse.values as readonly string[] };
  if (name === "rule") return { kind: "words", words: policyTags() };
  if (/^(file|files|path|folder|dir)$/.test(name)) return { kind: "file" };
  return { kind: "free", name };
}

/** The interlocks and limits by their tags. */
function policyTags(): readonly string[] {
  return Object.keys(ERROR_CODES).filter((code) => code.startsWith("policy-"));
}

function argumentPlace(command: string, syntax: string, commands: readonly string[]): Place {
  const name = syntax.replace(/[<>[\].]/g, "");
  if (command === "schema") return { kind: "words", words: SCHEMA_NAMES };
  if (command === "help") return { kind: "words", words: ["all", ...TOPIC_NAMES, ...commands] };
  if (command === "completion") return { kind: "words", words: SHELLS };
  if (command === "vectors" && name === "action") return { kind: "words", words: ["verify", "generate"] };
  // A party's folder is a folder: both are completed as files are
  if (command === "diff" || name === "paths" || name === "dir") return { kind: "file" };
  if (/^part(y|ies)$/.test(name)) return { kind: "party" };
  if (/file|message|tx|case|backup|funding/.test(name)) return { kind: "file" };
  return { kind: "free", name };
}

export const SHELLS = ["bash", "zsh", "fish"] as const;
export type Shell = (typeof SHELLS)[number];
