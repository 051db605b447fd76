import * as z from "zod/mini";
import { LnError } from "../protocol/errors.js";

/** A schema with two sides: the JSON value that is read and written, and the typed value that the rest of the program uses. */
export type Codec<T, Json = unknown> = z.ZodMiniType<T, Json>;

/** What the JSON side looks like: a plain zod schema, so that it prints as JSON Schema. */
type JsonSide = z.core.SomeType;

/** The typed side of every codec, unchecked: one for all, since making a schema is most of what a start costs. */
const TYPED: z.ZodMiniType = z.any();

/**
 * Codec from two functions. A refusal thrown by either becomes an issue, by which zod knows its path; `decode()` and
 * `encode()` throw it again with the path added.
 */
export function codec<J extends JsonSide, T>(
  json: J,
  convert: { readonly decode: (value: z.core.output<J>) => T; readonly encode: (value: T) => z.core.output<J> },
): z.ZodMiniCodec<J, z.ZodMiniType<T, T>> {
  return z.codec(json, TYPED as z.ZodMiniType<T, T>, {
    decode: (value, payload) => attempt(() => convert.decode(value), payload),
    encode: (value, payload) => attempt(() => convert.encode(value), payload),
  });
}

function attempt<A, T>(make: () => T, payload: z.core.ParsePayload<A>): T {
  // An absent optional key comes through here as undefined; zod drops the issue together with the key.
  if (payload.value === undefined) {
    payload.issues.push({ code: "invalid_type", expected: "nonoptional", input: undefined });
    return z.NEVER;
  }
  try {
    return make();
  } catch (error) {
    if (!(error instanceof LnError)) throw error;
    payload.issues.push({ code: "custom", message: error.message, params: { refusal: error }, input: payload.value });
    return z.NEVER;
  }
}

/** The refusal that a codec's function threw, if this is what the issue is about. */
export function refusalOf(issue: z.core.$ZodIssue): LnError | undefined {
  const refusal: unknown = issue.code === "custom" ? issue.params?.["refusal"] : undefined;
  return refusal instanceof LnError ? refusal : undefined;
}
