import { gapWords, sequenceDrawing } from "./diagram.js";
import { Markup, type Piece, markup } from "./markup.js";
import type { Picture, ReportModel, Table } from "./model.js";
import { type Drawing, pictureDrawing } from "./picture.js";
import { DRAWING_STYLE, PAGE_STYLE } from "./style.js";

/** A drawing as an SVG element, its words for who can't see it inside. */
function svg({ width, height, title, desc, body }: Drawing, id: string, more: Piece = null): Markup {
  return markup`<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" role="img" aria-labelledby="${id}-title ${id}-desc"${more}><title id="${id}-title">${title}</title><desc id="${id}-desc">${desc}</desc>
${body}</svg>`;
}

interface Section {
  readonly id: string;
  readonly name: string;
  readonly content: Markup;
}

/** A page that needs nothing but itself: no script, no font, no network. */
export function page(model: ReportModel, version: string): string {
  const sections: readonly Section[] = [
    { id: "channel", name: "Channel", content: table(model.channel) },
    { id: "commitments", name: "Commitments", content: commitments(model) },
    { id: "numbers", name: "Numbers", content: markup`${table(model.balances)}${table(model.htlcs)}${table(model.changes)}` },
    ...(model.turns.length === 0 ? [] : [{ id: "messages", name: "Messages", content: messages(model) }]),
    ...(model.explore.length === 0 ? [] : [{ id: "explore", name: "Every stop, every cheat", content: explored(model.explore) }]),
  ];
  const { text } = markup`<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width,initial-scale=1"><meta name="color-scheme" content="light dark">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<title>${model.title}</title><style>${new Markup(PAGE_STYLE)}</style></head>
<body><a class="skip" href="#main">Skip to the report</a>
<header><h1>${model.title}</h1><p>${model.pictures.length} commitments, ${model.turns.filter(({ kind }) => kind === "message").length} messages. Nothing here is secret between the two.</p>
<nav aria-label="Sections"><ul>${sections.map(({ id, name }) => markup`<li><a href="#${id}">${name}</a></li>`)}</ul></nav></header>
<main id="main">${sections.map(
    ({ id, name, content }) => markup`<section id="${id}" aria-labelledby="${id}-heading"><h2 id="${id}-heading">${name}</h2>${content}</section>
`,
  )}</main>
<footer>Made by chankit ${version} from the parties' files. Amounts are in satoshis unless they say otherwise.</footer></body></html>
`;
  return text;
}

function commitments({ pictures, parties: [opener, accepter] }: ReportModel): Markup {
  const meanings = {
    opener,
    accepter,
    either: "one or the other: by the preimage, or after the expiry",
    fee: "the miner",
    delayed: "broken: after a delay",
  };
  const key = Object.entries(meanings).map(([name, words]) => markup`<li><span class="${name}"></span>${words}</li>`);
  return markup`<p>Every commitment that could be published, its outputs to scale, coloured by who takes them.</p><ul class="key" aria-label="Colours">${key}</ul>
${pictures.map(figure)}`;
}

function figure(picture: Picture, at: number): Markup {
  const facts = picture.facts.map(([name, value]) => markup`<dt>${name}</dt><dd>${value}</dd>`);
  return markup`<figure aria-labelledby="picture-${at}-heading"><figcaption><h3 id="picture-${at}-heading">${picture.title}</h3></figcaption>${svg(pictureDrawing(picture), `picture-${at}`)}<dl>${facts}</dl></figure>
`;
}

function messages({ turns, parties }: ReportModel): Markup {
  const rows = turns.map((turn) =>
    turn.kind === "gap"
      ? { cells: [`${turn.first}–${turn.last}`, turn.from, "", gapWords(turn), ""] }
      : { cells: [String(turn.seq), turn.from, turn.to, turn.type, turn.detail] },
  );
  return markup`<p>Each side's messages in their own order; between the two, each as soon as what it answers has come.</p>
<figure>${svg(sequenceDrawing(turns, parties), "sequence")}</figure>
${table({ caption: "The same messages as a table", head: ["number", "from", "to", "message", "what"], rows })}`;
}

function explored(tables: readonly Table[]): Markup {
  return markup`<p>The update stopped after every step, one side doing its worst: what both have in the end, at worst.</p>${tables.map(table)}`;
}

function table({ caption, head, rows }: Table): Markup {
  if (rows.length === 0) return markup`<p>${caption}: none.</p>`;
  const cell = (text: string, at: number, row: readonly string[]): Markup => {
    const span = at === row.length - 1 ? head.length - row.length : 1;
    // Words stay whole; a hash is broken wherever the line ends
    const kind = text.startsWith("LOSS") ? "lost" : /[0-9a-f]{40}/.test(text) ? "long" : null;
    return markup`<td${span > 1 ? markup` colspan="${span}"` : null}${kind === null ? null : markup` class="${kind}"`}>${text}</td>`;
  };
  return markup`<div class="wide" tabindex="0" role="region" aria-label="${caption}"><table><caption>${caption}</caption><thead><tr>${head.map(
    (name) => (name === "" ? markup`<td></td>` : markup`<th scope="col">${name}</th>`),
  )}</tr></thead><tbody>${rows.map(
    ({ cells: [first = "", ...more] }) => markup`<tr><th scope="row">${first}</th>${more.map(cell)}</tr>
`,
  )}</tbody></table></div>
`;
}

const GAP = 28;
const HEAD = 24;

/** All drawings below one another, as one picture that needs no page. */
export function drawings({ title, pictures, turns, parties }: ReportModel): string {
  const all = [...pictures.map(pictureDrawing), ...(turns.length === 0 ? [] : [sequenceDrawing(turns, parties)])];
  let y = 0;
  const placed = all.map((drawing, at) => {
    const top = y;
    y += HEAD + drawing.height + GAP;
    return markup`<text class="strong" x="8" y="${top + 18}">${drawing.title}</text>
${svg(drawing, `drawing-${at}`, new Markup(` x="0" y="${top + HEAD}" width="${drawing.width}" height="${drawing.height}"`))}
`;
  });
  const width = Math.max(0, ...all.map((drawing) => drawing.width));
  const { text } =
    markup`<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${y}" width="${width}" height="${y}"><title>${title}</title><style>${new Markup(DRAWING_STYLE)}</style><rect width="${width}" height="${y}" style="fill:var(--paper)"/>
${placed}</svg>
`;
  return text;
}
