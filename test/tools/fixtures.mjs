// Refreshes fixtures/vectors from a folder of the same layout: `npm run fixtures -- DIR`. fixtures/vectors/README.md tells what they are.
import { existsSync, mkdirSync, readFileSync, readdirSync, writeFileSync } from "node:fs";
import { dirname, join, sep } from "node:path";
import { fileURLToPath } from "node:url";

const fixtures = fileURLToPath(new URL("../../fixtures/vectors", import.meta.url));
/** Not ours to hand on, or used by nothing. */
const REFUSED = [{ path: /^core\//, why: "another project's own files" }];

/** The vector files in a folder, as paths below it with forward slashes. @param {string} folder */
function vectorFiles(folder) {
  const paths = readdirSync(folder, { recursive: true, encoding: "utf8" }).map((path) => path.split(sep).join("/"));
  return paths.filter((path) => /\.(json|ndjson)$/.test(path)).sort();
}

/** Why a file may not become a fixture, or nothing. @param {string} path @param {string} text @returns {string | undefined} */
function objection(path, text) {
  const refused = REFUSED.find((rule) => rule.path.test(path));
  if (refused !== undefined) return refused.why;
  const documents = path.endsWith(".ndjson") ? text.trimEnd().split("\n") : [text];
  for (const [index, document] of documents.entries()) {
    /** @type {{ source?: unknown, about?: { sources?: unknown }, agreed_by?: unknown }} */
    let value;
    try {
      value = JSON.parse(document);
    } catch (error) {
      return `document ${index + 1}: ${String(error)}`;
    }
    if ((value.source ?? value.about?.sources ?? value.agreed_by) === undefined) return `document ${index + 1} does not say where it comes from`;
  }
  return undefined;
}

const [from] = process.argv.slice(2);
if (from === undefined || !existsSync(from)) {
  console.error("usage: npm run fixtures -- DIR");
  process.exitCode = 2;
} else {
  const offered = vectorFiles(from);
  for (const path of offered) {
    const bytes = readFileSync(join(from, path));
    const target = join(fixtures, path);
    const why = objection(path, bytes.toString("utf8"));
    if (why !== undefined) {
      console.log(`refused    ${path}: ${why}`);
    } else if (!existsSync(target) || !readFileSync(target).equals(bytes)) {
      console.log(`${existsSync(target) ? "changed  " : "new      "}  ${path}`);
      mkdirSync(dirname(target), { recursive: true });
      writeFileSync(target, bytes);
    } else {
      console.log(`the same   ${path}`);
    }
  }
  for (const path of vectorFiles(fixtures)) {
    if (!offered.includes(path)) console.log(`not there  ${path}: kept as it is; remove it by hand if it is gone for good`);
  }
}
