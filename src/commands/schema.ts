import { LnError } from "../protocol/errors.js";
import { type SchemaName, SCHEMA_NAMES, schemaOf } from "../json/schemas.js";
import { defineCommand } from "./shared/command.js";

export const command = defineCommand({
  name: "schema",
  summary: "JSON Schemas of the files",
  description: "Prints the JSON Schema (2020-12) of a file or a message; without a name, the list of names.",
  args: [{ syntax: "[name]", help: "channel, keys, revoked, message, a message's type …" }],
  flags: {},
  examples: ["chankit schema", "chankit schema channel", "chankit schema commitment_signed"],
  curve: false,
  exits: [],
  run: (_ctx, [name]) => {
    if (name === undefined) return { document: { schemas: SCHEMA_NAMES } };
    if (!(SCHEMA_NAMES as readonly string[]).includes(name)) {
      throw new LnError("usage-value", `there is no schema ${JSON.stringify(name)}: ${SCHEMA_NAMES.join(", ")}`, { value: name });
    }
    return { document: schemaOf(name as SchemaName), fileName: `${name}.schema.json` };
  },
});
