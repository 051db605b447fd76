import * as z from "zod/mini";
import { MESSAGES } from "../protocol/wire/table.js";
import type { MessageName } from "../protocol/wire/messages.js";
import { fundedChannelFile, revokedHtlcs, unfundedChannelFile } from "./channel-file.js";
import { keysFile } from "./keys-file.js";
import { messageSchema } from "./messages.js";

const FILES = {
  channel: () => z.union([fundedChannelFile(), unfundedChannelFile()]),
  keys: () => keysFile,
  revoked: () => revokedHtlcs,
  message: () => messageSchema(),
} as const;

export type SchemaName = keyof typeof FILES | MessageName;

export const SCHEMA_NAMES: readonly SchemaName[] = [...(Object.keys(FILES) as (keyof typeof FILES)[]), ...(Object.keys(MESSAGES) as MessageName[])];

/** JSON Schema 2020-12 of what a file may hold. */
export function schemaOf(name: SchemaName): Record<string, unknown> {
  const schema = name in FILES ? FILES[name as keyof typeof FILES]() : messageSchema(name as MessageName);
  return { title: `chankit ${name}`, ...z.toJSONSchema(schema, { io: "input", target: "draft-2020-12" }) };
}
