import { LnError } from "../protocol/errors.js";
import { readCommitments } from "./commitments.js";
import { isObject } from "./compare.js";
import { readFunding } from "./funding.js";
import { readKeyDerivation } from "./key-derivation.js";
import { readPerCommitmentSecrets } from "./per-commitment-secrets.js";
import type { VectorSet } from "./vector.js";

/** The layouts in which published vectors come. */
export type PublishedFormat = "funding" | "commitments" | "per_commitment_secrets" | "key_derivation";

const READERS: Readonly<Record<PublishedFormat, (document: unknown, source: string) => VectorSet>> = {
  funding: readFunding,
  commitments: readCommitments,
  per_commitment_secrets: readPerCommitmentSecrets,
  key_derivation: readKeyDerivation,
};

/**
 * A document of published vectors, whose layout shows in its keys.
 * Throws: input-vectors-layout, input-channel-type for channel types that come in layouts of their own, and what decoding throws.
 */
export function readPublished(document: unknown, source: string): VectorSet & { readonly format: PublishedFormat } {
  const format = formatOf(document, source);
  return { format, ...READERS[format](document, source) };
}

function formatOf(document: unknown, source: string): PublishedFormat {
  if (!isObject(document)) throw unknownLayout(source);
  const has = (...keys: readonly string[]): boolean => keys.every((key) => Object.hasOwn(document, key));
  if (has("about")) throw newerType(document, source);
  if (has("generation", "storage")) return "per_commitment_secrets";
  if (has("inputs", "cases")) return "key_derivation";
  if (has("common", "cases")) return "commitments";
  if (has("cases")) return "funding";
  throw unknownLayout(source);
}

function unknownLayout(source: string): LnError {
  return new LnError("input-vectors-layout", `${source}: neither cases nor a published layout of test vectors`, { source });
}

/** Layouts that say what they are `about` belong to channel types with formats of their own. */
function newerType(document: Readonly<Record<string, unknown>>, source: string): LnError {
  const { about } = document;
  const named = isObject(about) ? about["format"] : undefined;
  if (typeof named === "string") return unsupported(named, source);
  if (Object.hasOwn(document, "key_agg")) return unsupported("MuSig2 (BIP 327), of simple_taproot channels", source);
  return unknownLayout(source);
}

function unsupported(name: string, source: string): LnError {
  return new LnError("input-channel-type", `${source}: ${name}: this channel type is not supported`, { source, channel_type: name });
}
