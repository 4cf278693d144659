// Line charts: a few series over epochs, with levels that are only to be compared with.

import { element, number, svg } from "./screen.js";

const TOP = 12;
// How wide a figure is at most, at the size of the letters.
const DIGIT = 7.2;

function stepOf(rough) {
  const size = 10 ** Math.floor(Math.log10(rough || 1));
  return [1, 2, 5, 10].map((factor) => factor * size).find((step) => step >= rough) || size;
}

// A line through points; one that is not a number leaves a gap.
function pathOf(points, x, y) {
  let path = "", pen = "M";
  for (const [at, value] of points) {
    if (value === null || !Number.isFinite(value)) {
      pen = "M";
      continue;
    }
    path += pen + x(at).toFixed(1) + " " + y(value).toFixed(1);
    pen = "L";
  }
  return path;
}

// Which heights the lines take in each column of pixels, in pairs of the lowest and the highest.
function takenBy(series, x, y, width) {
  const taken = Array.from({ length: Math.ceil(width) + 1 }, () => []);
  for (const { points } of series) {
    let before = null;
    for (const [at, value] of points) {
      const now = value === null || !Number.isFinite(value) ? null : [x(at), y(value)];
      if (now && before) {
        const [[x0, y0], [x1, y1]] = [before, now], heightAt = (column) => y0 + ((y1 - y0) * Math.min(1, Math.max(0, (column - x0) / (x1 - x0 || 1))));
        for (let column = Math.max(0, Math.floor(x0)); column <= Math.min(taken.length - 1, x1); column++) taken[column].push([heightAt(column), heightAt(column + 1)]);
      } else if (now && taken[Math.round(now[0])]) taken[Math.round(now[0])].push([now[1], now[1]]);
      before = now;
    }
  }
  return taken;
}

// Where the name of a level crosses the fewest lines: at its end, further to the left, above it or below.
const LETTER = 6.5, N_PLACES = 12;
function placeOf(name, height, taken, [left, right, top, bottom]) {
  const width = Math.min(right - left, LETTER * name.length);
  let best = null;
  for (let index = 0; index < N_PLACES; index++) {
    const end = right - (index * (right - left - width)) / (N_PLACES - 1);
    for (const [baseline, high, low] of [[height - 5, height - 17, height - 2], [height + 14, height + 2, height + 18]]) {
      if (high < top - 8 || low > bottom + 2) continue;
      let cost = 0;
      for (let column = Math.max(0, Math.floor(end - width)); column <= Math.min(taken.length - 1, end); column++) if (taken[column].some(([a, b]) => Math.max(a, b) >= high && Math.min(a, b) <= low)) cost++;
      if (!best || cost < best.cost) best = { cost, end, baseline, high, low, begin: end - width };
    }
  }
  return best || { end: right, baseline: height - 5, high: height - 17, low: height, begin: right - width };
}

// In a window of another size it is drawn anew, with letters as large as before.
const shown = new WeakMap();
const observer = new ResizeObserver((entries) => entries.forEach(({ target }) => {
  const { width, chart } = shown.get(target);
  if (target.clientWidth && target.clientWidth !== width) drawChart(target, chart);
}));

// series: [{ name, color (0 to 5), isDashed, ending (why it ends before the others), points: [[x, y]] }], levels: [{ name, value }], isShare: y from 0 to 1, in per cent.
export function drawChart(place, chart) {
  const { title, series, levels = [], isShare = false, isWhole = false, end = 0, marks = [], xLabel = "epoch" } = chart;
  shown.set(place, { width: place.clientWidth, chart });
  observer.observe(place);
  // As wide as its place, so that letters are as large everywhere.
  const WIDTH = Math.max(280, Math.min(700, place.clientWidth || 520)), HEIGHT = Math.round(Math.min(280, 120 + WIDTH / 3));
  const BOTTOM = HEIGHT - 42;
  const values = series.flatMap((line) => line.points.map((point) => point[1])).filter((value) => value !== null && Number.isFinite(value));
  const xs = series.flatMap((line) => line.points.map((point) => point[0]));
  let low = Math.min(0, ...values);
  // Where all lines have come to high shares, they are told apart only if the axis begins below the lowest of them.
  const latestOf = (line) => line.points.map((point) => point[1]).filter((value) => value !== null && Number.isFinite(value)).pop();
  const least = isShare && values.length > 3 ? Math.min(...series.map(latestOf).filter((value) => value !== undefined)) : 0;
  if (isShare && !isWhole) low = [0.99, 0.98, 0.95, 0.9, 0.8, 0.5, 0].find((start) => start <= least - (1 - least) / 2) || 0;
  let high = isShare ? 1 : Math.max(...values, ...levels.map((level) => level.value), 1e-9);
  if (!isShare && values.length) {
    // One wild value does not take the room of the others.
    const ordered = values.slice().sort((a, b) => a - b);
    const typical = ordered[Math.floor(0.95 * (ordered.length - 1))];
    if (high > 4 * typical && typical > 0) high = 4 * typical;
  }
  const step = stepOf((high - low) / (isShare ? 5 : 4) - 1e-12);
  high = isShare ? 1 : Math.ceil(high / step) * step;
  const first = Math.min(0, ...xs), last = Math.max(end, ...xs, first + 1);
  const plain = (value) => (Math.abs(value) >= 1e5 ? value.toExponential(1) : number(+value.toPrecision(4)));
  const written = (value) => (isShare ? +(value * 100).toPrecision(4) + " %" : plain(value));
  const ticks = Array.from({ length: Math.floor((high - low) / step + 1e-3) + 1 }, (_, index) => low + index * step);
  // Room for the longest label of each axis.
  const LEFT = 14 + DIGIT * Math.max(6, ...ticks.map((tick) => written(tick).length));
  const longest = DIGIT * number(Math.ceil(last)).length, RIGHT = WIDTH - Math.max(12, longest / 2 + 2);
  const x = (at) => LEFT + ((at - first) / (last - first)) * (RIGHT - LEFT);
  const y = (value) => BOTTOM - ((Math.min(value, high) - low) / (high - low)) * (BOTTOM - TOP);
  const latest = series.map((line) => [line.name, (line.points[line.points.length - 1] || [])[1]]).filter((pair) => Number.isFinite(pair[1]));
  const label = title + (latest.length ? ": " + latest.map(([name, value]) => name + " " + written(+value.toPrecision(3))).join(", ") : "");
  const drawn = svg("svg", { viewBox: "0 0 " + WIDTH + " " + HEIGHT, role: "img", "aria-label": label });
  drawn.style.maxWidth = WIDTH + "px";
  for (const tick of ticks) {
    drawn.append(svg("line", { x1: LEFT, x2: RIGHT, y1: y(tick), y2: y(tick), class: "grid" }));
    drawn.append(svg("text", { x: LEFT - 7, y: y(tick) + 4, "text-anchor": "end" }, written(tick)));
  }
  const every = Math.max(1, stepOf((last - first) / Math.min(8, (RIGHT - LEFT) / (longest + 14))));
  for (let tick = Math.ceil(first / every) * every; tick <= last + 1e-9; tick += every)
    drawn.append(svg("text", { x: x(tick), y: BOTTOM + 18, "text-anchor": "middle" }, number(tick)));
  drawn.append(svg("text", { x: (LEFT + RIGHT) / 2, y: HEIGHT - 6, "text-anchor": "middle" }, xLabel));
  for (const mark of marks) {
    const line = svg("line", { x1: x(mark.x), x2: x(mark.x), y1: TOP, y2: BOTTOM, class: "mark" });
    line.append(svg("title", {}, mark.name));
    drawn.append(line);
  }
  for (const level of levels) {
    if (!(level.value >= low && level.value <= high)) continue;
    drawn.append(svg("line", { x1: LEFT, x2: RIGHT, y1: y(level.value), y2: y(level.value), class: "level" }));
  }
  // What lies below the axis is not drawn.
  const inside = svg("svg", { width: WIDTH, height: BOTTOM + 1.5 });
  drawn.append(inside);
  for (const line of series) {
    inside.append(svg("path", { d: pathOf(line.points, x, y), class: "line s" + line.color + (line.isDashed ? " dashed" : "") }));
    const there = line.points.filter((point) => Number.isFinite(point[1]));
    // A line of one point is none.
    const [endX, endY] = there.length ? [x(there[there.length - 1][0]), y(there[there.length - 1][1])] : [0, 0];
    if (line.ending && there.length) {
      const cross = svg("path", { d: "M" + (endX - 5) + " " + (endY - 5) + "l10 10m0 -10l-10 10", class: "end s" + line.color });
      cross.append(svg("title", {}, line.ending));
      inside.append(cross);
    } else if (there.length === 1) inside.append(svg("circle", { cx: x(there[0][0]), cy: y(there[0][1]), r: 3.5, class: "point s" + line.color }));
  }
  const taken = takenBy(series.concat(marks.map((mark) => ({ points: [[mark.x, low], [mark.x + 1e-9, high]] }))), x, y, WIDTH);
  for (const level of levels) {
    if (!(level.value >= low && level.value <= high)) continue;
    const place = placeOf(level.name, y(level.value), taken, [LEFT, RIGHT, TOP, BOTTOM]);
    drawn.append(svg("text", { x: place.end, y: place.baseline, "text-anchor": "end", class: "level-name" }, level.name));
    // Another name keeps away from it.
    for (let column = Math.max(0, Math.floor(place.begin)); column <= Math.min(taken.length - 1, place.end); column++) taken[column].push([place.high, place.low]);
  }
  const legend = element("ul", { class: "legend" });
  for (const line of series) {
    const key = svg("svg", { width: 22, height: 10, "aria-hidden": "true" });
    key.append(svg("path", { d: "M0 5L22 5", class: "line s" + line.color + (line.isDashed ? " dashed" : "") }));
    const value = line.points.length ? line.points[line.points.length - 1][1] : null;
    legend.append(element("li", {}, key, " " + line.name + (Number.isFinite(value) ? " " : ""), element("b", {}, Number.isFinite(value) ? written(+value.toPrecision(isShare ? 4 : 3)) : ""), ...(line.ending ? [" ", element("b", { class: "ill" }, line.ending)] : [])));
  }
  if (marks.length) {
    const key = svg("svg", { width: 22, height: 10, "aria-hidden": "true" });
    key.append(svg("path", { d: "M11 0L11 10", class: "mark" }));
    legend.append(element("li", {}, key, " " + (marks.length > 1 ? marks.length + " changes, the last: " : "") + marks[marks.length - 1].name));
  }
  const readout = element("p", { class: "readout", "aria-hidden": "true" });
  const cursor = svg("line", { y1: TOP, y2: BOTTOM, class: "cursor", visibility: "hidden" });
  drawn.append(cursor);
  drawn.addEventListener("pointermove", (event) => {
    const box = drawn.getBoundingClientRect();
    const at = first + ((((event.clientX - box.left) / box.width) * WIDTH - LEFT) / (RIGHT - LEFT)) * (last - first);
    const near = series.map((line) => [line.name, line.points.reduce((best, point) => (!best || Math.abs(point[0] - at) < Math.abs(best[0] - at) ? point : best), null)]).filter((pair) => pair[1]);
    if (!near.length) return;
    const place = near.reduce((best, pair) => (Math.abs(pair[1][0] - at) < Math.abs(best - at) ? pair[1][0] : best), near[0][1][0]);
    cursor.setAttribute("x1", x(place));
    cursor.setAttribute("x2", x(place));
    cursor.setAttribute("visibility", "visible");
    readout.textContent = xLabel + " " + +place.toFixed(2) + ": " + near.map(([name, point]) => name + " " + (point[1] === null ? "–" : written(+point[1].toPrecision(4)))).join(" · ");
  });
  drawn.addEventListener("pointerleave", () => {
    cursor.setAttribute("visibility", "hidden");
    readout.textContent = "";
  });
  place.replaceChildren(drawn, readout, legend);
}
