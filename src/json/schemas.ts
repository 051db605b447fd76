import { MESSAGES } from "../protocol/wire/table.js";
import type { MessageName } from "../protocol/wire/messages.js";
import { fundedChannelFile, revokedHtlcs, unfundedChannelFile } from "./channel-file.js";
import { type JsonSchema, union } from "./codec.js";
import { journalLine } from "./journal.js";
import { keysFile } from "./keys-file.js";
import { messageSchema } from "./messages.js";

const FILES = {
  channel: () => union(fundedChannelFile(), unfundedChannelFile()).jsonSchema(),
  keys: () => keysFile.jsonSchema(),
  revoked: () => revokedHtlcs.jsonSchema(),
  journal: () => journalLine.jsonSchema(),
  message: () => messageSchema(),
} as const;

export type SchemaName = keyof typeof FILES | MessageName;

export const SCHEMA_NAMES: readonly SchemaName[] = [...(Object.keys(FILES) as (keyof typeof FILES)[]), ...(Object.keys(MESSAGES) as MessageName[])];

/** JSON Schema 2020-12 of what a file may hold. */
export function schemaOf(name: SchemaName): JsonSchema {
  const schema = name in FILES ? FILES[name as keyof typeof FILES]() : messageSchema(name as MessageName);
  return { title: `chankit ${name}`, $schema: "https://json-schema.org/draft/2020-12/schema", ...schema };
}
