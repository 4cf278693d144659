// Watch: the runs of the folders as they change, and one of them in full.

import { drawChart } from "./chart.js";
import { makeParallel } from "./parallel.js";
import { byId, counted, duration, element, listen, look, number, share, svg, tell, view } from "./screen.js";
import { makeTable, textOf } from "./table.js";

const N_CURVES = 6;

let list = null, chosen = "", revision = 0, isLoading = false, mustLoad = false, ticked = [];

const table = makeTable(byId("trials"), {
  onTick(trial, isOn) {
    ticked = ticked.filter((each) => each !== trial);
    if (isOn) ticked.push(trial);
    view.write({ run: chosen, ticked: ticked.join(",") });
    drawRows();
    drawCurves();
  },
  onSort(sorted) {
    view.write({ run: chosen, sort: (sorted.descending ? "-" : "") + sorted.name });
    table.showFirst();
    drawRows();
  },
  isTicked: (trial) => ticked.includes(trial),
});
const parallel = makeParallel(byId("parallel"), byId("brushes"), (brushes) => {
  view.write({ run: brushes.size ? chosen : view.read().get("run"), brush: brushes.size ? JSON.stringify(Array.from(brushes, ([name, [low, high]]) => [name, [+low.toFixed(4), +high.toFixed(4)]])) : null });
  table.showFirst();
  drawRows();
});

// The view that the address keeps.
function restore() {
  const kept = view.read();
  chosen = kept.get("run") || "";
  ticked = (kept.get("ticked") || "").split(",").filter(Boolean);
  byId("filter").value = kept.get("filter") || "";
  const sort = kept.get("sort");
  if (sort) table.sortBy({ name: sort.replace(/^-/, ""), descending: sort.startsWith("-") });
  try {
    parallel.setBrushes(JSON.parse(kept.get("brush") || "[]"));
  } catch (error) {
    parallel.setBrushes([]);
  }
}

function choose(name) {
  if (name === chosen) return view.write({ run: name });
  chosen = name;
  revision = 0;
  ticked = [];
  table.clear();
  table.sortBy(null);
  parallel.setBrushes([]);
  byId("filter").value = "";
  view.write({ run: name, ticked: null, sort: null, filter: null, brush: null, metric: null });
  showRuns();
  showRun();
}

function show(state) {
  tell("");
  list = state;
  if (!chosen && list.is_complete && list.runs.length) {
    // What is under way is what one came to see; else what changed last.
    const lively = list.runs.filter((run) => run.running.length > 0);
    const latest = (lively.length ? lively : list.runs).reduce((last, run) => ((run.changed || 0) > (last.changed || 0) ? run : last));
    chosen = latest.name;
  }
  showRuns();
  showRun();
}

const epochOf = (trial) => trial.epoch + (trial.n_epochs ? " of " + trial.n_epochs : "");
const isAtWork = (run) => run.holder !== null || run.running.length > 0;

function stateOf(run) {
  const nOver = run.n_finished + run.n_diverged + run.n_stopped;
  const parts = [run.n_trials === null ? counted(nOver, "trial") : nOver + " of " + counted(run.n_trials, "trial")];
  if (run.n_diverged) parts.push(run.n_diverged + " diverged");
  if (run.n_failed) parts.push(run.n_failed + " failed");
  if (run.n_stopped) parts.push(run.n_stopped + " stopped early");
  if (run.running.length) parts.push(run.running.length + " under way");
  else if (isAtWork(run)) parts.push("at work");
  else if (run.interrupted.length === 1) parts.push("stopped in epoch " + epochOf(run.interrupted[0]) + "; the same command goes on");
  else if (run.interrupted.length) parts.push(run.interrupted.length + " stopped on the way; the same command goes on");
  else if (run.n_left) parts.push("nobody is at work; the same command goes on");
  if (run.seconds_left) parts.push("about " + duration(run.seconds_left) + " left");
  if (run.n_warnings) parts.push(counted(run.n_warnings, "file") + " to look at");
  return parts.join(", ");
}

function showRuns() {
  const words = byId("find-run").value.toLowerCase();
  byId("runs-tools").hidden = list.runs.length < 7;
  byId("no-runs").hidden = list.runs.length > 0 || !list.is_complete;
  const nLively = list.runs.filter(isAtWork).length;
  byId("lead").textContent = list.is_complete ? counted(list.runs.length, "folder") + " of results" + (nLively ? "; " + nLively + " at work" : "") + "." : "The folders are being read …";
  // What is under way, then what changed last.
  const rank = (run) => (isAtWork(run) ? 1e12 : 0) + (run.changed || 0);
  const runs = list.runs.filter((run) => run.name.toLowerCase().includes(words)).sort((a, b) => rank(b) - rank(a));
  const focused = document.activeElement && document.activeElement.dataset.run;
  byId("runs").replaceChildren(
    ...runs.map((run) => {
      const nOver = run.n_finished + run.n_diverged + run.n_stopped, all = run.n_trials || nOver || 1;
      const bar = element("progress", { max: all, value: nOver, "aria-label": "trials done" });
      const best = run.best ? element("span", {}, element("b", {}, run.best.value), " " + run.best.ranked_by) : element("span", {}, "nothing has finished");
      const button = element("button", { type: "button", class: "run-card" + (isAtWork(run) ? " lively" : ""), "aria-pressed": run.name === chosen, "data-run": run.name }, element("strong", {}, run.name), element("span", { class: "note" }, stateOf(run)), bar, best);
      button.addEventListener("click", () => choose(run.name));
      return element("li", {}, button);
    })
  );
  if (focused) {
    const again = Array.from(byId("runs").querySelectorAll("button")).find((button) => button.dataset.run === focused);
    if (again) again.focus({ preventScroll: true });
  }
  showThatRunsGoOn();
}

// That the list can be scrolled is to be seen where no row happens to be cut.
function showThatRunsGoOn() {
  const runs = byId("runs");
  runs.classList.toggle("goes-on", runs.scrollTop + runs.clientHeight < runs.scrollHeight - 4);
}

function showRun() {
  const run = list && list.runs.find((each) => each.name === chosen);
  byId("run").hidden = !run;
  byId("no-run").hidden = !list || !list.is_complete || !chosen || Boolean(run);
  byId("no-run").textContent = "“" + chosen + "” is not there, or no longer: choose another folder.";
  if (!run) return;
  byId("run-title").textContent = run.name;
  byId("run-path").textContent = run.path + (run.holder ? "; " + run.holder : "");
  byId("report").href = "data/report?run=" + encodeURIComponent(run.name);
  const tiles = [["Trials", stateOf(run).split(",")[0], stateOf(run).split(", ").slice(1).join(", ") || (run.n_finished + run.n_diverged + run.n_stopped ? "all is done" : "nothing has been run yet")]];
  if (run.best) tiles.push([run.best.mean ? "The best single trial" : "The best", run.best.value, run.best.ranked_by + (run.best.label ? ", " + run.best.label : "")]);
  if (run.best && run.best.mean) tiles.push(["The best mean", run.best.mean.value, "over " + run.best.mean.label]);
  if (run.seconds_left) tiles.push(["Left", duration(run.seconds_left), "by the seconds that finished trials took"]);
  byId("tiles").replaceChildren(...tiles.map(([name, value, remark]) => element("div", {}, element("dt", {}, name), element("dd", {}, value, element("small", {}, remark)))));
  const remark = run.best && run.best.remark;
  byId("luck").hidden = !remark;
  byId("luck").textContent = remark ? "The best single trial is " + remark + "." : "";
  showWarnings(run);
  showInterrupted(run);
  showConfigurations(run);
  showUnderWay(run.running);
  // What there is nothing for yet takes no room.
  const hasRows = run.n_finished + run.n_diverged + run.n_failed + run.n_stopped > 0;
  byId("table-title").parentElement.hidden = !hasRows;
  byId("parallel-title").parentElement.hidden = !hasRows || !parallel.isTelling();
  byId("best-chart").parentElement.hidden = run.running_best.length === 0;
  drawBest(run);
  if (run.table !== revision) load();
  else drawCurves();
}

// What lies in the folder and does not count, or is not what it says it is.
function showWarnings(run) {
  byId("warnings").hidden = run.n_warnings === 0;
  const more = run.n_warnings - run.warnings.length;
  byId("warnings").replaceChildren(...run.warnings.map((warning) => element("p", {}, warning.replace(/[^.]$/, "$&."))), ...(more > 0 ? [element("p", {}, "And " + counted(more, "file") + " more.")] : []));
}

// Trials that somebody was at, and nobody is.
function showInterrupted(run) {
  const isIdle = !isAtWork(run);
  byId("interrupted").hidden = run.interrupted.length === 0 && run.command === null;
  byId("interrupted-title").textContent = run.interrupted.length ? "Stopped on the way" : "Not at its end";
  byId("go-on").textContent = !isIdle
    ? "Nobody is at these trials. They have checkpoints, from which whoever is at work in the folder goes on in its turn."
    : "Nobody is at work. The command that was given before goes on" + (run.interrupted.length ? " from the checkpoints, and nothing of what they hold is trained again" : " with what is left") + (run.command ? "; so does, in the folder where that was given:" : ".");
  byId("go-on-command").hidden = run.command === null;
  if (byId("go-on-command").textContent !== (run.command || "")) byId("go-on-command").textContent = run.command || "";
  byId("interrupted-table").hidden = run.interrupted.length === 0;
  byId("interrupted-rows").replaceChildren(
    ...run.interrupted.map((trial) => element("tr", {}, element("td", { class: "left" }, element("code", {}, trial.trial.slice(0, 12))), element("td", { class: "left long" }, trial.label || "–"), element("td", {}, epochOf(trial)), soFar(trial)))
  );
}

function showConfigurations(run) {
  const shown = run.configurations;
  byId("configurations").hidden = shown.length === 0;
  byId("configurations-metric").textContent = run.best ? run.best.ranked_by + ", mean ± sd" : "mean";
  byId("configurations-note").textContent = "Trials that differ in their seed alone are one configuration. " + (shown.length === 10 ? "The first ten by their mean." : "By their mean; a configuration that lost seeds stands behind those that lost none.");
  byId("configurations-rows").replaceChildren(
    ...shown.map((each, index) => element("tr", {}, element("td", {}, each.value === null ? "–" : index + 1), element("td", { class: "left long" }, each.label || "–"), element("td", {}, each.value || "–"), element("td", {}, each.finished), element("td", { class: "left" + (/diverged|failed/.test(each.remark) ? " status diverged" : "") }, each.remark)))
  );
}

// The last value of a curve, with a small drawing of it.
function soFar(trial) {
  const latest = trial.curve.length ? trial.curve[trial.curve.length - 1][1] : null;
  return element("td", { class: "left" }, spark(trial.curve), latest === null ? "" : " " + (latest <= 1 ? share(latest) : number(latest)) + " " + trial.measures);
}

function spark(curve) {
  if (curve.length < 2) return "–";
  const values = curve.map((point) => point[1]), low = Math.min(0, ...values), high = Math.max(...values, low + 1e-9);
  const first = curve[0][0], last = curve[curve.length - 1][0];
  const path = curve.map(([epoch, value], index) => (index ? "L" : "M") + (2 + (76 * (epoch - first)) / (last - first || 1)).toFixed(1) + " " + (22 - (20 * (value - low)) / (high - low)).toFixed(1)).join("");
  const drawn = svg("svg", { width: 80, height: 24, class: "spark", "aria-hidden": "true" });
  drawn.append(svg("path", { d: path, fill: "none", stroke: "currentColor", "stroke-width": 1.6 }));
  return drawn;
}

function showUnderWay(running) {
  byId("under-way").hidden = running.length === 0;
  byId("running").replaceChildren(
    ...running.map((trial) => {
      const epoch = trial.epoch === null ? "–" : trial.epoch + (trial.n_epochs ? " of " + trial.n_epochs : "");
      return element("tr", {}, element("td", { class: "left" }, element("code", {}, trial.trial.slice(0, 12))), element("td", { class: "left long" }, trial.label || "–"), element("td", {}, epoch), element("td", {}, duration(trial.seconds)), soFar(trial), element("td", { class: "left long" }, trial.holder));
    })
  );
}

// The table, of which only what has changed is fetched.
async function load() {
  if (isLoading) {
    mustLoad = true;
    return;
  }
  isLoading = true;
  do {
    mustLoad = false;
    const run = chosen;
    try {
      const update = await look("data/table?run=" + encodeURIComponent(run) + "&since=" + revision);
      if (run !== chosen) {
        mustLoad = true;
        continue;
      }
      revision = update.revision;
      table.merge(update);
      drawAll();
    } catch (error) {
      tell(error.message);
    }
  } while (mustLoad);
  isLoading = false;
}

function drawAll() {
  const head = table.head();
  if (!head) return;
  const wanted = view.read().get("metric");
  const place = Math.max(0, head.metrics.findIndex((metric) => metric.title === wanted));
  byId("metric").replaceChildren(...head.metrics.map((metric, index) => element("option", { value: index }, metric.title)));
  byId("metric").value = place;
  parallel.show(head, table.rows());
  drawRows();
  drawCurves();
}

function drawRows() {
  const head = table.head();
  if (!head) return;
  const filter = window.filterOf(head, byId("filter").value);
  byId("filter-error").textContent = filter.error;
  byId("filter-error").hidden = filter.error === "";
  byId("filter").setAttribute("aria-invalid", filter.error !== "");
  // When it was first there, for whoever measures.
  if (!performance.getEntriesByName("table").length) performance.mark("table");
  const drawn = table.draw((row) => filter.matches(row.cells) && parallel.passes(row));
  byId("row-count").textContent = (drawn.passing ? drawn.shown + " of " + drawn.passing.toLocaleString("en-US") + " matching trials shown" : "No trial matches") + (drawn.passing < drawn.all ? ", of " + drawn.all.toLocaleString("en-US") : "");
  byId("more-rows").hidden = drawn.shown >= drawn.passing;
  byId("more-rows").textContent = "Show " + drawn.next + " more";
  byId("untick").disabled = ticked.length === 0;
}

// The curves of the trials that are ticked, or of the best; of those under way as far as they have come.
function drawCurves() {
  const head = table.head(), run = list && list.runs.find((each) => each.name === chosen);
  if (!run) return;
  const underWay = run.running.concat(run.interrupted).filter((trial) => trial.curve.length > 1);
  const nameOfRunning = (trial) => (run.running.includes(trial) ? "under way: " : "stopped: ") + (trial.label || trial.trial.slice(0, 12));
  const hasRows = Boolean(head) && table.rows().length > 0;
  byId("curves-chart").parentElement.hidden = !hasRows && !underWay.length;
  if (!hasRows) {
    byId("endings").replaceChildren();
    if (!underWay.length) return;
    const series = underWay.slice(0, N_CURVES).map((trial, color) => ({ name: nameOfRunning(trial), color, isDashed: true, points: trial.curve }));
    byId("curves-title").textContent = (run.running.length ? "Under way" : "As far as it came") + ", by epoch: " + underWay[0].measures;
    return drawChart(byId("curves-chart"), { title: byId("curves-title").textContent, series, isShare: series.every((line) => line.points.every((point) => point[1] <= 1)), end: underWay[0].n_epochs || 0 });
  }
  const place = Number(byId("metric").value) || 0, metric = head.metrics[place];
  const rows = ticked.length ? ticked.map((trial) => table.row(trial)).filter(Boolean) : table.passing();
  const compared = rows.filter((row) => row.curves[place]).slice(0, N_CURVES);
  const nameOf = (row) => head.varied.map((column) => head.columns[column].title + " " + textOf(head.columns[column].kind, row.cells[column])).join(", ");
  const series = [];
  compared.forEach((row, color) => {
    const ending = row.ending ? row.cells[0] + (row.ending.place ? " " + row.ending.place : "") : "";
    series.push({ name: nameOf(row), color, ending, points: row.epochs.map((epoch, index) => [epoch, row.curves[place][index]]) });
    if (ticked.length && place === 0 && row.train && row.train.length) series.push({ name: "the same, training", color, isDashed: true, points: row.epochs.map((epoch, index) => [epoch, row.train[index]]) });
  });
  if (!ticked.length && place === 0 && metric.title.toLowerCase() === "accuracy")
    underWay.slice(0, Math.max(1, N_CURVES - 3)).forEach((trial, index) => {
      series.push({ name: nameOfRunning(trial), color: (3 + index) % 6, isDashed: true, points: trial.curve });
    });
  byId("curves-title").textContent = metric.measures + (ticked.length ? " of the ticked trials" : run.n_finished ? ", of the first in the table" : "");
  const levels = place === 0 && head.constant ? [{ name: "constant answer", value: head.constant.value }] : [];
  drawChart(byId("curves-chart"), { title: metric.measures, series, levels, isShare: metric.range !== null });
  // What became of those that have no end like the others, for whoever compares them.
  const ended = ticked.map((trial) => table.row(trial)).filter((row) => row && row.ending);
  byId("endings").replaceChildren(...ended.slice(0, N_CURVES).map((row) => element("li", {}, element("code", {}, row.trial), " " + row.cells[0] + ": " + row.ending.sentence)));
}

function drawBest(run) {
  const points = run.running_best;
  // It stays until something better comes.
  const stairs = points.flatMap(([trial, value], index) => (index ? [[trial, points[index - 1][1]], [trial, value]] : [[trial, value]]));
  const ranked = run.best ? run.best.ranked_by : "";
  drawChart(byId("best-chart"), { title: "The best so far", series: [{ name: ranked, color: 0, points: stairs }], isShare: /accuracy/.test(ranked), xLabel: "finished trials", end: run.n_left ? run.n_trials - run.n_stopped : run.n_finished });
}

byId("find-run").addEventListener("input", showRuns);
byId("runs").addEventListener("scroll", showThatRunsGoOn);
addEventListener("resize", showThatRunsGoOn);
byId("filter").addEventListener("input", () => {
  view.write({ run: chosen, filter: byId("filter").value });
  table.showFirst();
  drawRows();
  if (!ticked.length) drawCurves();
});
byId("metric").addEventListener("change", () => {
  const head = table.head();
  view.write({ metric: Number(byId("metric").value) ? head.metrics[Number(byId("metric").value)].title : null });
  drawCurves();
});
byId("more-rows").addEventListener("click", () => {
  table.showMore();
  drawRows();
});
byId("untick").addEventListener("click", () => {
  ticked = [];
  view.write({ ticked: null });
  drawRows();
  drawCurves();
});
addEventListener("hashchange", () => {
  restore();
  revision = 0;
  table.clear();
  if (list) show(list);
});
restore();
listen("events/watch", show, (text, retry) => retry > 0 && tell(text));
