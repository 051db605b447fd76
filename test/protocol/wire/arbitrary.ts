import fc from "fast-check";
import { bytes32, point, scriptPubkey, signature, txid } from "../../../src/protocol/bytes.js";
import { camelCase } from "../../../src/protocol/camel-case.js";
import { Secret32 } from "../../../src/protocol/secret.js";
import type { Form } from "../../../src/protocol/wire/field.js";
import type { Message, MessageName } from "../../../src/protocol/wire/messages.js";
import { MESSAGES, type MessageSpec } from "../../../src/protocol/wire/table.js";

const bytes = (size: number) => fc.uint8Array({ minLength: size, maxLength: size });
const uint = (bits: number) => fc.oneof(fc.bigInt(0n, 2n ** BigInt(bits) - 1n), fc.constantFrom(0n, 2n ** BigInt(bits) - 1n));

/** Values of a field, from nothing but its form in the table. */
function ofForm(form: Form): fc.Arbitrary<unknown> {
  switch (form.kind) {
    case "u8":
    case "u16":
    case "u32":
      return uint(Number(form.kind.slice(1))).map(Number);
    case "u64":
    case "satoshi":
    case "millisatoshi":
      return uint(64);
    case "feerate_per_kw":
      return uint(32);
    case "bytes32":
      return bytes(32).map((raw) => bytes32(raw));
    case "txid":
      return bytes(32).map(txid);
    case "signature":
      return bytes(64).map(signature);
    case "script":
      return fc.uint8Array({ maxLength: 40 }).map(scriptPubkey);
    case "flag":
      return fc.constant(true);
    case "bytes":
      return form.size === undefined ? fc.uint8Array({ maxLength: 300 }) : bytes(form.size);
    case "point":
      return fc.tuple(fc.constantFrom(2, 3), bytes(32)).map(([head, x]) => point(Uint8Array.of(head, ...x)));
    case "secret":
      return bytes(32).map((raw) => new Secret32(raw));
    case "list":
      return fc.array(ofForm(form.of), { maxLength: 5 });
    case "struct":
      return record(form.parts, Object.keys(form.parts));
  }
}

function record(forms: Readonly<Record<string, Form>>, required: readonly string[]): fc.Arbitrary<object> {
  const shape = Object.fromEntries(Object.entries(forms).map(([name, form]) => [camelCase(name), ofForm(form)]));
  return fc.record<Record<string, unknown>, string>(shape, { requiredKeys: required.map((name) => camelCase(name)), noNullPrototype: true });
}

/** Messages of one type, with any of its TLV records and some that nobody knows. */
export function messageOf(name: MessageName): fc.Arbitrary<Message> {
  const { fields, tlvs }: MessageSpec = MESSAGES[name];
  const known = new Set(Object.values(tlvs).map(({ type }) => type));
  const forms = Object.fromEntries(
    [...Object.entries(fields), ...Object.entries(tlvs).map(([key, { field }]) => [key, field] as const)].map(([key, { form }]) => [key, form]),
  );
  const unknownTlvs = fc
    .uniqueArray(
      fc.record({
        type: uint(64)
          .map((type) => type | 1n)
          .filter((type) => !known.has(type)),
        value: fc.uint8Array({ maxLength: 260 }),
      }),
      { selector: ({ type }) => type, maxLength: 3 },
    )
    .map((records) => records.sort((a, b) => (a.type < b.type ? -1 : 1)));
  return fc
    .tuple(record(forms, Object.keys(fields)), unknownTlvs)
    .map(([values, unknown]) => ({ type: name, ...values, ...(unknown.length > 0 ? { unknownTlvs: unknown } : {}) }) as unknown as Message);
}

export const MESSAGE_NAMES = Object.keys(MESSAGES) as MessageName[];
export const anyMessage = fc.constantFrom(...MESSAGE_NAMES).chain(messageOf);
