import { toHex } from "../protocol/bytes.js";
import { LnError } from "../protocol/errors.js";
import { decode } from "../json/decode.js";
import { HIGHWATER_FORMAT as FORMAT, HIGHWATER_VERSION as VERSION, highwaterFile } from "../json/highwater-file.js";
import { FIRST_REVISION, isCount, parseObject, type Parse, type State } from "./state.js";

/** How far a party has committed itself: what a restored older state would not know. */
export interface Marks {
  /** The lowest own commitment number whose secret has not been released. */
  readonly lowestUnreleased: number;
  /** The highest remote commitment number that has been signed; null before the first. */
  readonly highestSigned: number | null;
}

/** Which state was last in place when something could leave the party. */
export interface Highwater {
  readonly revision: number;
  readonly stateHash: string;
  readonly marks: Marks;
}

export function highwaterText(state: State, marks: Marks): string {
  const document = {
    format: FORMAT,
    version: VERSION,
    revision: state.revision,
    state_hash: state.hash,
    lowest_unreleased: marks.lowestUnreleased,
    highest_signed: marks.highestSigned,
  };
  return `${JSON.stringify(document, null, 2)}\n`;
}

/** Throws: file-damaged, file-version-newer. */
export function readHighwater(parse: Parse, text: string, path: string): Highwater {
  const document = parseObject(parse, text, path);
  const { format, version } = document;
  if (format === FORMAT && isCount(version) && version > VERSION) {
    throw new LnError("file-version-newer", `${path} is of version ${version}, and this chankit knows ${VERSION}`, { path, version, known: VERSION });
  }
  return asHighwater(document, path);
}

/** Throws: file-damaged, with what the reader says. */
function asHighwater(document: unknown, path: string): Highwater {
  try {
    const { revision, stateHash, lowestUnreleased, highestSigned } = decode(highwaterFile, document, path);
    return { revision, stateHash: toHex(stateHash), marks: { lowestUnreleased, highestSigned } };
  } catch (error) {
    if (error instanceof LnError) throw new LnError("file-damaged", error.message, { ...error.details, path, cause: error.code });
    throw error;
  }
}

/**
 * What is wrong with a state, seen from the highwater file that stands beside it. Worked numbers, highwater at 7:
 * channel 7, same hash: fine · 7, other hash: edited · 8 that follows 7: fine, killed between the two writes (the next write
 * repairs it) · 8 that does not: edited · 6: a restored copy · 9: the highwater file is a restored copy.
 */
export function fault(state: State, highwater: Highwater | undefined, paths: { channel: string; highwater: string }): LnError | undefined {
  const details = { path: paths.channel, revision: state.revision };
  if (highwater === undefined) {
    if (state.revision === FIRST_REVISION) return undefined;
    const message =
      `${paths.highwater} is missing, and ${paths.channel} is at revision ${state.revision}: nothing shows that it is the latest. ` +
      "Copy the two together";
    return new LnError("file-highwater-missing", message, { ...details, highwater: paths.highwater });
  }
  const known = { ...details, highwater_revision: highwater.revision };
  if (state.revision < highwater.revision) {
    const message =
      `${paths.channel} is at revision ${state.revision}, but revision ${highwater.revision} was in use already: ` +
      "it was restored from an older copy. Going on from it could publish or sign what has been revoked";
    return new LnError("file-revision-stale", message, known);
  }
  if (state.revision > highwater.revision + 1) {
    const message =
      `${paths.highwater} is at revision ${highwater.revision}, and ${paths.channel} at ${state.revision}: ` +
      "the first was restored from an older copy, or the two are of different parties";
    return new LnError("file-highwater-stale", message, { ...known, highwater: paths.highwater });
  }
  const hash = state.revision === highwater.revision ? state.hash : state.previousHash;
  if (hash === highwater.stateHash) return undefined;
  const message = `${paths.channel} at revision ${state.revision} is not what was written: it was changed by hand, or belongs to another party`;
  return new LnError("file-edited", message, { ...known, state_hash: state.hash, highwater_state_hash: highwater.stateHash });
}
