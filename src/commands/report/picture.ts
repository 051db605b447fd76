import { grouped } from "../../protocol/explain/reading.js";
import { type Markup, markup } from "./markup.js";
import type { Picture, PictureOutput } from "./model.js";

/** Measures of a commitment's picture, in its own units. */
const WIDTH = 720;
const FLOW_FROM = 150;
const FLOW_TO = 300;
const TOP = 34;
const LINE = 17;
const ROW_GAP = 10;
const LEAST_SLIVER = 2;

interface Placed {
  readonly output: PictureOutput;
  /** Of the label. */
  readonly y: number;
  readonly height: number;
  /** Of the amount, to scale. */
  readonly from: number;
  readonly to: number;
}

const sats = (amount: bigint): string => `${grouped(amount)} sat`;

/** A drawing of its own, with what it shows in words for who can't see it. */
export interface Drawing {
  readonly width: number;
  readonly height: number;
  readonly title: string;
  readonly desc: string;
  readonly body: Markup;
}

/** The funding output on the left, flowing to scale into the outputs and the fee. */
export function pictureDrawing({ title, fundingSat, outputs, feeSat }: Picture): Drawing {
  const fee: PictureOutput = { name: "fee", sat: feeSat, taker: "fee", delayed: false, ways: ["the miner"] };
  // The largest first, as a reader looks for them; the fee last
  const all = [...outputs].sort((a, b) => (a.sat > b.sat ? -1 : a.sat < b.sat ? 1 : 0)).concat(feeSat > 0n ? [fee] : []);
  const heights = all.map(({ ways }) => LINE * (ways.length + 1) + 8);
  const height = heights.reduce((sum, each) => sum + each + ROW_GAP, TOP);
  const scale = height - TOP - ROW_GAP;
  let y = TOP;
  let flow = TOP;
  const placed = all.map((output, at): Placed => {
    const share = fundingSat === 0n ? 0 : (Number(output.sat) / Number(fundingSat)) * scale;
    const here: Placed = { output, y, height: heights[at] ?? 0, from: flow, to: flow + share };
    y += here.height + ROW_GAP;
    flow += share;
    return here;
  });
  const desc = `The funding output of ${sats(fundingSat)} becomes ${all.map(({ name, sat, ways }) => `${name}, ${sats(sat)}: ${ways.join("; ")}`).join(". ")}.`;
  return {
    width: WIDTH,
    height,
    title,
    desc,
    body: markup`<text class="soft" x="8" y="20">funding output</text>
<text class="soft" x="${FLOW_TO + 14}" y="20">outputs: who takes them, and when</text>
<rect class="funding" x="8" y="${TOP}" width="${FLOW_FROM - 8}" height="${fixed(scale)}" rx="3"/>
<text class="on-funding" x="18" y="${TOP + 22}">${sats(fundingSat)}</text>
${placed.map(outputMarkup)}`,
  };
}

const fixed = (value: number): string => value.toFixed(1).replace(/\.0$/, "");

function outputMarkup({ output: { name, sat, taker, delayed, ways }, y, height, from, to }: Placed): Markup {
  const [middle, top, bottom] = [(FLOW_FROM + FLOW_TO) / 2, fixed(from), fixed(Math.max(to, from + LEAST_SLIVER))];
  const path = `M${FLOW_FROM} ${top}C${middle} ${top} ${middle} ${y} ${FLOW_TO} ${y}V${y + height}C${middle} ${y + height} ${middle} ${bottom} ${FLOW_FROM} ${bottom}Z`;
  return markup`<g><path class="flow ${taker}" d="${path}"/><line class="bar ${taker}${delayed ? " delayed" : ""}" x1="${FLOW_TO + 4}" y1="${y}" x2="${FLOW_TO + 4}" y2="${y + height}"/>
<text class="strong" x="${FLOW_TO + 16}" y="${y + LINE}">${name}</text><text class="number" x="${WIDTH - 8}" y="${y + LINE}">${sats(sat)}</text>
${ways.map((way, at) => markup`<text class="soft" x="${FLOW_TO + 16}" y="${y + LINE * (at + 2)}">${way}</text>`)}</g>
`;
}
