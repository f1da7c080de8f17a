/** One style for the page and for reports: as text, so that a report can hold it and the build can write it into a file. */
const LIGHT = `color-scheme: light; --back: #f6f7f9; --card: #ffffff; --ink: #1b2330; --soft: #566173; --line: #d5dae2; --accent: #0b57c2; --accent-ink: #ffffff;
  --good: #14692c; --warn: #855300; --bad: #b3261e; --good-back: #e3f3e7; --warn-back: #fcf0d8; --bad-back: #fbe6e4;
  --c1: #0b57c2; --c2: #a03a9c; --c3: #b35a00; --weights: #2f6fd0; --cache: #1d8a6b; --state: #6f9d2c; --activation: #c07a14; --graph: #a54fa0; --runtime: #77808f; --margin: #b8475d;`
const DARK = `color-scheme: dark; --back: #12161d; --card: #1b212b; --ink: #e6eaf0; --soft: #a3aebd; --line: #364152; --accent: #8ab8ff; --accent-ink: #0d1522;
  --good: #7fd997; --warn: #f2c264; --bad: #ff9c93; --good-back: #17311f; --warn-back: #362a11; --bad-back: #3d1b19;
  --c1: #8ab8ff; --c2: #e49ae0; --c3: #ffb46b; --weights: #5c93e6; --cache: #45b896; --state: #9cc95a; --activation: #e0a144; --graph: #cd83c9; --runtime: #98a2b3; --margin: #e2788c;`

/** What a chart needs: also as a file of its own. */
export const CHART_STYLES = `
.chart { width: 100%; height: auto; max-width: 32rem; font: 12px system-ui, sans-serif; }
.chart text { fill: var(--soft); }
.chart .grid line { stroke: var(--line); stroke-width: 1; }
.chart .axis { fill: var(--ink); } .chart .heading { font-weight: 600; }
.chart .mark line { stroke: var(--ink); stroke-dasharray: 4 3; }
.chart .mark text { fill: var(--ink); }
.series .line { fill: none; stroke: var(--c); stroke-width: 2; }
.series .band { fill: var(--c); opacity: 0.18; }
.series circle { fill: var(--c); stroke: var(--card); stroke-width: 1; }
.series-1 { --c: var(--c1); } .series-2 { --c: var(--c2); } .series-3 { --c: var(--c3); }
`

export const THEME_STYLES = `:root { ${LIGHT} }
@media screen and (prefers-color-scheme: dark) { :root:not([data-theme=light]) { ${DARK} } }
@media screen { :root[data-theme=dark] { ${DARK} } }
`

export const STYLES = `${THEME_STYLES}
* { box-sizing: border-box; }
body { margin: 0; background: var(--back); color: var(--ink); font: 15px/1.5 system-ui, -apple-system, "Segoe UI", sans-serif; }
header { display: flex; flex-wrap: wrap; align-items: baseline; gap: 0.25rem 1rem; padding: 0.75rem 1rem 0.25rem; }
h1 { font-size: 1.4rem; margin: 0; } header p { margin: 0; color: var(--soft); flex: 1 1 16rem; } .tools { display: flex; gap: 0.4rem; } .tools button { font-size: 0.87rem; padding: 0.2rem 0.6rem; }
h2 { font-size: 1.05rem; margin: 0 0 0.5rem; } h3 { font-size: 0.95rem; margin: 1rem 0 0.3rem; }
nav { display: flex; flex-wrap: wrap; gap: 0.4rem; padding: 0.5rem 1rem; }
footer { padding: 0.5rem 1rem 2rem; color: var(--soft); max-width: 60rem; }
button, input, select, textarea { font: inherit; color: inherit; }
button { background: var(--card); border: 1px solid var(--line); border-radius: 6px; padding: 0.3rem 0.7rem; cursor: pointer; }
button:hover { border-color: var(--accent); }
:focus-visible { outline: 2px solid var(--accent); outline-offset: 2px; }
nav button[aria-current] { background: var(--accent); color: var(--accent-ink); border-color: var(--accent); }
.columns { display: grid; grid-template-columns: minmax(19rem, 23rem) minmax(0, 1fr); gap: 1rem; padding: 0 1rem; align-items: start; }
main { min-width: 0; position: relative; scroll-margin-top: 0.5rem; } main[aria-busy=true] > .card { opacity: 0.75; }
.working { position: absolute; right: 1rem; top: 0.7rem; z-index: 1; margin: 0; padding: 0 0.5rem; border-radius: 4px; background: var(--accent); color: var(--accent-ink); font-size: 0.87rem; visibility: hidden; } main[aria-busy=true] .working { animation: late 0s 0.4s forwards; } @keyframes late { to { visibility: visible; } }
.loading { padding: 2rem 1rem; color: var(--soft); }
.peek { display: none; }
.card, .group, .more { background: var(--card); border: 1px solid var(--line); border-radius: 8px; padding: 0.8rem 1rem; margin: 0 0 0.8rem; min-width: 0; }
.group { position: relative; } .group legend { font-weight: 600; padding: 0; float: left; width: 100%; } .group legend + * { clear: both; }
.question .group, .question .more { padding: 0.5rem 0.8rem 0.7rem; } .question .group { min-inline-size: 0; }
.pairs { display: grid; grid-template-columns: minmax(0, 1fr) minmax(0, 1fr); gap: 0 0.8rem; }
.count-and-card { display: grid; grid-template-columns: 5rem 1fr; gap: 0.8rem; }
.field { margin: 0.35rem 0; min-width: 0; } .field label { display: block; font-size: 0.87rem; color: var(--soft); }
.field input, .field select, .field textarea { width: 100%; padding: 0.3rem 0.5rem; background: var(--back); border: 1px solid var(--soft); border-radius: 6px; }
.field textarea { font: 12px/1.35 ui-monospace, monospace; }
.field [aria-invalid=true] { border-color: var(--bad); }
::placeholder { color: var(--soft); opacity: 1; }
.hint, .problem { font-size: 0.82rem; color: var(--soft); margin: 0.15rem 0 0; } .problem { color: var(--bad); }
.switch { display: block; margin: 0.4rem 0; }
.combobox { position: relative; }
.choices { position: absolute; z-index: 5; left: 0; right: 0; max-height: 18rem; overflow: auto; margin: 0; padding: 0.2rem; background: var(--card); border: 1px solid var(--soft); border-radius: 6px; box-shadow: 0 6px 20px #0004; }
.choices [role=option] { padding: 0.25rem 0.4rem; border-radius: 4px; cursor: pointer; overflow-wrap: anywhere; } .choices [aria-selected=true], .choices [role=option]:hover { background: var(--accent); color: var(--accent-ink); }
.choices [aria-selected=true] .aside, .choices [role=option]:hover .aside { color: inherit; }
.tabs { display: flex; flex-wrap: wrap; gap: 0.3rem; border: 0; padding: 0; margin: 0.2rem 0 0.5rem; }
.tabs label { border: 1px solid var(--line); border-radius: 6px; padding: 0.15rem 0.55rem; cursor: pointer; } .tabs label.chosen { border-color: var(--accent); background: var(--accent); color: var(--accent-ink); }
.tabs .not-here:not(.chosen) { color: var(--soft); border-style: dashed; }
.tabs label:focus-within { outline: 2px solid var(--accent); outline-offset: 2px; }
.tabs input { position: absolute; opacity: 0; width: 1px; height: 1px; }
.below { display: block; color: var(--soft); font-weight: 400; font-size: 0.85rem; } .together { white-space: nowrap; } .headline { font-size: 1.05rem; font-weight: 600; }
.flag { display: inline; font: 0.92em ui-monospace, monospace; padding: 0; border: 0; border-bottom: 1px dotted var(--accent); border-radius: 0; background: none; color: var(--accent); text-align: left; overflow-wrap: anywhere; }
.passed-over { list-style: none; margin: 0.6rem 0 0; padding: 0.5rem 0 0; border-top: 1px solid var(--line); } .passed-over li { margin: 0.15rem 0; } .more-rows { margin: 0.6rem 0 0; }
.aside { color: var(--soft); font-weight: 400; font-size: 0.87rem; }
.verdict .word { display: inline-block; border-radius: 6px; padding: 0.05rem 0.6rem; margin-right: 0.6rem; font-size: 1.15rem; }
.verdict h2 { font-size: 1.15rem; } .verdict p { margin: 0.3rem 0; }
.good .word, .tag.good { color: var(--good); background: var(--good-back); } .warn .word, .tag.warn { color: var(--warn); background: var(--warn-back); } .bad .word, .tag.bad { color: var(--bad); background: var(--bad-back); }
.key-3 { border-bottom: 2px solid var(--c3); } .tag { border-radius: 4px; padding: 0 0.35rem; white-space: nowrap; }
.advice ul { list-style: none; margin: 0; padding: 0; } .advice li { margin: 0.3rem 0; } .apply { border-color: var(--accent); color: var(--accent); padding: 0.1rem 0.55rem; margin: 0 0.3rem 0.2rem 0; font: 13px/1.4 ui-monospace, monospace; text-align: left; overflow-wrap: anywhere; }
.memory { display: block; width: 100%; height: 1.8rem; border-radius: 4px; } .memory .room { fill: var(--line); } .memory .over { fill: var(--bad); opacity: 0.45; } .memory .limit { fill: var(--ink); }
.part-weights { fill: var(--weights); background: var(--weights); } .part-kv-cache { fill: var(--cache); background: var(--cache); } .part-state { fill: var(--state); background: var(--state); } .part-activation { fill: var(--activation); background: var(--activation); } .part-cuda-graph { fill: var(--graph); background: var(--graph); } .part-runtime { fill: var(--runtime); background: var(--runtime); } .part-margin { fill: var(--margin); background: var(--margin); }
.parts { list-style: none; display: flex; flex-wrap: wrap; gap: 0.2rem 1.2rem; margin: 0.5rem 0 0; padding: 0; } .parts li:has(details[open]) { flex-basis: 100%; }
.swatch { display: inline-block; width: 0.8rem; height: 0.8rem; border-radius: 3px; margin-right: 0.3rem; }
summary { cursor: pointer; } summary h2 { display: inline; } dl { margin: 0.3rem 0; } dt { font-weight: 600; } dd { margin: 0 0 0.4rem; overflow-wrap: anywhere; }
.facts > div { display: grid; grid-template-columns: 8rem minmax(0, 1fr); gap: 0.6rem; } .facts dt { color: var(--soft); font-weight: 400; }
.charts { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(20rem, 100%), 1fr)); gap: 1rem; }
${CHART_STYLES}
.scroll { overflow-x: auto; } .choices[hidden] { display: none; } table { border-collapse: collapse; width: 100%; font-size: 0.9rem; } th, td { text-align: left; padding: 0.25rem 0.6rem 0.25rem 0; border-bottom: 1px solid var(--line); vertical-align: top; } th { color: var(--soft); font-weight: 600; white-space: nowrap; } .number + :not(.number) { padding-left: 0.7rem; } .number { text-align: right; white-space: nowrap; font-variant-numeric: tabular-nums; } tr.first td { font-weight: 600; } td .apply { margin: 0; overflow-wrap: normal; } td { overflow-wrap: break-word; min-width: 2.5rem; }
.code { max-height: 30rem; overflow: auto; background: var(--back); border: 1px solid var(--line); border-radius: 6px; margin: 0.3rem 0; } pre { padding: 0.6rem; font: 12.5px/1.45 ui-monospace, monospace; margin: 0; width: max-content; min-width: 100%; } code { font: 0.9em ui-monospace, monospace; overflow-wrap: anywhere; }
.command { white-space: pre-wrap; overflow-wrap: anywhere; width: auto; }
figure { margin: 0.4rem 0; } figcaption { display: flex; gap: 0.6rem; align-items: center; color: var(--soft); font-size: 0.87rem; } .copy { padding: 0 0.5rem; font-size: 0.85rem; }
.unseen { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); white-space: nowrap; margin: 0; }
@media (max-width: 55rem) { .columns { grid-template-columns: minmax(0, 1fr); padding: 0 0.6rem; } header, nav { padding-left: 0.6rem; padding-right: 0.6rem; }
  .peek { display: block; position: fixed; z-index: 4; left: 0.5rem; right: 0.5rem; bottom: 0.5rem; text-align: left; padding: 0.5rem 0.8rem; border-color: var(--accent); box-shadow: 0 2px 12px #0005; } .peek > span { display: -webkit-box; -webkit-box-orient: vertical; -webkit-line-clamp: 2; overflow: hidden; } .peek .word { border-radius: 4px; padding: 0 0.4rem; margin-right: 0.2rem; font-weight: 600; } }
@media (max-width: 32rem) { header p { display: none; } h1 { flex: 1; } nav button { font-size: 0.9rem; padding: 0.25rem 0.55rem; } .expendable { display: none; } th, th.number { white-space: normal; } th, td { padding-right: 0.4rem; } .facts > div { grid-template-columns: minmax(0, 1fr); gap: 0; } .card { padding: 0.7rem 0.7rem; } }
@media (prefers-reduced-motion: no-preference) { main { transition: opacity 0.15s; } }
.report { max-width: 62rem; margin: 0 auto; padding: 1rem; }
@media print { body { background: #fff; } nav, footer, .question, .tools, .peek, .copy, .more-rows, .tabs { display: none; } .columns { display: block; padding: 0; } .card:not(:has(table, dl)), tr, figure, .chart { break-inside: avoid; } h2, h3, summary { break-after: avoid; } pre { white-space: pre-wrap; overflow-wrap: anywhere; width: auto; } .code { max-height: none; } .word, .tag, .part, .swatch, .band { print-color-adjust: exact; } }
`
