// A cursor over fan charts that reads the values of its date from the table of the same name. The drawing itself is the
// server's; uPlot lays nothing over it but the cursor and its legend.
"use strict";

const LEFT = 0.15, WIDTH = 0.65; // where reports/fan_svg.py puts its plot

function read(table) {
  const heads = [...table.querySelectorAll("thead th")].map((one) => one.textContent.trim());
  const rows = [...table.querySelectorAll("tbody tr")].map((row) => [...row.children].map((cell) => cell.textContent.trim()));
  return { heads, rows };
}

function number(text) {
  return Number(text.replace(/,/g, "").replace("\u2212", "-"));
}

function lay(figure, table) {
  const { heads, rows } = read(table);
  const chart = figure.querySelector("svg.chart");
  const holder = document.createElement("div");
  holder.className = "cursor";
  holder.setAttribute("aria-hidden", "true"); // the table says the same
  chart.insertAdjacentElement("afterend", holder);
  const days = rows.map((row) => Date.parse(row[0] + "T00:00:00Z") / 1000);
  const columns = heads.slice(1).map((_, place) => rows.map((row) => number(row[place + 1])));
  const said = (place) => (_, __, ___, at) => (at == null ? "–" : rows[at][place]);
  const options = {
    width: Math.round(chart.clientWidth * WIDTH),
    height: chart.clientHeight - 26,
    padding: [0, 0, 0, 0],
    cursor: { y: false, points: { show: false }, drag: { x: false, y: false } },
    axes: [{ show: false }, { show: false }],
    scales: { x: { time: true } },
    tzDate: (stamp) => uPlot.tzDate(new Date(stamp * 1000), "Etc/UTC"),
    series: [
      { label: heads[0], value: said(0) },
      ...heads.slice(1).map((label, place) => ({ label, value: said(place + 1), stroke: "transparent", width: 0, points: { show: false } })),
    ],
  };
  const plot = new uPlot(options, [days, ...columns], holder);
  const fit = () => {
    plot.setSize({ width: Math.round(chart.clientWidth * WIDTH), height: chart.clientHeight - 26 });
    holder.style.marginTop = `-${chart.clientHeight}px`;
    holder.style.paddingLeft = `${chart.clientWidth * LEFT}px`;
  };
  fit();
  window.addEventListener("resize", fit);
}

function lay_all() {
  for (const place of document.querySelectorAll("[data-cursor]")) {
    const tables = new Map([...place.querySelectorAll("details table")].map((one) => [one.caption.textContent.trim(), one]));
    for (const figure of place.querySelectorAll("figure")) {
      const chart = figure.querySelector("svg.chart");
      const name = chart && chart.querySelector("title") ? chart.querySelector("title").textContent.trim() : "";
      if (chart && chart.querySelector(".band") && tables.has(name) && !figure.querySelector(".cursor")) {
        lay(figure, tables.get(name));
      }
    }
  }
}

lay_all();
document.addEventListener("answered", lay_all);
