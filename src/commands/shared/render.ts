import type { ChalkInstance } from "chalk";

/** How a report looks to people: chalk's styles, or none. */
export type Style = Pick<ChalkInstance, "bold" | "dim" | "cyan" | "green" | "yellow" | "red" | "blue" | "magenta">;

/** NO_COLOR and FORCE_COLOR decide, else whether it is a terminal (no-color.org). */
export async function loadStyle(env: Readonly<Record<string, string | undefined>>, terminal: boolean): Promise<Style> {
  const { Chalk } = await import("chalk");
  const forced = env["FORCE_COLOR"] !== undefined && env["FORCE_COLOR"] !== "0";
  const off = (env["NO_COLOR"] ?? "") !== "" || env["FORCE_COLOR"] === "0" || env["TERM"] === "dumb";
  return new Chalk({ level: forced || (terminal && !off) ? 1 : 0 });
}

/** A JSON document as indented lines, one value a line; nothing that the document has is left out. */
export function renderText(document: unknown, style: Style): string {
  return `${lines(document, style, "").join("\n")}\n`;
}

function lines(value: unknown, style: Style, indent: string): string[] {
  if (Array.isArray(value)) {
    if (value.length === 0) return [`${indent}${style.dim("none")}`];
    return value.flatMap((element: unknown, at) => {
      if (isScalar(element)) return [`${indent}${style.dim("-")} ${scalar(element, style)}`];
      const inner = lines(element, style, `${indent}  `);
      const [first = "", ...rest] = inner;
      return [`${indent}${style.dim("-")} ${first.trimStart()}`, ...rest, ...(at < value.length - 1 && rest.length > 3 ? [""] : [])];
    });
  }
  if (typeof value !== "object" || value === null) return [`${indent}${scalar(value, style)}`];
  const entries = Object.entries(value);
  const width = Math.max(0, ...entries.filter(([, inner]) => isScalar(inner)).map(([key]) => key.length));
  return entries.flatMap(([key, inner]) => {
    if (isScalar(inner)) return [`${indent}${style.cyan(key.padEnd(width))}  ${scalar(inner, style)}`];
    return [`${indent}${style.cyan(key)}`, ...lines(inner, style, `${indent}  `)];
  });
}

function isScalar(value: unknown): boolean {
  return typeof value !== "object" || value === null;
}

function scalar(value: unknown, style: Style): string {
  if (value === null) return style.dim("-");
  if (value === true) return style.green("yes");
  if (value === false) return style.dim("no");
  return typeof value === "string" ? value : JSON.stringify(value);
}
