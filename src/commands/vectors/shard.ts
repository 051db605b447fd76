import { LnError } from "../../protocol/errors.js";

/** The `part`-th of `parts`, from 1. */
export interface Shard {
  readonly part: number;
  readonly parts: number;
}

/** `i/n`. Throws: usage-value. */
export function shard(text: string): Shard {
  const [, part, parts] = /^([1-9]\d{0,8})\/([1-9]\d{0,8})$/.exec(text) ?? [];
  const read = { part: Number(part), parts: Number(parts) };
  if (part !== undefined && read.part <= read.parts) return read;
  const expected = "i/n, the i-th of n parts, like 1/4";
  throw new LnError("usage-value", `${JSON.stringify(text)} is not ${expected}`, { value: text, expected });
}
