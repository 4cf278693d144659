// The table of trials: sorting, filtering, drawing only as many rows as are looked at, and learning curves of the
// trials that are asked for.
(function () {
  "use strict";
  const source = document.getElementById("trials-data");
  const table = document.getElementById("trials-table");
  if (!source || !table) return;
  const data = JSON.parse(source.textContent);
  const PAGE = 50;
  const words = document.getElementById("filter-words");
  const status = document.getElementById("filter-status");
  const count = document.getElementById("row-count");
  const more = document.getElementById("more-rows");
  const error = document.getElementById("filter-error");
  const metricChoice = document.getElementById("table-metric");
  let metric = data.metrics[0];
  let order = data.rows.map((_, index) => index);
  let sorted = { column: -1, descending: false };
  let shown = PAGE;
  const curves = document.getElementById("curves");
  const N_CURVES = 6;
  const SVG = "http://www.w3.org/2000/svg";
  let chosen = [];

  function node(name, attributes, content) {
    const made = document.createElementNS(SVG, name);
    for (const key in attributes) made.setAttribute(key, attributes[key]);
    if (content !== undefined) made.textContent = content;
    return made;
  }

  function text(kind, value) {
    if (value === null || value === undefined) return "–";
    if (typeof value !== "number") return String(value);
    if (kind === "percent") return share(value);
    if (Number.isInteger(value)) return value.toLocaleString("en-US");
    return Math.abs(value) >= 0.001 && Math.abs(value) < 1e5 ? String(+value.toPrecision(5)) : value.toExponential(2);
  }

  // In per cent; what is not exactly all or nothing is not rounded to it.
  function share(value) {
    const written = (value * 100).toFixed(2);
    if (written === "100.00" && value < 1) return ">99.99 %";
    if (written === "0.00" && value > 0) return "<0.01 %";
    return written + " %";
  }

  function isLeft(column) {
    return column.kind === "text" || column.kind === "status";
  }

  function drawHead() {
    const row = document.createElement("tr");
    data.columns.forEach((column, index) => {
      const cell = document.createElement("th");
      cell.scope = "col";
      if (isLeft(column)) cell.className = "left";
      const button = document.createElement("button");
      button.type = "button";
      button.textContent = column.title;
      button.addEventListener("click", () => sortBy(index));
      cell.append(button);
      row.append(cell);
      if (index === 1) {
        const spark = document.createElement("th");
        spark.scope = "col";
        spark.className = "spark left";
        spark.textContent = "by epoch";
        row.append(spark);
      }
    });
    table.tHead.replaceChildren(row);
  }

  function sortBy(index) {
    // Numbers begin with the largest, texts with the first; a second click turns the order round.
    orderBy(index, sorted.column === index ? !sorted.descending : !isLeft(data.columns[index]));
  }

  function orderBy(index, descending) {
    sorted = { column: index, descending };
    const sign = descending ? -1 : 1;
    order.sort((a, b) => {
      const x = data.rows[a][index], y = data.rows[b][index];
      if (x === null || y === null) return (x === null) - (y === null) || a - b;
      const less = typeof x === "number" && typeof y === "number" ? x - y : String(x).localeCompare(String(y), "en", { numeric: true });
      return sign * less || a - b;
    });
    table.tHead.querySelectorAll("th").forEach((cell) => cell.removeAttribute("aria-sort"));
    table.parentElement.scrollTop = 0;
    const heads = Array.from(table.tHead.querySelectorAll("th")).filter((cell) => cell.firstElementChild);
    heads[index].setAttribute("aria-sort", descending ? "descending" : "ascending");
    shown = PAGE;
    drawRows();
  }

  function spark(values) {
    const finite = values.filter((value) => value !== null);
    const cell = document.createElement("td");
    cell.className = "spark left";
    if (finite.length < 2) return cell;
    const low = metric.range ? metric.range[0] : Math.min(0, ...finite);
    const high = metric.range ? metric.range[1] : Math.max(...finite);
    const place = (value, index) =>
      (2 + (index / (values.length - 1)) * 76).toFixed(1) + " " + (22 - ((value - low) / (high - low || 1)) * 20).toFixed(1);
    const svg = node("svg", { width: 80, height: 24, "aria-hidden": "true" });
    svg.append(node("path", { d: pathOf(values, place), fill: "none", stroke: "currentColor", "stroke-width": 1.6 }));
    cell.append(svg);
    return cell;
  }

  // A line through values; one that was not measured leaves a gap.
  function pathOf(values, place) {
    let path = "", pen = "M";
    values.forEach((value, index) => {
      if (value === null) { pen = "M"; return; }
      path += pen + place(value, index);
      pen = "L";
    });
    return path;
  }

  // What tells one trial from another: its varied settings and its seed.
  function nameOf(index) {
    const settings = data.varied.map((place) => data.columns[place].title + " " + text(data.columns[place].kind, data.rows[index][place]));
    return data.rows[index][1] + ": " + settings.join(" · ");
  }

  function toggle(index) {
    const place = chosen.findIndex((one) => one.index === index);
    if (place >= 0) chosen.splice(place, 1);
    else {
      if (chosen.length === N_CURVES) chosen.shift();
      const free = [0, 1, 2, 3, 4, 5].find((color) => !chosen.some((one) => one.color === color));
      chosen.push({ index, color: free });
    }
    drawCurves();
    table.querySelectorAll("button.curve").forEach((button) => {
      button.setAttribute("aria-pressed", chosen.some((one) => one.index === Number(button.dataset.row)));
    });
  }

  // A step of 1, 2 or 5 times a power of ten, at least as large as asked for.
  function stepOf(rough) {
    const power = Math.pow(10, Math.floor(Math.log10(rough)));
    return [1, 2, 5, 10].find((factor) => factor * power >= rough * 0.999999) * power;
  }

  function drawCurves() {
    curves.hidden = chosen.length === 0 || !metric.curves;
    if (curves.hidden) { curves.replaceChildren(); return; }
    const width = Math.max(300, Math.min(curves.clientWidth - 16, 900)), height = 250;
    const left = 58, right = width - 12, top = 14, bottom = height - 40;
    const series = [];
    chosen.forEach((one) => {
      const epochs = data.epochs[data.axes[one.index]];
      const name = nameOf(one.index);
      series.push({ name, color: one.color, values: metric.curves.compared[one.index], epochs, train: false });
      if (metric.curves.train.length) series.push({ name, color: one.color, values: metric.curves.train[one.index], epochs, train: true });
    });
    const finite = series.flatMap((line) => line.values.filter((value) => value !== null));
    const epochs = series.flatMap((line) => line.epochs);
    const first = Math.min(...epochs), last = Math.max(...epochs, first + 1);
    let low = Math.min(...finite), high = Math.max(...finite);
    if (!(high > low)) { low -= 0.5; high += 0.5; }
    const step = stepOf((high - low) / 5);
    low = Math.floor(low / step) * step;
    high = Math.ceil(high / step) * step;
    if (metric.range) { low = Math.max(low, metric.range[0]); high = Math.min(high, metric.range[1]); }
    const x = (epoch) => left + ((epoch - first) / (last - first)) * (right - left);
    const y = (value) => bottom - ((value - low) / (high - low)) * (bottom - top);
    const svg = node("svg", { viewBox: "0 0 " + width + " " + height, width, height, role: "img", "aria-label": metric.measures + " by epoch of " + chosen.map((one) => nameOf(one.index)).join("; ") });
    for (let tick = low; tick <= high + step / 2; tick += step) {
      svg.append(node("line", { x1: left, x2: right, y1: y(tick), y2: y(tick), class: "grid" }));
      const name = metric.range ? +(tick * 100).toPrecision(4) + " %" : String(+tick.toPrecision(4));
      svg.append(node("text", { x: left - 7, y: y(tick) + 4, "text-anchor": "end" }, name));
    }
    const every = Math.max(1, stepOf((last - first) / 8));
    for (let tick = Math.ceil(first / every) * every; tick <= last; tick += every)
      svg.append(node("text", { x: x(tick), y: bottom + 17, "text-anchor": "middle" }, String(tick)));
    svg.append(node("text", { x: (left + right) / 2, y: height - 6, "text-anchor": "middle" }, "epoch"));
    series.forEach((line) => {
      const path = pathOf(line.values, (value, index) => x(line.epochs[index]).toFixed(1) + " " + y(value).toFixed(1));
      svg.append(node("path", { d: path, class: "line s" + line.color + (line.train ? " train" : "") }));
      line.values.forEach((value, index) => {
        if (value === null) return;
        const spot = node("circle", { cx: x(line.epochs[index]), cy: y(value), r: 6, fill: "none", "pointer-events": "all" });
        const said = line.name + (line.train ? ", training" : "") + ", epoch " + line.epochs[index] + ": " + text(metric.range ? "percent" : "number", value);
        spot.append(node("title", {}, said));
        svg.append(spot);
      });
    });
    const head = document.createElement("p");
    head.className = "note";
    head.textContent = metric.measures + ", by epoch" + (series.some((line) => line.train) ? "; dashed: training set" : "");
    const list = document.createElement("ul");
    chosen.forEach((one) => {
      const item = document.createElement("li");
      const button = document.createElement("button");
      button.type = "button";
      button.textContent = "remove";
      button.setAttribute("aria-label", "remove the curve of " + nameOf(one.index));
      button.addEventListener("click", () => toggle(one.index));
      const key = node("svg", { width: 22, height: 10, "aria-hidden": "true" });
      key.append(node("path", { d: "M0 5L22 5", class: "line s" + one.color }));
      item.append(key, " " + nameOf(one.index) + " ", button);
      list.append(item);
    });
    curves.replaceChildren(head, svg, list);
  }

  function drawRow(index) {
    const row = document.createElement("tr");
    data.columns.forEach((column, place) => {
      const cell = document.createElement("td");
      const value = data.rows[index][place];
      cell.textContent = text(column.kind, value);
      if (isLeft(column)) cell.className = "left";
      if (column.kind === "text" && cell.textContent.length > 28) cell.className = "left long";
      if (column.kind === "status") cell.className = "left status " + value;
      row.append(cell);
      if (place === 1) {
        const drawn = spark(metric.curves ? metric.curves.compared[index] : []);
        if (drawn.firstElementChild) {
          const button = document.createElement("button");
          button.type = "button";
          button.className = "curve";
          button.dataset.row = index;
          button.setAttribute("aria-pressed", chosen.some((one) => one.index === index));
          button.setAttribute("aria-label", "curve of trial " + data.rows[index][1]);
          button.title = "show or hide the learning curve above the table";
          button.addEventListener("click", () => toggle(index));
          button.append(drawn.firstElementChild, "curve");
          drawn.append(button);
        }
        row.append(drawn);
      }
    });
    return row;
  }

  function drawRows() {
    const filter = filterOf(data, words.value);
    error.textContent = filter.error;
    error.hidden = filter.error === "";
    words.setAttribute("aria-invalid", filter.error !== "");
    const matches = order.filter(
      (index) => (status.value === "" || data.rows[index][0] === status.value) && filter.matches(data.rows[index])
    );
    table.tBodies[0].replaceChildren(...matches.slice(0, shown).map(drawRow));
    const drawn = Math.min(shown, matches.length);
    count.textContent = drawn + " of " + matches.length.toLocaleString("en-US") + " matching trials shown";
    more.hidden = drawn >= matches.length;
    if (!more.hidden) more.textContent = "Show " + Math.min(matches.length - drawn, 4 * PAGE) + " more";
  }

  words.addEventListener("input", () => { shown = PAGE; drawRows(); });
  status.addEventListener("change", () => { shown = PAGE; drawRows(); });
  if (metricChoice) metricChoice.addEventListener("change", () => {
    metric = data.metrics[Number(metricChoice.value)];
    orderBy(metric.column, metric.is_higher_better);
    drawCurves();
  });
  more.addEventListener("click", () => { shown += 4 * PAGE; drawRows(); });
  document.getElementById("tools").hidden = false;
  drawHead();
  drawRows();
})();
