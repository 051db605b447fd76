import { basename, dirname, join } from "node:path";

/** Where the files of a party are. */
export interface PartyPaths {
  readonly channel: string;
  readonly keys: string;
  readonly revoked: string;
  readonly highwater: string;
  /** Only where one was asked for. */
  readonly journal: string;
}

export function partyPaths(folder: string): PartyPaths {
  return besides(join(folder, "channel.json"), "");
}

/**
 * The files of a party whose channel file is named singly. What is not named stands beside it: beside `channel.json` under the
 * usual names, beside `NAME.json` as `NAME.highwater.json` and so on, so that several channels in one folder do not share them.
 */
export function singlePaths(channel: string, keys?: string): PartyPaths {
  const name = basename(channel).replace(/[.]json$/, "");
  const paths = besides(channel, name === "channel" ? "" : `${name}.`);
  return keys === undefined ? paths : { ...paths, keys };
}

function besides(channel: string, prefix: string): PartyPaths {
  const beside = (name: string) => join(dirname(channel), prefix + name);
  return {
    channel,
    keys: beside("keys.json"),
    revoked: beside("revoked.ndjson"),
    highwater: beside("highwater.json"),
    journal: beside("journal.ndjson"),
  };
}
