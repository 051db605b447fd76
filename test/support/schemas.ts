import { Ajv2020, type ValidateFunction } from "ajv/dist/2020.js";
import { type SchemaName, isSchemaName } from "../../src/json/schema-names.js";
import { schemaOf } from "../../src/json/schemas.js";
import { caseDocument } from "../../src/vectors/case-document.js";

const compiled = new Map<string, ValidateFunction>();

/** What judges documents by one of our schemas: JSON Schema 2020-12 as a validator of others' reads it, which takes no keyword that it does not know. */
export function validatorOf(name: SchemaName): ValidateFunction {
  let validate = compiled.get(name);
  if (validate === undefined) {
    validate = new Ajv2020({ strict: true, allErrors: false }).compile(schemaOf(name, () => caseDocument.jsonSchema()));
    compiled.set(name, validate);
  }
  return validate;
}

/** Throws where a document is not as its schema says. */
export function expectAsInSchema(name: string, document: unknown): void {
  if (!isSchemaName(name)) throw new Error(`there is no schema ${name}`);
  const validate = validatorOf(name);
  if (validate(document)) return;
  const faults = (validate.errors ?? []).map(({ instancePath, message = "", params }) => `${instancePath}: ${message} ${JSON.stringify(params)}`);
  throw new Error(`not as in the schema ${name}:\n${faults.join("\n")}\n${JSON.stringify(document).slice(0, 2000)}`);
}
