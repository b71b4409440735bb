#include "report/html/assets.hpp"

namespace kvmbench::report {

std::string_view page_style() {
  return R"(
:root { color-scheme: light dark; --page: #ffffff; --panel: #f6f8fa; --link: #0550ae; }
@media (prefers-color-scheme: dark) { :root { --page: #0d1117; --panel: #161b22; --link: #79b8ff; } }
* { box-sizing: border-box; }
body { margin: 0; background: var(--page); color: var(--chart-text); font: 15px/1.5 system-ui, sans-serif; }
main { max-width: 1180px; margin: 0 auto; padding: 16px; }
h1 { font-size: 1.6rem; margin: 0.4em 0 0.1em; overflow-wrap: anywhere; }
h2 { font-size: 1.2rem; margin: 1.8em 0 0.5em; border-bottom: 1px solid var(--chart-grid); padding-bottom: 0.2em; }
p { max-width: 78ch; margin: 0.5em 0; }
.faint { color: var(--chart-faint); }
nav a { color: var(--link); margin-right: 0.9em; }
.tiles { display: grid; grid-template-columns: repeat(auto-fit, minmax(140px, 1fr)); gap: 10px; margin: 1em 0; }
.tile { background: var(--panel); border: 1px solid var(--chart-grid); border-radius: 6px; padding: 8px 12px; }
.tile b { display: block; font-size: 1.3rem; font-variant-numeric: tabular-nums; }
.tile span { color: var(--chart-faint); font-size: 0.85rem; }
.charts { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(100%, 400px), 1fr)); gap: 24px; }
.chart { width: 100%; max-width: 620px; height: auto; display: block; }
.wide { overflow-x: auto; margin: 0.8em 0; }
table { border-collapse: collapse; font-size: 0.9rem; font-variant-numeric: tabular-nums; }
th, td { text-align: left; padding: 3px 10px; border-bottom: 1px solid var(--chart-grid); vertical-align: top; }
thead th { background: var(--panel); white-space: nowrap; }
.figure { text-align: right; white-space: nowrap; }
tfoot td { font-weight: 600; }
.facts th { font-weight: 400; color: var(--chart-faint); white-space: nowrap; }
.facts td { overflow-wrap: anywhere; }
.switch input { position: absolute; opacity: 0; }
.switch label { display: inline-block; border: 1px solid var(--chart-grid); padding: 2px 12px; cursor: pointer;
  border-radius: 6px; margin: 0 4px 10px 0; }
.switch input:checked + label { background: var(--series-0); color: var(--page); border-color: var(--series-0); }
.switch input:focus-visible + label { outline: 2px solid var(--link); outline-offset: 2px; }
.switch .second { display: none; }
.switch input.to-second:checked ~ .second { display: block; }
.switch input.to-second:checked ~ .first { display: none; }
thead button { all: unset; cursor: pointer; }
thead button:focus-visible { outline: 2px solid var(--link); }
th[aria-sort=ascending] button::after { content: " \25b2"; }
th[aria-sort=descending] button::after { content: " \25bc"; }
input.filter { font: inherit; padding: 3px 8px; width: min(100%, 320px); border: 1px solid var(--chart-grid);
  border-radius: 6px; background: var(--page); color: var(--chart-text); }
@media print {
  :root { --page: #fff; --panel: #fff; }
  body { font-size: 10pt; } main { max-width: none; padding: 0; }
  nav, .filter, .switch label, .switch input { display: none; }
  .switch .second { display: block; }
  svg, tr, .tile { break-inside: avoid; } h2 { break-after: avoid; }
  .wide { overflow: visible; } th, td { padding: 2px 5px; }
}
)";
}

std::string_view page_script() {
  return R"(
"use strict";
for (const table of document.querySelectorAll("table.sortable")) {
  const body = table.tBodies[0];
  if (body.rows.length < 2) continue;
  const heads = [...table.tHead.rows[0].cells];
  heads.forEach((head, column) => {
    const button = document.createElement("button");
    button.type = "button";
    button.textContent = head.textContent;
    head.replaceChildren(button);
    button.addEventListener("click", () => {
      const figures = head.classList.contains("figure");
      const up = head.getAttribute("aria-sort") === (figures ? "descending" : null);
      heads.forEach(other => other.removeAttribute("aria-sort"));
      head.setAttribute("aria-sort", up || (!figures && button.dataset.up !== "1") ? "ascending" : "descending");
      const rising = head.getAttribute("aria-sort") === "ascending";
      button.dataset.up = rising ? "1" : "0";
      const value = row => {
        const cell = row.cells[column];
        return figures ? Number(cell.dataset.value ?? "-1") : cell.textContent;
      };
      const order = (a, b) => figures ? value(a) - value(b) : value(a).localeCompare(value(b), "en", {numeric: true});
      const rows = [...body.rows].sort((a, b) => rising ? order(a, b) : order(b, a));
      body.append(...rows);
    });
  });
  if (body.rows.length < 8) continue;
  const filter = document.createElement("input");
  filter.type = "search";
  filter.className = "filter";
  filter.placeholder = "show rows with ...";
  filter.setAttribute("aria-label", "show only the rows of the table below that contain this");
  filter.addEventListener("input", () => {
    const wanted = filter.value.toLowerCase();
    for (const row of body.rows) row.hidden = !row.textContent.toLowerCase().includes(wanted);
  });
  table.parentElement.before(filter);
}
)";
}

}  // namespace kvmbench::report
