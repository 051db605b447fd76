import { $constructor, $ZodType } from "zod/v4/core";
import type * as z from "zod/mini";
import { LnError } from "../protocol/errors.js";

/** A schema with two sides: the JSON value that is read and written, and the typed value that the rest of the program uses. */
export type Codec<T, Json = unknown> = z.core.$ZodType<T, Json>;

/** The JSON side of a value that has no parts. */
export interface JsonForm<Json> {
  readonly is: (value: unknown) => value is Json;
  /** What errors call it: "32 bytes in hex". */
  readonly expected: string;
  readonly jsonSchema: Readonly<Record<string, unknown>>;
}

interface Conversion<Json, T> {
  readonly decode: (value: Json) => T;
  readonly encode: (value: T) => Json;
}

type CodecDef = z.core.$ZodTypeDef & { readonly type: "custom"; readonly form: JsonForm<unknown>; readonly convert: Conversion<unknown, unknown> };

/** One schema, where zod's own parts would make four of it: making schemas is most of what a start costs. */
const Primitive = $constructor<$ZodType, CodecDef>("Primitive", (inst, def) => {
  const { form, convert } = def;
  $ZodType.init(inst, def);
  inst._zod.parse = (payload, { direction }) => {
    const backward = direction === "backward";
    if (backward) attempt(payload, convert.encode);
    if (payload.issues.length === 0 && !form.is(payload.value)) {
      payload.issues.push({ code: "custom", message: form.expected, input: payload.value, inst });
    }
    if (!backward && payload.issues.length === 0) attempt(payload, convert.decode);
    return payload;
  };
  inst._zod.toJSONSchema = () => ({ ...form.jsonSchema });
});

/**
 * Codec from two functions. A refusal thrown by either becomes an issue, by which zod knows its path; `decode()` and
 * `encode()` throw it again with the path added.
 */
export function codec<Json, T>(form: JsonForm<Json>, convert: Conversion<Json, T>): Codec<T, Json> {
  return new Primitive({ type: "custom", form, convert } as unknown as CodecDef) as Codec<T, Json>;
}

/** A value that is the same on both sides. */
export function plain<Json>(form: JsonForm<Json>): Codec<Json, Json> {
  return codec(form, { decode: (value) => value, encode: (value) => value });
}

function attempt(payload: z.core.ParsePayload, convert: (value: unknown) => unknown): void {
  // An absent optional key comes through here as undefined; zod drops the issue together with the key.
  if (payload.value === undefined) {
    payload.issues.push({ code: "invalid_type", expected: "nonoptional", input: undefined });
    return;
  }
  try {
    payload.value = convert(payload.value);
  } catch (error) {
    if (!(error instanceof LnError)) throw error;
    payload.issues.push({ code: "custom", message: error.message, params: { refusal: error }, input: payload.value });
  }
}

/** The refusal that a codec's function threw, if this is what the issue is about. */
export function refusalOf(issue: z.core.$ZodIssue): LnError | undefined {
  const refusal: unknown = issue.code === "custom" ? issue.params?.["refusal"] : undefined;
  return refusal instanceof LnError ? refusal : undefined;
}
