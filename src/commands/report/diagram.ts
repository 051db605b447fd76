import { type Markup, markup } from "./markup.js";
import type { Drawing } from "./picture.js";
import type { Turn } from "./sequence.js";

/** Measures of the sequence diagram. */
const WIDTH = 720;
const [LEFT, RIGHT] = [110, WIDTH - 110];
const TOP = 56;
const ROW = 40;

/** Messages between two parties, from top to bottom. */
export function sequenceDrawing(turns: readonly Turn[], parties: readonly [string, string]): Drawing {
  const height = TOP + ROW * turns.length + 24;
  const said = turns.map((turn) => (turn.kind === "gap" ? gapWords(turn) : `${turn.from} to ${turn.to}: ${messageWords(turn)}`));
  const head = (name: string, x: number): Markup =>
    markup`<line class="life" x1="${x}" y1="40" x2="${x}" y2="${height - 8}"/><rect class="party" x="${x - 90}" y="8" width="180" height="32" rx="6"/><text class="middle strong" x="${x}" y="29">${name}</text>`;
  return {
    width: WIDTH,
    height,
    title: `Messages between ${parties[0]} and ${parties[1]}`,
    desc: `${said.join(". ")}.`,
    body: markup`${head(parties[0], LEFT)}
${head(parties[1], RIGHT)}
${turns.map((turn, at) => turnMarkup(turn, TOP + ROW * (at + 0.5), parties))}`,
  };
}

export const gapWords = ({ from, first, last }: Extract<Turn, { readonly kind: "gap" }>): string =>
  first === last ? `message ${first} of ${from} is not among the files` : `messages ${first} to ${last} of ${from} are not among the files`;

const messageWords = ({ type, detail, seq }: Extract<Turn, { readonly kind: "message" }>): string =>
  `${type}${detail === "" ? "" : `, ${detail}`} (${seq})`;

function turnMarkup(turn: Turn, y: number, [first]: readonly [string, string]): Markup {
  const fromLeft = turn.from === first;
  if (turn.kind === "gap") {
    const x = fromLeft ? LEFT + 10 : RIGHT - 10;
    return markup`<text class="soft ${fromLeft ? "start" : "end"}" x="${x}" y="${y + 4}">${`… ${gapWords(turn)}`}</text>
`;
  }
  const [from, to, back] = fromLeft ? [LEFT, RIGHT, -9] : [RIGHT, LEFT, 9];
  const middle = (LEFT + RIGHT) / 2;
  return markup`<g><line class="arrow" x1="${from}" y1="${y + 6}" x2="${to + back}" y2="${y + 6}"/><path class="tip" d="M${to} ${y + 6}l${back} -5v10z"/>
<text class="middle" x="${middle}" y="${y - 1}"><tspan class="strong">${turn.type}</tspan>${turn.detail === "" ? null : markup` <tspan class="soft">${turn.detail}</tspan>`}</text>
<text class="soft ${fromLeft ? "end" : "start"}" x="${fromLeft ? from - 8 : from + 8}" y="${y + 10}">${turn.seq}</text></g>
`;
}

/** The same for Mermaid. */
export function mermaid(turns: readonly Turn[], parties: readonly [string, string]): string {
  const alias = (name: string): string => (name === parties[0] ? "A" : "B");
  // Mermaid reads # and ; as its own
  const text = (words: string): string => words.replace(/[#;\r\n]/g, " ");
  const lines = turns.map((turn) =>
    turn.kind === "gap"
      ? `  Note over ${alias(turn.from)}: ${text(gapWords(turn))}`
      : `  ${alias(turn.from)}->>${alias(turn.to)}: ${text(messageWords(turn))}`,
  );
  return ["sequenceDiagram", ...parties.map((name) => `  participant ${alias(name)} as ${text(name)}`), ...lines, ""].join("\n");
}
