// Charts over steps. Each has a table that says the same, and is walked with the arrow keys.
import { h } from "./dom.js";
import { plain } from "./format.js";
import { colour, onTheme } from "./theme.js";

const SERIES = ["series-1", "series-2", "series-3", "series-4", "series-5", "series-6"];
const JUMPS = { ArrowLeft: -1, ArrowRight: 1, PageUp: -10, PageDown: 10 };
const live = new Set();

onTheme(() => live.forEach((chart) => chart.restyle()));

export function dropCharts() {
  live.forEach((chart) => chart.destroy());
  live.clear();
}

export function seriesColour(place) {
  return SERIES[Math.min(place, SERIES.length - 1)];
}

// series: [{name, values, colour, line}]; an axis in money, tokens or shares by `axis`.
export function stepChart({ caption, labels, series, format, axis, kind = "bar", most, chosen, onchoose, tall, marks, rows }) {
  const canvas = h("canvas", { "aria-hidden": "true" });
  const frame = h("div", {
    class: `chart-frame${tall ? " tall" : ""}`, tabindex: "0", role: "slider", "aria-label": `${caption}. Arrow keys go from step to step.`,
    "aria-valuemin": "0", "aria-valuemax": String(Math.max(labels.length - 1, 0)), onkeydown: walk,
  }, canvas);
  const figure = h("figure", { class: "chart" }, legend(series), frame, asTable(caption, labels, series, format, rows));
  let at = chosen ?? labels.length - 1;
  let chart = null;
  tellValue();
  // A canvas has a size only once it stands in the page.
  requestAnimationFrame(() => {
    if (!canvas.isConnected) return;
    chart = new Chart(canvas, settings());
    live.add({ destroy: () => chart.destroy(), restyle: () => { chart.destroy(); chart = new Chart(canvas, settings()); } });
  });
  return Object.assign(figure, { choose: (place) => step(place, false) });

  function walk(event) {
    let next = JUMPS[event.key] === undefined ? undefined : at + JUMPS[event.key];
    if (event.key === "Home") next = 0;
    if (event.key === "End") next = labels.length - 1;
    if (next === undefined) return;
    event.preventDefault();
    step(Math.max(0, Math.min(labels.length - 1, next)), true);
  }

  function step(place, shows) {
    at = place;
    tellValue();
    if (chart && shows) {
      const active = series.map((_, index) => ({ datasetIndex: index, index: at }));
      chart.setActiveElements(active);
      chart.tooltip.setActiveElements(active, { x: 0, y: 0 });
    }
    chart?.draw();
    if (shows) onchoose?.(at);
  }

  function tellValue() {
    frame.setAttribute("aria-valuenow", String(Math.max(at, 0)));
    const told = series.map((each) => `${each.name} ${format(each.values[at])}`).join(", ");
    frame.setAttribute("aria-valuetext", labels.length ? plain(`${labels[at]}: ${told}`) : "nothing");
  }

  function settings() {
    const ink = colour("ink-quiet");
    const line = colour("line");
    const isBar = kind === "bar";
    Chart.defaults.font.family = getComputedStyle(document.body).fontFamily;
    return {
      type: kind,
      data: { labels, datasets: series.map((each) => dataset(each, isBar)) },
      options: {
        animation: false, events: ["mousemove", "mouseout", "click"], responsive: true, maintainAspectRatio: false, normalized: true,
        interaction: { mode: "index", intersect: false },
        onClick: (event, _, of) => {
          const near = of.getElementsAtEventForMode(event, "index", { intersect: false }, false);
          if (near.length) step(near[0].index, true);
        },
        scales: {
          x: { stacked: isBar, grid: { display: false }, border: { color: line },
            ticks: { color: ink, maxRotation: 0, autoSkipPadding: 24 } },
          y: { stacked: isBar, beginAtZero: true, max: most, border: { display: false }, grid: { color: line },
            ticks: { color: ink, maxTicksLimit: 5, callback: (value) => axis(value) } },
        },
        plugins: { legend: { display: false }, tooltip: tooltip() },
      },
      plugins: [chosenBand(colour("band"))],
    };
  }

  function dataset(each, isBar) {
    const shade = colour(each.colour);
    return isBar
      ? { label: plain(each.name), data: each.values, backgroundColor: shade, hoverBackgroundColor: shade, borderWidth: 0,
        barPercentage: 1, categoryPercentage: labels.length > 120 ? 1 : 0.78, maxBarThickness: 44, borderRadius: 0 }
      : { label: plain(each.name), data: each.values, borderColor: shade, backgroundColor: shade, borderWidth: 2, tension: 0,
        pointRadius: labels.length > 60 ? 0 : 2.5, pointHoverRadius: 5, borderDash: each.dash ?? [], spanGaps: true };
  }

  function tooltip() {
    return {
      backgroundColor: colour("tip"), titleColor: colour("tip-ink"), bodyColor: colour("tip-ink"), padding: 10,
      cornerRadius: 6, boxPadding: 5, usePointStyle: true, displayColors: true,
      filter: (item) => Boolean(item.raw) || kind === "line",
      callbacks: { label: (item) => ` ${item.dataset.label}: ${format(item.raw)}`, footer: (items) => marks?.(items[0]?.dataIndex) },
      footerColor: colour("tip-ink"), footerFont: { weight: "normal" },
    };
  }

  function chosenBand(shade) {
    return {
      id: "chosen",
      beforeDatasetsDraw(drawn) {
        if (!onchoose || at < 0 || !labels.length) return;
        const { ctx, chartArea: area, scales } = drawn;
        const middle = scales.x.getPixelForValue(at);
        const wide = Math.max(area.width / labels.length, 6);
        ctx.save();
        ctx.fillStyle = shade;
        ctx.fillRect(middle - wide / 2, area.top, wide, area.height);
        ctx.restore();
      },
    };
  }
}

function legend(series) {
  return h("ul", { class: "legend" }, series.map((each) => h("li", {},
    h("span", { class: "swatch", style: { background: `var(--${each.colour})` } }), each.name)));
}

const MOST_ROWS = 400;

function asTable(caption, labels, series, format, steps) {
  const details = h("details", { class: "as-table" }, h("summary", {}, "As a table"));
  details.addEventListener("toggle", () => {
    if (!details.open || details.querySelector("table")) return;
    const first = labels.slice(0, MOST_ROWS);
    details.append(h("div", { class: "table-frame", tabindex: "0", role: "region", "aria-label": `${caption}, as a table` },
      h("table", {}, h("caption", { class: "unseen" }, caption),
        h("thead", {}, h("tr", {}, h("th", { scope: "col" }, steps ?? "Step"), series.map((each) => h("th", { scope: "col", class: "numeric" }, each.name)))),
        h("tbody", {}, first.map((label, at) => h("tr", {}, h("th", { scope: "row" }, label),
          series.map((each) => h("td", { class: "numeric" }, format(each.values[at])))))))),
      labels.length > MOST_ROWS ? h("p", { class: "note" }, `The first ${MOST_ROWS} of ${labels.length}.`) : "");
  });
  return details;
}
