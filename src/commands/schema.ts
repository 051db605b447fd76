import { LnError } from "../protocol/errors.js";
import { isSchemaName, SCHEMA_NAMES } from "../json/schema-names.js";
import { defineCommand } from "./shared/command.js";

export const command = defineCommand({
  name: "schema",
  summary: "JSON Schemas of the files, the messages, and what commands print",
  description:
    "Prints the JSON Schema (2020-12) of a file, a message, or what a command prints (COMMAND-output); without a name, the list of names. A file's schema allows what chankit's reader takes, and no more.",
  args: [{ syntax: "[name]", help: "channel, keys, revoked, highwater, journal, message, a message's type, status-output …" }],
  flags: {},
  examples: ["chankit schema", "chankit schema channel", "chankit schema commitment_signed", "chankit schema status-output > status.schema.json"],
  curve: false,
  exits: [],
  run: async (_ctx, [name]) => {
    if (name === undefined) return { document: { schemas: SCHEMA_NAMES } };
    if (!isSchemaName(name)) {
      throw new LnError("usage-value", `there is no schema ${JSON.stringify(name)}: ${SCHEMA_NAMES.join(", ")}`, { value: name });
    }
    const { schemaOf } = await import("../json/schemas.js");
    // The case's codec is the vectors' own
    const { caseDocument } = await import("../vectors/case-document.js");
    return { document: schemaOf(name, () => caseDocument.jsonSchema()), fileName: `${name}.schema.json` };
  },
});
