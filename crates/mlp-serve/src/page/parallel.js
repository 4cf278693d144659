// Parallel coordinates: an axis for each setting that varies and one for what was reached, a line for each trial. Dragging along
// an axis lets only some pass.

import { element } from "./screen.js";
import { textOf } from "./table.js";

const TOP = 46, BOTTOM = 26, SIDE = 62, GRAB = 34;

export function makeParallel(canvas, list, onBrush) {
  let axes = [], rows = [], brushes = new Map(), metric = null, drag = null, isDue = false;

  const ratio = () => Math.max(1, devicePixelRatio || 1);
  const size = () => [canvas.clientWidth || 800, canvas.clientHeight || 300];
  const xOf = (index) => SIDE + (index * (size()[0] - 2 * SIDE)) / Math.max(1, axes.length - 1);
  const yOf = (unit) => size()[1] - BOTTOM - unit * (size()[1] - TOP - BOTTOM);
  const unitOf = (y) => Math.min(1, Math.max(0, (size()[1] - BOTTOM - y) / (size()[1] - TOP - BOTTOM)));

  function axis(column, place) {
    const values = rows.map((row) => row.cells[place]).filter((value) => value !== null && value !== undefined);
    const numbers = values.filter((value) => typeof value === "number");
    if (values.length && numbers.length === values.length) {
      const low = Math.min(...numbers), high = Math.max(...numbers);
      const isLog = low > 0 && high / low >= 50 && column.kind === "number";
      const scale = isLog ? Math.log : (value) => value;
      const [from, to] = [scale(low), scale(high)];
      const unit = (value) => (typeof value !== "number" ? null : to > from ? (scale(value) - from) / (to - from) : 0.5);
      const at = (unit) => (isLog ? Math.exp(from + unit * (to - from)) : from + unit * (to - from));
      return { name: column.name, title: column.title, place, unit, ends: [textOf(column.kind, low), textOf(column.kind, high)], text: (unit) => textOf(column.kind, +at(unit).toPrecision(3)) };
    }
    const names = Array.from(new Set(values.map(String))).sort((a, b) => a.localeCompare(b, "en", { numeric: true }));
    const unit = (value) => {
      const index = names.indexOf(String(value));
      return index < 0 ? null : names.length > 1 ? index / (names.length - 1) : 0.5;
    };
    return { name: column.name, title: column.title, place, unit, names, ends: ["", ""], text: (unit) => names[Math.round(unit * (names.length - 1))] || "" };
  }

  const passes = (row) => axes.every((each) => {
    const brush = brushes.get(each.name);
    if (!brush) return true;
    const unit = each.unit(row.cells[each.place]);
    return unit !== null && unit >= brush[0] - 1e-9 && unit <= brush[1] + 1e-9;
  });

  function color(name) {
    return getComputedStyle(document.documentElement).getPropertyValue(name).trim();
  }

  function draw() {
    isDue = false;
    const [width, height] = size(), scale = ratio();
    if (canvas.width !== Math.round(width * scale)) canvas.width = Math.round(width * scale);
    if (canvas.height !== Math.round(height * scale)) canvas.height = Math.round(height * scale);
    const context = canvas.getContext("2d");
    context.setTransform(scale, 0, 0, scale, 0, 0);
    context.clearRect(0, 0, width, height);
    const [ink, muted, line, blue, card] = ["--ink", "--muted", "--line", "--blue", "--card"].map(color);
    const passing = rows.filter(passes), scored = metric && passing.filter((row) => typeof row.cells[metric.column] === "number");
    const best = new Set();
    if (scored && scored.length) {
      const sign = metric.is_higher_better ? -1 : 1;
      scored.sort((a, b) => sign * (a.cells[metric.column] - b.cells[metric.column]));
      scored.slice(0, Math.max(1, Math.ceil(scored.length / 10))).forEach((row) => best.add(row));
    }
    const path = (row) => {
      let pen = "moveTo";
      axes.forEach((each, index) => {
        const unit = each.unit(row.cells[each.place]);
        if (unit === null) return (pen = "moveTo");
        context[pen](xOf(index), yOf(unit));
        pen = "lineTo";
      });
    };
    const stroke = (some, style, alpha, thick) => {
      context.strokeStyle = style;
      context.globalAlpha = alpha;
      context.lineWidth = thick;
      context.beginPath();
      some.forEach(path);
      context.stroke();
      context.globalAlpha = 1;
    };
    if (passing.length < rows.length) stroke(rows.filter((row) => !passes(row)), line, 0.5, 1);
    stroke(passing.filter((row) => !best.has(row)), muted, Math.min(0.6, Math.max(0.08, 40 / passing.length)), 1);
    stroke(Array.from(best), blue, Math.min(1, Math.max(0.25, 30 / best.size)), 1.6);
    const style = getComputedStyle(canvas).fontFamily;
    axes.forEach((each, index) => {
      const x = xOf(index);
      context.strokeStyle = ink;
      context.lineWidth = 1;
      context.beginPath();
      context.moveTo(x, yOf(0));
      context.lineTo(x, yOf(1));
      context.stroke();
      const brush = brushes.get(each.name);
      if (brush) {
        context.fillStyle = blue;
        context.globalAlpha = 0.3;
        context.fillRect(x - 9, yOf(brush[1]) - 2, 18, yOf(brush[0]) - yOf(brush[1]) + 4);
        context.globalAlpha = 1;
      }
      context.textAlign = "center";
      context.fillStyle = ink;
      context.font = "600 12px " + style;
      // Long names stand on two lines.
      const words = each.title.split(/[ _]/), half = Math.ceil(words.length / 2), isLong = each.title.length > 13 && words.length > 1;
      (isLong ? [words.slice(0, half).join(" "), words.slice(half).join(" ")] : ["", each.title]).forEach((text, row) => context.fillText(text, x, 13 + 14 * row));
      context.fillStyle = muted;
      context.font = "11px " + style;
      if (each.names) {
        const every = Math.ceil(each.names.length / 12);
        each.names.forEach((name, place) => {
          if (place % every) return;
          const last = index + 1 === axes.length;
          context.textAlign = last ? "right" : "left";
          // As long as there is room to the next axis.
          const n = Math.max(8, Math.floor((xOf(1) - xOf(0)) / 7) - 4);
          const text = name.length > n ? name.slice(0, n - 1) + "…" : name;
          const [left, y] = [x + (last ? -7 : 7), yOf(each.names.length > 1 ? place / (each.names.length - 1) : 0.5) + 4];
          // On a ground of its own, so that lines do not cross it out.
          context.fillStyle = ink;
          context.strokeStyle = card;
          context.lineWidth = 6;
          context.lineJoin = "round";
          context.strokeText(text, left, y);
          context.fillText(text, left, y);
        });
        context.textAlign = "center";
      } else {
        context.fillText(each.ends[1], x, yOf(1) - 6);
        context.fillText(each.ends[0], x, yOf(0) + 15);
      }
    });
    canvas.setAttribute("aria-label", "Parallel coordinates of " + rows.length + " trials over " + axes.map((each) => each.title).join(", ") + "; " + passing.length + " pass");
  }

  function redraw() {
    if (isDue) return;
    isDue = true;
    requestAnimationFrame(draw);
  }

  function drawList() {
    list.replaceChildren(
      ...axes.filter((each) => brushes.has(each.name)).map((each) => {
        const [low, high] = brushes.get(each.name);
        const button = element("button", { type: "button", class: "more" }, "let all pass");
        button.addEventListener("click", () => {
          brushes.delete(each.name);
          told();
        });
        return element("li", {}, each.title + " from " + each.text(low) + " to " + each.text(high) + " ", button);
      })
    );
  }

  function told() {
    drawList();
    redraw();
    onBrush(brushes);
  }

  function at(event) {
    const box = canvas.getBoundingClientRect();
    return [event.clientX - box.left, event.clientY - box.top];
  }
  function axisAt(x) {
    const near = axes.findIndex((_, index) => Math.abs(xOf(index) - x) < Math.min(GRAB, (size()[0] - 2 * SIDE) / Math.max(1, axes.length - 1) / 2.2));
    return near < 0 ? null : axes[near];
  }
  canvas.addEventListener("pointerdown", (event) => {
    const [x, y] = at(event);
    const axis = axisAt(x);
    if (!axis || event.button !== 0) return;
    canvas.setPointerCapture(event.pointerId);
    drag = { axis, from: unitOf(y), y };
  });
  canvas.addEventListener("pointermove", (event) => {
    const [x, y] = at(event);
    canvas.style.cursor = axisAt(x) ? "ns-resize" : "";
    if (!drag || Math.abs(y - drag.y) < 4) return;
    const to = unitOf(y);
    brushes.set(drag.axis.name, [Math.min(drag.from, to), Math.max(drag.from, to)]);
    drag.moved = true;
    redraw();
  });
  const end = () => {
    if (!drag) return;
    if (!drag.moved) brushes.delete(drag.axis.name);
    drag = null;
    told();
  };
  canvas.addEventListener("pointerup", end);
  canvas.addEventListener("pointercancel", () => (drag = null));
  new ResizeObserver(redraw).observe(canvas);
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", redraw);

  return {
    show(head, all) {
      rows = all;
      metric = { ...head.metrics[0], column: head.ranks };
      // What varies but the seed, and what was reached.
      const places = head.varied.slice(0, -1).concat([metric.column]);
      axes = places.map((place) => axis(head.columns[place], place));
      canvas.parentElement.parentElement.hidden = !this.isTelling();
      drawList();
      redraw();
    },
    isTelling: () => axes.length >= 2 && rows.length >= 2,
    passes,
    setBrushes(some) {
      brushes = new Map(some);
    },
  };
}
