import { LnError } from "../../protocol/errors.js";

/** A line that is longer is refused, and not kept: a block of 4 MB is 8 MB of hex. */
export const MAX_LINE_BYTES = 16 * 1024 * 1024;
const NEWLINE = 10;

/** A line of the input with its number, from 1; undefined where it is too long to be kept. */
export interface Line {
  readonly number: number;
  readonly bytes: Uint8Array | undefined;
}

/** The lines with something on them, however the input comes in pieces. */
export async function* linesOf(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<Line> {
  let number = 1;
  let parts: Uint8Array[] = [];
  let length = 0;
  for await (const chunk of chunks) {
    let from = 0;
    for (let end = chunk.indexOf(NEWLINE); end >= 0; end = chunk.indexOf(NEWLINE, from)) {
      keep(chunk.subarray(from, end));
      const line = take();
      if (!isBlank(line)) yield line;
      from = end + 1;
    }
    keep(chunk.subarray(from));
  }
  if (length > 0) {
    const line = take();
    if (!isBlank(line)) yield line;
  }

  function keep(part: Uint8Array): void {
    length += part.length;
    if (length > MAX_LINE_BYTES) parts = [];
    else if (part.length > 0) parts.push(part);
  }

  function take(): Line {
    const bytes = length > MAX_LINE_BYTES ? undefined : parts.length === 1 ? parts[0] : Buffer.concat(parts);
    parts = [];
    length = 0;
    return { number: number++, bytes };
  }
}

function isBlank({ bytes }: Line): boolean {
  return bytes?.every((byte) => byte === 32 || byte === 9 || byte === 13) ?? false;
}

/** The text of a line; `source` is what refusals call it. Throws: file-too-large, file-damaged. */
export function textOf({ bytes }: Line, source: string): string {
  if (bytes === undefined) throw new LnError("file-too-large", `${source} has more than ${MAX_LINE_BYTES} bytes`, { source, limit: MAX_LINE_BYTES });
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch {
    throw new LnError("file-damaged", `${source} is not UTF-8 text`, { path: source });
  }
}

/** Bytes of hex, for much of it. Throws: input-hex. */
export function bytesOfHex(hex: string): Uint8Array {
  const bytes = Buffer.from(hex, "hex");
  // It stops where it meets what is none
  if (bytes.length * 2 !== hex.length) throw new LnError("input-hex", `not hex at character ${bytes.length * 2}`, { at: bytes.length * 2 });
  return bytes;
}
