"""The style sheet of the HTML reports: serif headings, tabular figures, light, dark and paper."""

from __future__ import annotations

COMPONENT_COLOURS = ("c0", "c1", "c2", "c3", "c4", "c5", "c6")  # told apart with any colour vision, and by lightness
RUN_COLOURS = ("r0", "r1", "r2", "r3", "r4")
OPEN_COLOUR = "open"

_LIGHT = """
  --paper: #fdfcf9; --panel: #f5f3ec; --ink: #1c2430; --soft: #5a6470; --line: #dedad0; --rail: #efece4;
  --accent: #0b4f6c; --good: #17694f; --bad: #b23a1e;
  --c0: #0b4f6c; --c1: #3f8fbf; --c2: #a6cfe3; --c3: #e0b04a; --c4: #c8553d; --c5: #7d5a96; --c6: #98a1ab;
  --r0: #0b4f6c; --r1: #2f7ea6; --r2: #67a9cb; --r3: #9fcae0; --r4: #cfe4ef; --open: #d1622f;
"""
_DARK = """
  --paper: #12171d; --panel: #1a2129; --ink: #e8e6e0; --soft: #a0a9b3; --line: #2f3842; --rail: #20272f;
  --accent: #7cc0e4; --good: #6fcba6; --bad: #ff9170;
  --c0: #4b9fcb; --c1: #93cdea; --c2: #2d6a8a; --c3: #e6bb5c; --c4: #e27a5f; --c5: #b394cb; --c6: #7d8893;
  --r0: #9fd3ee; --r1: #6bb3d8; --r2: #4390b8; --r3: #2b6c8e; --r4: #204f69; --open: #f08a55;
"""
_COLOURS = " ".join(
    f".{name} {{ fill: var(--{name}); background: var(--{name}); }} .chart .path-{name} {{ stroke: var(--{name}); }}"
    for name in (*COMPONENT_COLOURS, *RUN_COLOURS, OPEN_COLOUR)
)

_PAGE = """
* { box-sizing: border-box; }
html { -webkit-text-size-adjust: 100%; scroll-behavior: smooth; }
body { margin: 0; background: var(--paper); color: var(--ink);
  font: 16px/1.55 -apple-system, "Segoe UI", "Helvetica Neue",
  "Noto Sans", "Noto Sans TC", Arial, sans-serif; font-variant-numeric: tabular-nums lining-nums; }
main, header, footer { max-width: 1040px; margin: 0 auto; padding: 0 40px; }
header { padding-top: 64px; }
h1, h2, h3, .card b, caption { font-family: "Iowan Old Style", "Palatino Linotype", Palatino, "Noto Serif", Georgia,
  "Songti TC", serif; font-weight: 500; letter-spacing: -0.005em; }
h1 { font-size: 44px; line-height: 1.12; margin: 10px 0 14px; max-width: 20em; overflow-wrap: anywhere; }
h2 { font-size: 27px; line-height: 1.2; margin: 0 0 10px; }
h3 { font-size: 19px; margin: 36px 0 8px; }
p { margin: 0 0 14px; max-width: 44em; overflow-wrap: anywhere; }
.lead { color: var(--soft); }
.house { font-size: 13px; letter-spacing: 0.14em; text-transform: uppercase; color: var(--accent); margin: 0; }
.badge { display: inline-block; border: 1px solid currentColor; border-radius: 3px; padding: 1px 9px; font-size: 13px;
  letter-spacing: 0.06em; text-transform: uppercase; color: var(--bad); margin-right: 8px; }
nav ul { list-style: none; margin: 26px 0 0; padding: 12px 0; border-top: 1px solid var(--line);
  border-bottom: 1px solid var(--line); display: flex; flex-wrap: wrap; gap: 4px 24px; font-size: 14px; }
a { color: var(--accent); text-decoration: none; } a:hover { text-decoration: underline; }
:focus-visible { outline: 2px solid var(--accent); outline-offset: 3px; }
section { padding: 52px 0 8px; } section + section { border-top: 1px solid var(--line); margin-top: 40px; }
"""

_PARTS = """
.cards { display: grid; grid-template-columns: repeat(4, 1fr); gap: 0 36px;
  list-style: none; padding: 0; margin: 18px 0 0; }
.card { border-top: 2px solid var(--accent); padding: 12px 0 26px; min-width: 0; }
.card span { display: block; font-size: 13.5px; color: var(--soft); }
.card b { display: block; font-size: 29px; line-height: 1.2; margin: 4px 0 4px; overflow-wrap: anywhere; }
.card.bad { border-color: var(--bad); } .card.bad b { color: var(--bad); }
figure { margin: 26px 0 30px; } figcaption { font-size: 14px; color: var(--soft); margin-bottom: 10px; }
.legend { list-style: none; margin: 8px 0 0; padding: 0; display: flex; flex-wrap: wrap; gap: 4px 20px;
  font-size: 13.5px; color: var(--soft); }
.swatch { display: inline-block; width: 11px; height: 11px; border-radius: 2px; margin-right: 7px; }
.swatch.ring-key { background: none; border: 2.5px solid var(--c4); border-radius: 50%; }
.swatch.dot-key { background: var(--c0); border-radius: 50%; }
.chart { display: block; font-size: 13.5px; } .plot { overflow: visible; }
.chart .label { fill: var(--ink); } .chart .axis { fill: var(--soft); font-size: 12.5px; }
.chart .figure { fill: var(--ink); text-anchor: end; }
.chart .plot > rect { stroke: var(--paper); stroke-width: 1px; } .chart .rail-bar { fill: var(--rail); }
.chart .tick { stroke: var(--ink); stroke-width: 2px; } .chart .guide { stroke: var(--soft); stroke-dasharray: 2 2; }
.chart .rail { stroke: var(--line); } .chart .target { stroke: var(--bad); stroke-dasharray: 4 3; }
.chart .link { stroke: var(--c6); stroke-width: 2px; } .chart .dot { fill: var(--c0); }
.chart .dot.low { fill: var(--bad); }
.chart .ring { fill: var(--paper); stroke: var(--c4); stroke-width: 2.4px; }
.chart .path { fill: none; stroke-width: 2px; vector-effect: non-scaling-stroke; }
.scroll { overflow-x: auto; margin: 18px 0 22px; }
table { border-collapse: collapse; width: 100%; font-size: 14px; line-height: 1.35; }
caption { text-align: left; font-size: 16.5px; padding: 0 0 8px; }
th, td { padding: 7px 0 7px 22px; text-align: left; vertical-align: top; font-weight: 400; white-space: nowrap; }
th:first-child, td:first-child { padding-left: 0; position: sticky; left: 0; background: var(--paper); }
td:not(.number):not(.code) { white-space: normal; min-width: 8em; }
thead th { color: var(--soft); font-size: 13px; border-bottom: 1px solid var(--ink);
  vertical-align: bottom; white-space: normal; }
tbody tr + tr > * { border-top: 1px solid var(--line); }
tfoot th, tfoot td { border-top: 1px solid var(--ink); font-weight: 600; }
.number { text-align: right; }
.code { font: 12.5px/1.5 ui-monospace, "SF Mono", Menlo, Consolas, "DejaVu Sans Mono", monospace; }
td.code { white-space: normal; overflow-wrap: anywhere; min-width: 18em; }
details { margin: 14px 0; } summary { cursor: pointer; color: var(--accent); font-size: 15px; padding: 4px 0; }
.notes li { margin-bottom: 6px; max-width: 44em; }
footer { color: var(--soft); font-size: 13.5px; padding-top: 24px; padding-bottom: 56px; }
"""

_SCREENS = """
@media (max-width: 900px) { .cards { grid-template-columns: repeat(2, 1fr); } }
@media (max-width: 600px) {
  main, header, footer { padding-left: 20px; padding-right: 20px; } header { padding-top: 36px; }
  h1 { font-size: 31px; } h2 { font-size: 23px; } .card b { font-size: 23px; } .cards { gap: 0 20px; }
  section { padding-top: 36px; } .chart { font-size: 11.5px; } .chart .axis { font-size: 11px; }
  th, td { padding-left: 16px; }
}
@media print {
  @page { size: A4; margin: 16mm 14mm; }
  body { font-size: 10.5pt; } header { padding-top: 0; } main, header, footer { padding: 0; max-width: none; }
  nav { display: none; } section { padding-top: 18pt; } h2, h3, caption { break-after: avoid; }
  figure, tr, .card { break-inside: avoid; } .scroll { overflow: visible; } table { font-size: 8.5pt; }
  th, td { padding-left: 10px; } td.code { min-width: 0; }
  * { -webkit-print-color-adjust: exact; print-color-adjust: exact; }
}
"""


def style_sheet() -> str:
    """Return the whole style sheet: light by default and on paper, dark where the reader's screen asks for it."""
    dark = f"@media screen and (prefers-color-scheme: dark) {{ :root {{{_DARK}}} }}"
    return f":root {{ color-scheme: light dark;{_LIGHT}}}\n{dark}{_PAGE}{_COLOURS}{_PARTS}{_SCREENS}"
