/** Colours of lines in the order of their use, told apart by everybody; brighter ones on dark. */
const light = ['#0072b2', '#d55e00', '#00866a', '#a8497f', '#8a6a00', '#5b4fc4', '#5a5f66', '#0f7f8c'];
const dark = ['#56b4e9', '#ff9e4a', '#3ecfa3', '#e79bc6', '#e6c84f', '#a9a1ff', '#b3bac2', '#63d3e0'];

export const lineColor = (index: number): string => `var(--line-${index % light.length})`;

const colors = (list: readonly string[]): string => list.map((color, i) => `--line-${i}: ${color};`).join(' ');

export const style = `
:root { color-scheme: light dark; --page: #fbfbfa; --panel: #ffffff; --text: #1b1f24; --quiet: #5d6570; --edge: #dcdfe3;
  --right: #1f8a5b; --wrong: #d0492c; ${colors(light)} }
@media (prefers-color-scheme: dark) { :root { --page: #14171a; --panel: #1c2024; --text: #e6e8ea; --quiet: #9aa3ad; --edge: #343a41;
  --right: #35b57d; --wrong: #e8694b; ${colors(dark)} } }
* { box-sizing: border-box; }
body { margin: 0 auto; padding: 1.25rem 1rem 4rem; max-width: 76rem; background: var(--page); color: var(--text);
  font: 1rem/1.5 system-ui, sans-serif; font-variant-numeric: tabular-nums; overflow-wrap: break-word; }
h1 { font-size: 1.6rem; line-height: 1.2; margin: 0 0 .25rem; }
h2 { font-size: 1.15rem; margin: 2.25rem 0 .75rem; }
h3 { font-size: .95rem; margin: 0 0 .4rem; }
p { margin: .3rem 0; } .quiet { color: var(--quiet); }
.grid { display: grid; gap: 1rem; grid-template-columns: repeat(auto-fit, minmax(min(100%, 26rem), 1fr)); }
.panel, .fact { background: var(--panel); border: 1px solid var(--edge); border-radius: .5rem; padding: .8rem; min-width: 0; }
.facts { display: grid; gap: .75rem; grid-template-columns: repeat(auto-fit, minmax(8.5rem, 1fr)); margin: 1rem 0; }
.facts dt { color: var(--quiet); font-size: .82rem; } .facts dd { margin: 0; font-size: 1.3rem; font-weight: 600; }
.panel svg { display: block; width: 100%; height: auto; color: var(--text); }
@media (max-width: 30rem) { .panel svg { font-size: 15px !important; } }
.legend { display: flex; flex-wrap: wrap; gap: .2rem 1rem; font-size: .85rem; color: var(--quiet); }
.legend i { display: inline-block; width: 1.4rem; margin-right: .35rem; vertical-align: middle; border-top: 3px solid; }
.legend i.dashed { border-top-style: dashed; }
.scroll { overflow-x: auto; }
table { border-collapse: collapse; font-size: .9rem; }
th { font-weight: 600; text-align: left; color: var(--quiet); } td, th { padding: .22rem .6rem; border-bottom: 1px solid var(--edge); }
td.text:first-child { white-space: nowrap; } td.text:last-child { min-width: 11rem; }
.number { text-align: right; white-space: nowrap; }
.confusion { font-size: .84rem; } .confusion td, .confusion th { padding: .25rem .38rem; text-align: right; } .confusion th[scope=row] { text-align: left; }
.confusion thead th { vertical-align: bottom; line-height: 1; } .confusion thead span { display: inline-block; writing-mode: vertical-rl; transform: rotate(180deg); }
.confusion td { background: color-mix(in srgb, var(--hue) calc(var(--share) * 65%), transparent); }
.mistakes { display: grid; gap: .75rem; grid-template-columns: repeat(auto-fill, minmax(6.5rem, 1fr)); margin: 0; }
.mistakes figure { margin: 0; font-size: .8rem; line-height: 1.3; }
.mistakes img { display: block; width: 100%; image-rendering: pixelated; border-radius: .3rem; margin-bottom: .25rem; }
details { margin: .5rem 0; } summary { cursor: pointer; font-weight: 600; }
pre { overflow-x: auto; background: var(--panel); border: 1px solid var(--edge); border-radius: .5rem; padding: .8rem; font-size: .82rem; }
`;
