import { toHex } from "../protocol/bytes.js";
import type { JournalLine } from "../json/journal.js";
import { journalHash } from "../store/journal-file.js";
import type { JsonObject } from "../store/state.js";
import type { Finding } from "./finding.js";

/** A line as it stands in the file, and what it says. */
export interface ReadLine {
  readonly document: JsonObject;
  readonly line: JournalLine;
}

/** The first line that does not follow on the one before it; null where the chain holds. */
export function chainFinding(file: string, lines: readonly ReadLine[]): Finding | null {
  let before: JournalLine | undefined;
  for (const [at, { document, line }] of lines.entries()) {
    const broken = (fact: string, expected: string | null, found: string | null): Finding => ({
      kind: "chain",
      at: { kind: "journal", file, line: at + 1 },
      fact,
      expected,
      found,
      code: null,
    });
    const hash = journalHash(document);
    if (toHex(line.hash) !== hash) return broken("hash is not that of the line", hash, toHex(line.hash));
    const previous = before === undefined ? null : toHex(before.hash);
    const given = line.previous === null ? null : toHex(line.previous);
    if (given !== previous) return broken("previous is not the hash of the line before", previous, given);
    if (line.seq !== at + 1) return broken("seq is not the line's place", String(at + 1), String(line.seq));
    if (before !== undefined) {
      const [left, right] = [toHex(before.stateAfter), line.stateBefore === null ? null : toHex(line.stateBefore)];
      if (left !== right) return broken("state_before is not the state_after of the line before: the state moved without the journal", left, right);
      if (line.revision !== before.revision + 1) return broken("revision is not the next", String(before.revision + 1), String(line.revision));
      if (line.party !== before.party) return broken("party is another", before.party, line.party);
    }
    before = line;
  }
  return null;
}
