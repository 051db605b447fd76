import { bytes32, concat, fromHex } from "../protocol/bytes.js";
import { type Evidence, diagnose } from "../protocol/diagnose/search.js";
import { readWitnessSignature } from "../protocol/script/assemble.js";
import { FORMATS, SIGHASH_ALL } from "../protocol/tx/format.js";
import { parseTransaction } from "../protocol/tx/parse.js";
import { sighash } from "../protocol/tx/sign.js";
import { atRest } from "./attempt.js";
import type { CaseInputs } from "./case-document.js";
import { caseTerms } from "./case.js";

/** As much of the search as fits into a moment: single causes, and the likelier feerates. */
const LIMITS = { maxFeerate: 20_000n, maxVariants: 4_000 };

/** What vectors say of a commitment's signing, each in hex where they say it. */
export interface ExpectedSigning {
  readonly sighash?: unknown;
  /** The commitment, signed or not. */
  readonly tx?: unknown;
  /** The countersigner's, DER without the sighash byte. */
  readonly signature?: unknown;
}

/** With which other input the expected commitment comes about, in words. Null where nothing is expected that could tell. */
export function diagnoseCase(inputs: CaseInputs, expected: ExpectedSigning): string | null {
  const { terms, number, perCommitmentPoint, spec } = caseTerms(inputs);
  const base = { terms, number, point: perCommitmentPoint, spec, departures: {} };
  const evidence = evidenceOf(inputs, expected);
  if (evidence === null) return null;
  const { verdict, explanations, tried } = diagnose(base, atRest(inputs), evidence, LIMITS);
  switch (verdict) {
    case "valid":
      return "the signature is good for the derived commitment, but it is not the plain RFC 6979 one";
    case "high_s":
      return "the signature is good for the derived commitment, but has a high S";
    case "unexplained":
      return `no single other input gives the expected commitment: ${tried.variants} were tried${tried.complete ? "" : ", then the search was ended"}`;
    case "explained":
      return `the expected commitment comes about ${explanations.map(({ suspects }) => suspects.map(({ words }) => words).join(" and ")).join("; or ")}`;
  }
}

/** The hash is recognised at once; a signature must be checked for each variant. */
function evidenceOf(inputs: CaseInputs, { sighash: hash, tx, signature }: ExpectedSigning): Evidence | null {
  const stated = bytesOf(hash);
  if (stated?.length === 32) return { signature: null, sighash: bytes32(stated) };
  const bytes = bytesOf(tx);
  if (bytes !== null) {
    try {
      const parsed = parseTransaction(bytes);
      const { terms } = caseTerms(inputs);
      const { local, remote } = terms.basepoints;
      const lock = FORMATS[inputs.channelType].funding(local.fundingPubkey, remote.fundingPubkey);
      return { signature: null, sighash: sighash(parsed, 0, { lock, amount: terms.funding.amount }, SIGHASH_ALL) };
    } catch {
      // What is no transaction says nothing of its inputs
    }
  }
  const der = bytesOf(signature);
  const read = der === null ? null : readWitnessSignature(concat(der, Uint8Array.of(SIGHASH_ALL)));
  return read === null ? null : { signature: read.signature, sighash: null };
}

function bytesOf(value: unknown): Uint8Array | null {
  return typeof value === "string" && /^(?:[0-9a-f]{2})+$/i.test(value) ? fromHex(value) : null;
}
