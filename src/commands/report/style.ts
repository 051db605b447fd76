/** Colours for light and dark, by what they mean: chosen apart in lightness, too, for who sees no colours and for print. */
const COLOURS = `
:root{--paper:#fff;--ink:#1b1f24;--soft:#57606a;--line:#d0d7de;--card:#f6f8fa;--link:#0550ae;--opener:#0969da;--accepter:#bf5700;--either:#6e40c9;--fee:#6e7781;--funding:#24292f;--on-funding:#fff;--good:#116329;--bad:#a40e26}
@media (prefers-color-scheme:dark){:root{--paper:#0d1117;--ink:#e6edf3;--soft:#9da7b3;--line:#30363d;--card:#161b22;--link:#79c0ff;--opener:#58a6ff;--accepter:#ffa657;--either:#d2a8ff;--fee:#8b949e;--funding:#c9d1d9;--on-funding:#0d1117;--good:#7ee787;--bad:#ff7b72}}`;

/** What the drawings need, inside a page and by themselves. */
export const DRAWING_STYLE = `${COLOURS}
svg text{font:13px ui-sans-serif,system-ui,"Segoe UI","DejaVu Sans",sans-serif;fill:var(--ink)}
svg .soft{fill:var(--soft);font-size:12px}svg .strong{font-weight:600}svg .number,svg .end{text-anchor:end}svg .number{font-variant-numeric:tabular-nums}svg .middle{text-anchor:middle}svg .start{text-anchor:start}
svg .funding{fill:var(--funding)}svg .on-funding{fill:var(--on-funding);font-weight:600}
svg .flow{opacity:.28}svg .opener{fill:var(--opener);stroke:var(--opener)}svg .accepter{fill:var(--accepter);stroke:var(--accepter)}svg .either{fill:var(--either);stroke:var(--either)}svg .fee{fill:var(--fee);stroke:var(--fee)}svg .flow{stroke:none}svg .bar{stroke-width:8}svg .delayed{stroke-dasharray:6 4}
svg .life{stroke:var(--line);stroke-width:2}svg .party{fill:var(--card);stroke:var(--line)}svg .arrow{stroke:var(--ink);stroke-width:1.5}svg .tip{fill:var(--ink)}`;

/** The page's. */
export const PAGE_STYLE = `${DRAWING_STYLE}
:root{color-scheme:light dark}
*{box-sizing:border-box}
body{margin:0;background:var(--paper);color:var(--ink);font:16px/1.55 ui-sans-serif,system-ui,"Segoe UI","DejaVu Sans",sans-serif}
header,main,footer{max-width:64rem;margin:0 auto;padding:0 1.5rem}
header{padding-top:2.5rem}h1{font-size:1.9rem;line-height:1.2;margin:0 0 .4rem}h2{font-size:1.3rem;margin:3rem 0 .8rem;padding-bottom:.3rem;border-bottom:1px solid var(--line)}h3{font-size:1.05rem;margin:0 0 .6rem}
header p,footer{color:var(--soft)}footer{padding-block:3rem;font-size:.9rem}
nav ul{display:flex;flex-wrap:wrap;gap:.4rem 1.2rem;list-style:none;padding:0;margin:1rem 0 0}
a{color:var(--link)}:focus-visible{outline:3px solid var(--link);outline-offset:3px;border-radius:2px}
.skip{position:absolute;left:-100vw}.skip:focus{left:1rem;top:1rem;background:var(--paper);padding:.4rem .8rem}
.wide{overflow-x:auto}table{border-collapse:collapse;width:100%;font-size:.9rem}caption{text-align:left;font-weight:600;padding:.5rem 0}
th,td{text-align:left;vertical-align:top;padding:.4rem .9rem .4rem 0;border-top:1px solid var(--line);overflow-wrap:break-word;font-variant-numeric:tabular-nums}thead th{color:var(--soft);font-weight:600;overflow-wrap:normal}thead th,thead td{border-top:0}tbody th{font-weight:600}.long{overflow-wrap:anywhere}
figure{margin:0 0 2rem;padding:1.2rem;background:var(--card);border:1px solid var(--line);border-radius:10px}figcaption{margin-bottom:.6rem}svg{display:block;width:100%;height:auto}
dl{display:grid;grid-template-columns:max-content 1fr;gap:.1rem 1.2rem;margin:1rem 0 0;font-size:.9rem}dt{color:var(--soft)}dd{margin:0;overflow-wrap:anywhere;font-variant-numeric:tabular-nums}
.key{display:flex;flex-wrap:wrap;gap:.3rem 1.4rem;list-style:none;padding:0;margin:0 0 1.2rem;font-size:.9rem}.key span{display:inline-block;width:.9em;height:.9em;border-radius:2px;margin-right:.5em;vertical-align:-.1em}
.key .opener{background:var(--opener)}.key .accepter{background:var(--accepter)}.key .either{background:var(--either)}.key .fee{background:var(--fee)}.key .delayed{width:.5em;height:1em;background:repeating-linear-gradient(var(--ink) 0 5px,transparent 5px 8px)}
.lost{color:var(--bad);font-weight:600}
@media print{@page{margin:16mm}:root{--paper:#fff;--ink:#000;--soft:#444;--line:#bbb;--card:#fff;--link:#000;--opener:#0969da;--accepter:#bf5700;--either:#6e40c9;--fee:#6e7781;--funding:#24292f;--on-funding:#fff;--good:#116329;--bad:#a40e26}
body{font-size:10.5pt}nav,.skip{display:none}figure,tr{break-inside:avoid}h2,h3,figcaption,caption,thead,thead tr{break-after:avoid}tbody tr:first-child,tbody tr:last-child{break-before:avoid}header,main,footer{max-width:none;padding:0}figure{padding:.6rem}.wide{overflow:visible}*{print-color-adjust:exact;-webkit-print-color-adjust:exact}}`;
