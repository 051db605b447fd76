import { type JsonPath, formatPath } from "../json/path.js";

/** A value that is not what was derived. `expected` is absent where a list lacks an element, `derived` where no such value is derived. */
export interface Difference {
  readonly path: string;
  readonly expected?: unknown;
  readonly derived?: unknown;
}

/** How the elements of one list find their partners; by their places where there is no rule. */
export interface ListRule {
  /** Elements with the same key belong together. */
  readonly key: (element: Readonly<Record<string, unknown>>) => string;
  /** Whether elements may be missing from what is expected. */
  readonly partial: boolean;
}

/** Rules by the key that a list stands under. */
export type ListRules = Readonly<Record<string, ListRule>>;

export interface Comparison {
  /** How many single values were expected. */
  readonly values: number;
  readonly differences: readonly Difference[];
}

/** Every value of `expected` against what was derived. Nothing that is expected goes unlooked at; what is only derived is not asked for. */
export function compare(expected: unknown, derived: unknown, path: JsonPath, rules: ListRules = {}): Comparison {
  const differences: Difference[] = [];
  const values = walk(expected, derived, path);
  return { values, differences };

  function differ(at: JsonPath, pair: { readonly expected?: unknown; readonly derived?: unknown }): void {
    differences.push({ path: formatPath(at), ...pair });
  }

  function walk(wanted: unknown, found: unknown, at: JsonPath): number {
    if (Array.isArray(wanted) && Array.isArray(found)) return walkList(wanted, found, at);
    if (isObject(wanted) && isObject(found)) return walkObject(wanted, found, at);
    if (!sameValue(wanted, found)) differ(at, { expected: wanted, derived: found });
    return 1;
  }

  function walkObject(wanted: JsonObject, found: JsonObject, at: JsonPath): number {
    let count = 0;
    for (const [key, value] of Object.entries(wanted)) {
      const here = [...at, key];
      if (Object.hasOwn(found, key)) {
        count += walk(value, found[key], here);
      } else {
        differ(here, { expected: value });
        count += 1;
      }
    }
    return count;
  }

  function walkList(wanted: readonly unknown[], found: readonly unknown[], at: JsonPath): number {
    const name = at.at(-1);
    const rule = typeof name === "string" ? rules[name] : undefined;
    const partners = rule === undefined ? wanted.map((_, index) => index) : pairUp(wanted, found, rule);
    // An empty list is a statement, too.
    let count = wanted.length === 0 ? 1 : 0;
    for (const [index, value] of wanted.entries()) {
      const partner = partners[index] ?? found.length;
      if (partner < found.length) {
        count += walk(value, found[partner], [...at, index]);
      } else {
        differ([...at, index], { expected: value });
        count += 1;
      }
    }
    if (rule?.partial !== true) {
      const taken = new Set(partners);
      const extra = found.filter((_, index) => !taken.has(index));
      for (const [index, value] of extra.entries()) differ([...at, wanted.length + index], { derived: value });
    }
    return count;
  }
}

/** For each wanted element its partner's index: by key where the keys agree, and what is left in the order that it stands in. */
function pairUp(wanted: readonly unknown[], found: readonly unknown[], { key }: ListRule): readonly (number | undefined)[] {
  const keyOf = (element: unknown): string | null => (isObject(element) ? key(element) : null);
  const free = new Map<string | null, number[]>();
  for (const [index, element] of found.entries()) {
    const name = keyOf(element);
    free.set(name, [...(free.get(name) ?? []), index]);
  }
  const byKey = wanted.map((element) => free.get(keyOf(element))?.shift());
  const left = [...free.values()].flat().sort((a, b) => a - b);
  return byKey.map((partner) => partner ?? left.shift());
}

type JsonObject = Readonly<Record<string, unknown>>;

export function isObject(value: unknown): value is JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** Hex in either case, and decimal numbers also as strings: what is read elsewhere, too. */
const EITHER_WAY = /^(0x)?[0-9a-f]+$/i;

function sameValue(wanted: unknown, found: unknown): boolean {
  if (wanted === found) return true;
  if (typeof wanted !== "string" || (typeof found !== "string" && typeof found !== "number")) return false;
  return EITHER_WAY.test(wanted) && wanted.toLowerCase() === String(found);
}
