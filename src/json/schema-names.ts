import { MESSAGES } from "../protocol/wire/table.js";
import type { MessageName } from "../protocol/wire/messages.js";
import { type CommandWithOutput, OUTPUTS } from "./outputs/outputs.js";

const FILES = ["channel", "keys", "revoked", "highwater", "journal", "message", "backup", "watch-state", "answer", "refusal", "case"] as const;
export type FileSchema = (typeof FILES)[number];
export type SchemaName = FileSchema | MessageName | `${CommandWithOutput}-output`;

/** Files, messages, what each command prints. */
export const SCHEMA_NAMES: readonly SchemaName[] = [
  ...FILES,
  ...(Object.keys(MESSAGES) as MessageName[]),
  ...(Object.keys(OUTPUTS) as CommandWithOutput[]).map((command) => `${command}-output` as const),
];

export function isSchemaName(name: string): name is SchemaName {
  return (SCHEMA_NAMES as readonly string[]).includes(name);
}

export function isFileSchema(name: SchemaName): name is FileSchema {
  return (FILES as readonly string[]).includes(name);
}

/** The command whose output a schema is of; null where it is of something else. */
export function commandOf(name: SchemaName): CommandWithOutput | null {
  return name.endsWith("-output") ? (name.slice(0, -"-output".length) as CommandWithOutput) : null;
}
