import { parseStrict } from "../../src/json/strict.js";
import { openStore, type Change, type Loaded, type Store } from "../../src/store/channel-store.js";
import type { Host } from "../../src/store/file-system.js";
import { partyPaths } from "../../src/store/paths.js";
import { hostOn } from "./faulty-host.js";
import { contentOf, emptyDisk, fileSystemOn, type Disk } from "./memory-disk.js";

/** The party of the tests on a memory disk. */
export const FOLDER = "/alice";
export const PATHS = partyPaths(FOLDER);

export function storeOn(host: Host): Store {
  return openStore(parseStrict, host);
}

/** The store of a healthy process. */
export function processOn(disk: Disk, pid: number): Store {
  return storeOn(hostOn(fileSystemOn(disk), pid));
}

export const change = (number: number): Change => ({ marks: { lowestUnreleased: number, highestSigned: number } });

/** A change that revokes remote commitment `number`. */
export const revoking = (number: number): Change => ({ ...change(number), revoked: [revokedLine(number)] });

export function revokedLine(number: number): { readonly number: number; readonly htlcs: readonly unknown[] } {
  return { number, htlcs: [{ amount_msat: 1000 * number, offered_by: "local" }] };
}

/** A disk with the party at `revision`: each state says in `step` which one it is, and from the second on has revoked a commitment. */
export function diskAt(revision: number): Disk {
  const disk = emptyDisk();
  const store = processOn(disk, 1001);
  let loaded: Loaded = store.createChannel(PATHS, { format: "test", step: 1 }, { marks: change(0).marks });
  for (let step = 2; step <= revision; step++) loaded = store.save(PATHS, loaded, { ...loaded.document, step }, revoking(step));
  return disk;
}

export function stepOf(loaded: Loaded): unknown {
  return loaded.document["step"];
}

export function revokedNumbers(disk: Disk): readonly number[] {
  const lines = (contentOf(disk, FOLDER)["revoked.ndjson"] ?? "").split("\n");
  return lines.filter((line) => line !== "").map((line) => (JSON.parse(line) as { number: number }).number);
}
