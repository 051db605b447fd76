import { type JsonPath, formatPath } from "../json/path.js";

/** Where in a file of another layout each value of a document stands, by its path in the document. */
export type Places = ReadonlyMap<string, string>;

/** A file that was read into a document of ours. */
export interface Placed {
  readonly document: unknown;
  readonly places: Places;
}

/** Takes down places while a document is made. */
export function placing(): { readonly note: (path: JsonPath, place: string) => void; readonly places: Places } {
  const places = new Map<string, string>();
  return {
    note: (path, place) => {
      places.set(formatPath(path), place);
    },
    places,
  };
}

/** Where the value at a path of the document stands in its file: its own place, or within that of what holds it. */
export function placeOf(path: string, places: Places | undefined): string {
  if (places === undefined) return path;
  for (let end = path.length; end > 0; end = Math.max(path.lastIndexOf(".", end - 1), path.lastIndexOf("[", end - 1))) {
    const place = places.get(path.slice(0, end));
    if (place !== undefined) return `${place}${path.slice(end)}`;
  }
  return path;
}
