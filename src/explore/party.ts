import type { Files } from "../store/memory-files.js";

/** A command as a user gives it, without the party's folder, which comes first. */
export interface Call {
  readonly command: string;
  readonly args?: readonly string[];
  /** Options under the names that the command gives them; true for one without a value. */
  readonly flags?: Readonly<Record<string, string | true>>;
  readonly stdin?: string;
}

export type Answer =
  | { readonly kind: "done"; readonly files: Files; readonly document: Readonly<Record<string, unknown>>; readonly parts: readonly unknown[] }
  | { readonly kind: "refused"; readonly code: string; readonly message: string; readonly details: Readonly<Record<string, unknown>> };

/** Runs one command on one party's files: the only way in which anything honest happens. Commands never see more than these files. */
export type Run = (files: Files, call: Call) => Promise<Answer>;

/** Where a party's folder is in its files. */
export const FOLDER = "/party";
