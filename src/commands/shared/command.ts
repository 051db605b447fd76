import type { Context } from "./context.js";
import type { FlagValues, Flags } from "./options.js";
import type { Style } from "./render.js";

/** A JSON object. */
export type Document = Readonly<Record<string, unknown>>;

/** What a command gives back: one JSON document, for standard output or a file. */
export interface Report {
  readonly document: Document;
  /** The same said for people, where a rendering of the document would be hard to read. */
  readonly readable?: Document;
  /** The file's name where the output is a folder. */
  readonly fileName?: string;
  /** Results that have a file each where the output is a folder; `document` lists them. */
  readonly parts?: readonly Report[];
  /** Plain text that is the result itself, instead of the document. */
  readonly plain?: string;
  /** All of it has gone to standard output already, line by line. */
  readonly streamed?: boolean;
  /** How people see it, where a table says it better than the document line by line. */
  readonly rendered?: string | ((style: Style) => string);
  /** The verdict of a command that asks: no is exit code 1. */
  readonly verdict?: "yes" | "no";
  /** Where the state has moved: how to get the document again if it could not be written. */
  readonly undelivered?: string;
}

/** A pure command whose input line carries all that it needs: with --batch it reads NDJSON. */
export interface Batch {
  /** What a line holds. */
  readonly help: string;
  /** The file among the arguments. Throws: usage-…. */
  readonly file: (args: readonly string[]) => string;
  /** Options that go with it. */
  readonly with: readonly string[];
  /** One line's result; `source` is what its refusals call it. */
  readonly line: (text: string, source: string, options: Readonly<Record<string, unknown>>) => Report | Promise<Report>;
}

export interface CommandSpec<F extends Flags = Flags> {
  readonly name: string;
  readonly summary: string;
  /** More for `help NAME`. */
  readonly description?: string;
  /** Positional arguments as commander writes them: `<party>`, `[file]`. */
  readonly args: readonly { readonly syntax: string; readonly help: string }[];
  readonly flags: F;
  readonly examples: readonly string[];
  /** Whether it needs the curve: what does not, starts faster. */
  readonly curve: boolean;
  /** Exit codes that it can end with, besides 2, 3 and 70. */
  readonly exits: readonly number[];
  readonly batch?: Batch;
  readonly run: (ctx: Context, args: readonly string[], options: FlagValues<F>) => Report | Promise<Report>;
}

export function defineCommand<const F extends Flags>(spec: CommandSpec<F>): CommandSpec<F> {
  return spec;
}
