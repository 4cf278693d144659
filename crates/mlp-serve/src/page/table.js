// The table of trials: what the program sends is merged, sorted, filtered; only as many rows are drawn as are looked at.

import { element, number, share } from "./screen.js";

const PAGE = 50;

export function textOf(kind, value) {
  if (value === null || value === undefined) return "–";
  if (typeof value !== "number") return String(value);
  if (kind === "percent") return share(value, 2);
  if (Number.isInteger(value) && Math.abs(value) < 1e12) return value.toLocaleString("en-US");
  return Math.abs(value) >= 0.001 && Math.abs(value) < 1e5 ? String(+value.toPrecision(5)) : value.toExponential(2);
}

export const isLeft = (column) => column.kind === "text" || column.kind === "status";

export function makeTable(table, { onTick, onSort, isTicked }) {
  let head = null, rows = new Map(), order = [], sorted = null, isChosen = false, shown = PAGE, passing = [];

  function sort() {
    const column = Math.max(0, head.columns.findIndex((each) => each.name === sorted.name));
    const sign = sorted.descending ? -1 : 1;
    order = Array.from(rows.values());
    order.sort((a, b) => {
      const x = a.cells[column] ?? null, y = b.cells[column] ?? null;
      if (x === null || y === null) return (x === null) - (y === null) || (a.trial < b.trial ? -1 : 1);
      const less = typeof x === "number" && typeof y === "number" ? x - y : String(x).localeCompare(String(y), "en", { numeric: true });
      return sign * less || (a.trial < b.trial ? -1 : 1);
    });
  }

  function drawHead() {
    const row = element("tr", {}, element("th", { class: "left tick", scope: "col" }, element("span", { class: "visually-hidden" }, "compare")));
    head.columns.forEach((column) => {
      const button = element("button", { type: "button", "data-place": "column " + column.name }, column.title);
      button.addEventListener("click", () => {
        // Metrics begin with the best, other numbers with the largest, texts with the first; a second click turns the order round.
        const metric = head.columns[head.ranks].name === column.name ? head.metrics[0] : head.metrics.find((each) => head.columns[each.column].name === column.name);
        const isBestLargest = metric ? metric.is_higher_better : !isLeft(column);
        sorted = { name: column.name, descending: sorted.name === column.name ? !sorted.descending : isBestLargest };
        isChosen = true;
        onSort(sorted);
      });
      const cell = element("th", { scope: "col", class: column.name === "trial" ? "left trial" : isLeft(column) ? "left" : "" }, button);
      if (sorted.name === column.name) cell.setAttribute("aria-sort", sorted.descending ? "descending" : "ascending");
      row.append(cell);
    });
    table.tHead.replaceChildren(row);
  }

  function drawRow(row) {
    const tick = element("input", { type: "checkbox", "aria-label": "compare trial " + row.trial, "data-place": "trial " + row.trial });
    tick.checked = isTicked(row.trial);
    tick.addEventListener("change", () => onTick(row.trial, tick.checked));
    const made = element("tr", { class: tick.checked ? "ticked" : "" }, element("td", { class: "left tick" }, tick));
    head.columns.forEach((column, place) => {
      const text = textOf(column.kind, row.cells[place]);
      if (column.name === "trial") return made.append(element("th", { scope: "row", class: "left trial" }, text));
      let name = isLeft(column) ? "left" : "";
      if (column.kind === "text" && text.length > 28) name = "left long";
      if (column.kind === "status") name = "left status " + row.cells[place];
      const isAboutEnd = column.kind === "status" && row.ending;
      const where = isAboutEnd && row.ending.place ? [element("small", {}, " " + row.ending.place)] : [];
      made.append(element("td", { class: name, title: isAboutEnd ? row.ending.sentence : null }, text, ...where));
    });
    return made;
  }

  return {
    clear() {
      head = null;
      rows = new Map();
    },
    // Takes in what has changed.
    merge(update) {
      if (update.head) {
        head = update.head;
        rows = new Map();
        // Where nobody chose, the best first, by what trials are ranked by.
        sorted = isChosen && head.columns.some((each) => each.name === sorted.name) ? sorted : { name: head.columns[head.ranks].name, descending: head.metrics[0].is_higher_better };
      }
      update.rows.forEach((row) => rows.set(row.trial, row));
      update.removed.forEach((trial) => rows.delete(trial));
    },
    head: () => head,
    rows: () => Array.from(rows.values()),
    row: (trial) => rows.get(trial),
    passing: () => passing,
    sortBy(order) {
      sorted = order;
      isChosen = order !== null;
    },
    sorted: () => sorted,
    showMore() {
      shown += 2 * PAGE;
    },
    showFirst() {
      shown = PAGE;
    },
    // Draws the rows that pass, and says how many.
    draw(passes) {
      sort();
      passing = order.filter(passes);
      // Whoever goes by keyboard stays where they are.
      const focused = table.contains(document.activeElement) ? document.activeElement.dataset.place : undefined;
      drawHead();
      table.tBodies[0].replaceChildren(...passing.slice(0, shown).map(drawRow));
      const again = focused && Array.from(table.querySelectorAll("[data-place]")).find((each) => each.dataset.place === focused);
      if (again) again.focus({ preventScroll: true });
      return { shown: Math.min(shown, passing.length), passing: passing.length, all: rows.size, next: Math.min(passing.length - shown, 2 * PAGE) };
    },
  };
}
