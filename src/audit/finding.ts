/** Where in a run something is not as it should be. */
export type Place =
  | { readonly kind: "message"; readonly party: string; readonly seq: number; readonly type: string | null; readonly files: readonly string[] }
  | { readonly kind: "state"; readonly party: string; readonly file: string; readonly path: string | null }
  | { readonly kind: "journal"; readonly file: string; readonly line: number }
  | { readonly kind: "file"; readonly file: string; readonly path: string | null };

/**
 * `unreadable` not what its name says · `conflict` two copies of one message differ · `differs` not what the state leads to · `signature`, `secret` not good ·
 * `refused` by a rule · `not-due` said or taken in before its time · `missing` not in the record · `unreached` messages lead to no such moment ·
 * `state` a file is not what the messages lead to · `chain` a journal line does not follow on the one before · `document` what a command printed is not what
 * it prints at any moment of the run.
 */
export type FindingKind =
  "unreadable" | "conflict" | "differs" | "signature" | "secret" | "refused" | "not-due" | "missing" | "unreached" | "state" | "chain" | "document";

/** One divergence, with what was to be and what was found, where there are two values. */
export interface Finding {
  readonly kind: FindingKind;
  readonly at: Place;
  readonly fact: string;
  readonly expected: string | null;
  readonly found: string | null;
  /** The refusal's tag, where a rule has refused. */
  readonly code: string | null;
}

/** Stops a step of the replay; what catches it knows which message it was. */
export class Divergence extends Error {
  readonly what: Omit<Finding, "at" | "code">;

  constructor(what: Omit<Finding, "at" | "code">) {
    super(what.fact);
    this.what = what;
  }
}

/** A place at which two JSON values part, and what each has there. */
export interface Difference {
  readonly path: string;
  readonly expected: string;
  readonly found: string;
}

/** The first place at which two JSON values part; null where they are the same. */
export function firstDifference(expected: unknown, found: unknown, path = ""): Difference | null {
  return differences(expected, found, path).next().value ?? null;
}

/** Every place at which two JSON values part. */
export function* differences(expected: unknown, found: unknown, path = ""): Generator<Difference, undefined> {
  if (typeof expected === "object" && expected !== null && typeof found === "object" && found !== null) {
    const [left, right] = [new Map(Object.entries(expected)), new Map(Object.entries(found))];
    for (const key of new Set([...left.keys(), ...right.keys()])) {
      const step = Array.isArray(expected) ? `${path}[${key}]` : path === "" ? key : `${path}.${key}`;
      yield* differences(left.get(key), right.get(key), step);
    }
    return;
  }
  const [a, b] = [shown(expected), shown(found)];
  if (a !== b) yield { path, expected: a, found: b };
}

function shown(value: unknown): string {
  if (value === undefined) return "nothing";
  return typeof value === "string" ? value : JSON.stringify(value);
}
