import { decode } from "../../json/decode.js";
import { parseStrict } from "../../json/strict.js";
import { buildCommitment } from "../../protocol/tx/commitment-tx.js";
import { caseDocument } from "../../vectors/case-document.js";
import { caseTerms } from "../../vectors/case.js";
import type { Document } from "../shared/command.js";
import { commitmentDocument } from "../shared/transactions.js";

/** The commitment of a test case, as for a party whose next one it is. Throws: json-…, and what building it throws. */
export function commitmentOfCase(text: string, source: string, explain: boolean): Document {
  const { id, case: inputs } = decode(caseDocument, parseStrict(text, source), source);
  const { terms, number, perCommitmentPoint, spec } = caseTerms(inputs);
  const commitment = buildCommitment(terms, number, perCommitmentPoint, spec);
  return { id, not_for_broadcast: "a test case", ...commitmentDocument({ standing: "next", commitment }, explain) };
}
