import { parseStrict } from "../json/strict.js";
import { LnError } from "../protocol/errors.js";
import { CHANNEL_TYPES, type TaprootType } from "../protocol/tx/channel-type.js";
import { FORMATS } from "../protocol/tx/format.js";
import { readCommitments } from "./commitments.js";
import { compare, isObject } from "./compare.js";
import { isDualFunding, readDualFunding } from "./dual-funding.js";
import { readFunding } from "./funding.js";
import { readKeyDerivation } from "./key-derivation.js";
import type { PublishedFormat } from "./layouts.js";
import { isLabelled, readEclair } from "./labelled-text.js";
import { isLnd, readLnd } from "./lnd.js";
import { readMusig2 } from "./musig2.js";
import { readPerCommitmentSecrets } from "./per-commitment-secrets.js";
import type { Placed, Places } from "./placed.js";
import { isSpecification, readSpecification } from "./specification.js";
import { readSimpleTaproot } from "./simple-taproot.js";
import { readTaprootZeroFee } from "./taproot-zero-fee.js";
import type { Vector, VectorSet } from "./vector.js";
import { isZeroFee, readZeroFee } from "./zero-fee.js";

/** The layouts of documents that hold one appendix of BOLT 3 in JSON, or one channel type's vectors. */
const DOCUMENTS = {
  funding: readFunding,
  commitments: readCommitments,
  per_commitment_secrets: readPerCommitmentSecrets,
  key_derivation: readKeyDerivation,
  dual_funding: readDualFunding,
  musig2: readMusig2,
  simple_taproot: readSimpleTaproot,
  taproot_zero_fee_commitments: readTaprootZeroFee,
  zero_fee_commitments: readZeroFee,
} as const;

type DocumentFormat = keyof typeof DOCUMENTS;

/** Vectors with the layout that they came in. */
export type Published = VectorSet & { readonly format: PublishedFormat };

const ABOUT: Readonly<Record<TaprootType, RegExp>> = {
  simple_taproot: /^option_simple_taproot\b/,
  taproot_zero_fee_commitments: /^taproot_zero_fee_commitments\b/,
};

/** Which of the two taproot channel types a document is about; null for neither. */
function taprootTypeOf({ about }: Readonly<Record<string, unknown>>): TaprootType | null {
  const format = isObject(about) ? about["format"] : undefined;
  if (typeof format !== "string") return null;
  return ABOUT.simple_taproot.test(format)
    ? "simple_taproot"
    : ABOUT.taproot_zero_fee_commitments.test(format)
      ? "taproot_zero_fee_commitments"
      : null;
}

/** In which layout a text comes that is not JSON; null for none that is known. */
export function textLayout(text: string): "bolt3" | "eclair" | null {
  if (isSpecification(text)) return "bolt3";
  return isLabelled(text) ? "eclair" : null;
}

/** A text of labelled lines. Throws: input-vectors-layout, json-value. */
export function readLabelled(text: string, layout: "bolt3" | "eclair", source: string): Published {
  if (layout === "eclair") return { format: "eclair", ...ofSomeType(readEclair(text, source), source) };
  const { anchors, ...documents } = readSpecification(text, source);
  const sets = Object.entries({ ...documents, ...(anchors === undefined ? {} : { commitments_anchors: anchors }) }).map(([name, placed]) =>
    placedIn(placed, DOCUMENTS[name.replace("_anchors", "") as DocumentFormat](placed.document, source)),
  );
  if (sets.length === 0) throw unknownLayout(source);
  return { format: "bolt3", common: sets.flatMap(({ common }) => common), cases: sets.flatMap(({ cases }) => cases) };
}

/**
 * A document of published vectors, whose layout shows in its keys, or is told.
 * Throws: input-vectors-layout, input-channel-type for channel types that come in layouts of their own, and what decoding throws.
 */
export function readPublished(document: unknown, source: string, layout?: PublishedFormat): Published {
  const format = layout ?? formatOf(document, source);
  switch (format) {
    case "lnd":
      return { format, ...ofSomeType(readLnd(document, source), source) };
    case "eclair":
    case "bolt3":
      throw unknownLayout(source);
    default:
      return { format, ...DOCUMENTS[format](document, source) };
  }
}

/** What the text of a file in a layout is. Throws: what reading it throws. */
export function readAs(text: string, layout: PublishedFormat, source: string): Published {
  if (layout === "bolt3" || layout === "eclair") return readLabelled(text, layout, source);
  return readPublished(parseStrict(text, source), source, layout);
}

function formatOf(document: unknown, source: string): PublishedFormat {
  if (isLnd(document)) return "lnd";
  if (!isObject(document)) throw unknownLayout(source);
  const has = (...keys: readonly string[]): boolean => keys.every((key) => Object.hasOwn(document, key));
  if (has("key_agg", "nonce_gen")) return "musig2";
  if (isZeroFee(document)) return "zero_fee_commitments";
  const taproot = taprootTypeOf(document);
  if (taproot !== null) return taproot;
  if (has("about")) throw newerType(document, source);
  if (has("generation", "storage")) return "per_commitment_secrets";
  if (has("inputs", "cases")) return "key_derivation";
  if (has("common", "cases")) return "commitments";
  if (has("cases")) return isDualFunding(document) ? "dual_funding" : "funding";
  throw unknownLayout(source);
}

/** The usual dust limit of BOLT 3's vectors, and the others of its Appendix F. */
const DUST_LIMITS = [546, 1001, 2001, 3001, 4001];

/**
 * Commitments whose file does not say of which channel type they are, and maybe not by which dust limits: of the type, and each by the limit, under
 * which most comes out as expected. The first, where none is better.
 */
function ofSomeType(placed: Placed, source: string): VectorSet {
  const { common, cases } = placed.document as { readonly common: object; readonly cases: readonly object[] };
  // Commitments that pay no fee come in a layout of their own
  const typed = CHANNEL_TYPES.filter((type) => FORMATS[type].hasFeerate).map((type) => {
    const sets = DUST_LIMITS.map(
      (limit) =>
        readCommitments(
          { channel_type_bits: FORMATS[type].featureBits, common, cases: cases.map((one) => ({ dust_limit_sat: limit, ...one })) },
          source,
        ).cases,
    );
    return cases.flatMap(
      (_, at) =>
        fewest(
          sets.flatMap((set) => set[at] ?? []),
          differencesOf,
        ) ?? [],
    );
  });
  const best = fewest(typed, (vectors) => vectors.reduce((sum, vector) => sum + differencesOf(vector), 0)) ?? [];
  return placedIn(placed, { common: [], cases: best });
}

/** The first for which a count is least. */
function fewest<T>(all: readonly T[], count: (one: T) => number): T | undefined {
  const counts = all.map(count);
  return all[counts.indexOf(Math.min(...counts))];
}

function differencesOf({ expected, derived, path, rules }: Vector): number {
  return compare(expected, derived, path, rules).differences.length;
}

function placedIn({ places }: { readonly places: Places }, { common, cases }: VectorSet): VectorSet {
  const placed = (vector: Vector): Vector => ({ ...vector, places });
  return { common: common.map(placed), cases: cases.map(placed) };
}

function unknownLayout(source: string): LnError {
  return new LnError("input-vectors-layout", `${source}: neither cases nor a published layout of test vectors`, { source });
}

/** Layouts that say what they are `about` belong to channel types with formats of their own. */
function newerType(document: Readonly<Record<string, unknown>>, source: string): LnError {
  const { about } = document;
  const named = isObject(about) ? about["format"] : undefined;
  if (typeof named === "string") return unsupported(named, source);
  return unknownLayout(source);
}

function unsupported(name: string, source: string): LnError {
  return new LnError("input-channel-type", `${source}: ${name}: this channel type is not supported`, { source, channel_type: name });
}
