// The table of trials: sorting, filtering, and drawing only as many rows as are looked at.
(function () {
  "use strict";
  const source = document.getElementById("trials-data");
  const table = document.getElementById("trials-table");
  if (!source || !table) return;
  const data = JSON.parse(source.textContent);
  const PAGE = 100;
  const words = document.getElementById("filter-words");
  const status = document.getElementById("filter-status");
  const count = document.getElementById("row-count");
  const more = document.getElementById("more-rows");
  const haystacks = data.rows.map((row) => row.join(" ").toLowerCase());
  let order = data.rows.map((_, index) => index);
  let sorted = { column: -1, descending: false };
  let shown = PAGE;

  function text(kind, value) {
    if (value === null || value === undefined) return "–";
    if (typeof value !== "number") return String(value);
    if (kind === "percent") return (value * 100).toFixed(2) + " %";
    if (Number.isInteger(value)) return value.toLocaleString("en-US");
    return Math.abs(value) >= 0.001 && Math.abs(value) < 1e5 ? String(+value.toPrecision(5)) : value.toExponential(2);
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
        spark.className = "left";
        spark.textContent = "by epoch";
        row.append(spark);
      }
    });
    table.tHead.replaceChildren(row);
  }

  function sortBy(index) {
    // Numbers begin with the largest, texts with the first; a second click turns the order round.
    const descending = sorted.column === index ? !sorted.descending : !isLeft(data.columns[index]);
    sorted = { column: index, descending };
    const sign = descending ? -1 : 1;
    order.sort((a, b) => {
      const x = data.rows[a][index], y = data.rows[b][index];
      if (x === null || y === null) return (x === null) - (y === null) || a - b;
      const less = typeof x === "number" && typeof y === "number" ? x - y : String(x).localeCompare(String(y), "en", { numeric: true });
      return sign * less || a - b;
    });
    table.tHead.querySelectorAll("th").forEach((cell) => cell.removeAttribute("aria-sort"));
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
    const low = data.range ? data.range[0] : Math.min(0, ...finite);
    const high = data.range ? data.range[1] : Math.max(...finite);
    const place = (value, index) =>
      (2 + (index / (values.length - 1)) * 76).toFixed(1) + " " + (22 - ((value - low) / (high - low || 1)) * 20).toFixed(1);
    let path = "", pen = "M";
    values.forEach((value, index) => {
      if (value === null) { pen = "M"; return; }
      path += pen + place(value, index);
      pen = "L";
    });
    const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
    svg.setAttribute("width", "80");
    svg.setAttribute("height", "24");
    svg.setAttribute("aria-hidden", "true");
    const line = document.createElementNS("http://www.w3.org/2000/svg", "path");
    line.setAttribute("d", path);
    line.setAttribute("fill", "none");
    line.setAttribute("stroke", "currentColor");
    line.setAttribute("stroke-width", "1.6");
    svg.append(line);
    cell.append(svg);
    return cell;
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
      if (place === 1) row.append(spark(data.sparks[index]));
    });
    return row;
  }

  function drawRows() {
    const wanted = words.value.toLowerCase().split(/\s+/).filter(Boolean);
    const matches = order.filter(
      (index) => (status.value === "" || data.rows[index][0] === status.value) && wanted.every((word) => haystacks[index].includes(word))
    );
    table.tBodies[0].replaceChildren(...matches.slice(0, shown).map(drawRow));
    const drawn = Math.min(shown, matches.length);
    count.textContent = drawn + " of " + matches.length.toLocaleString("en-US") + " matching trials shown";
    more.hidden = drawn >= matches.length;
    if (!more.hidden) more.textContent = "Show " + Math.min(matches.length - drawn, 5 * PAGE) + " more";
  }

  words.addEventListener("input", () => { shown = PAGE; drawRows(); });
  status.addEventListener("change", () => { shown = PAGE; drawRows(); });
  more.addEventListener("click", () => { shown += 5 * PAGE; drawRows(); });
  document.getElementById("tools").hidden = false;
  drawHead();
  drawRows();
})();
