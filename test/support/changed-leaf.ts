/** Every place in a JSON document that holds a value, as a path of keys. */
export function leaves(value: unknown, path: readonly string[] = []): readonly (readonly string[])[] {
  if (typeof value !== "object" || value === null) return [path];
  return Object.entries(value).flatMap(([key, inner]) => leaves(inner, [...path, key]));
}

/** A document with another value there. */
export function changedAt(document: unknown, [key, ...rest]: readonly string[]): unknown {
  if (key === undefined) return otherLeaf(document);
  const copy = structuredClone(document) as Record<string, unknown>;
  copy[key] = changedAt(copy[key], rest);
  return copy;
}

function otherLeaf(value: unknown): unknown {
  if (typeof value === "number") return value + 1;
  if (typeof value === "boolean") return !value;
  if (typeof value !== "string") return value;
  // A last digit that is another, of hex too
  return value.slice(0, -1) + (value.endsWith("1") ? "2" : "1");
}
