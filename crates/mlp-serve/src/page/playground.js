// Playground: starts trainings in the program, tells them what to do, and shows what they send.

import { drawChart } from "./chart.js";
import { showKept } from "./kept.js";
import { byId, counted, element, listen, look, number, picture, send, share, tell, view } from "./screen.js";
import { makeForm, numberIn } from "./settings.js";

// The settings of each story as the form gives them.
const told = new Map();
let trouble = "", choices = null, form = null, session = "", stop = () => {}, state = null, started = "";

const ACTIVE = ["preparing", "running", "paused"];
const isActive = () => state !== null && ACTIVE.includes(state.mode);

async function begin() {
  try {
    choices = await look("data/settings");
  } catch (error) {
    tell(error.message);
    return setTimeout(begin, 2000);
  }
  tell("");
  form = makeForm(byId("settings"), choices, remember);
  byId("preset").replaceChildren(...choices.presets.map((preset) => element("option", { value: preset.name }, preset.title)));
  choices.presets.forEach((each) => {
    form.write(each.settings);
    told.set(each.name, form.read());
  });
  const kept = view.read();
  const preset = choices.presets.find((each) => each.name === kept.get("story")) || choices.presets[0];
  byId("preset").value = preset.name;
  let settings = preset.settings;
  try {
    if (kept.get("net")) settings = JSON.parse(kept.get("net"));
    form.write(settings);
  } catch (error) {
    form.write(preset.settings);
  }
  showStory();
  session = kept.get("session") || "";
  if (session) attach();
  else showOthers();
}

// Trainings that were begun here and whose page was closed: they go on, and can be looked at again.
async function showOthers() {
  const place = byId("others-at-work");
  let found = [];
  try {
    found = await look("data/sessions");
  } catch (error) {
    return;
  }
  if (session || !found.length) return;
  place.hidden = false;
  const buttons = found.map((id, index) => {
    const button = element("button", { type: "button", class: "more" }, found.length > 1 ? "Look at number " + (index + 1) : "Look at it");
    button.addEventListener("click", () => {
      session = id;
      started = "";
      state = null;
      place.hidden = true;
      view.write({ session });
      attach();
    });
    return button;
  });
  place.replaceChildren(found.length === 1 ? "A training that was begun in this program is there, running or paused, for another page or for none. " : found.length + " trainings that were begun in this program are there, running or paused, for other pages or for none. ", ...buttons);
}

function showStory() {
  const preset = choices.presets.find((each) => each.name === byId("preset").value);
  const changed = preset ? changesOf(told.get(preset.name)) : [];
  byId("story").textContent = !preset ? "" : changed.length ? "Changed from the story: " + changed.join(", ") + ". What it tells may no longer be what is seen; “Play it” sets all back and tells it." : preset.story;
}

// The keys in which the form differs from a story; which data it is told with is open.
function changesOf(settings) {
  let now = null;
  try {
    now = form.read();
  } catch (error) {
    return ["a setting that cannot be read"];
  }
  const flat = ({ train_size, test_size, config }) => ({ train_size, test_size, ...config });
  const [before, after] = [flat(settings), flat(now)];
  return Object.keys({ ...before, ...after }).filter((key) => JSON.stringify(before[key]) !== JSON.stringify(after[key]));
}

function remember() {
  try {
    view.write({ net: JSON.stringify(form.read()), session });
    tell("");
  } catch (error) {
    tell(error.message);
  }
  ask("");
  showStory();
  showControls();
}

// Starts a new training with what is set.
async function start() {
  const settings = form.read();
  const status = byId("status"), before = status.textContent;
  // From here on nothing is shown of the training before, which ends.
  stop();
  status.textContent = WORDS.preparing;
  let made;
  try {
    made = await send("do/start", { ...settings, replaces: session || null });
  } catch (error) {
    status.textContent = before;
    if (session) attach();
    throw error;
  }
  session = made.session;
  started = JSON.stringify(settings);
  state = { mode: "preparing" };
  view.write({ net: started, session });
  attach();
}

function attach() {
  stop();
  // What is heard of this training is nothing to the next one, which may have begun meanwhile.
  const own = session;
  byId("others-at-work").hidden = true;
  stop = listen("events/session/" + encodeURIComponent(own), show, async (text) => {
    try {
      const found = await look("data/session?id=" + encodeURIComponent(own));
      if (session === own) show(found);
    } catch (error) {
      if (session !== own) return;
      if (error.status === 404) {
        stop();
        state = null;
        session = "";
        view.write({ session: null });
        showOthers();
        byId("status").textContent = "Nothing is being trained. The settings are still here.";
        showControls();
      } else byId("status").textContent = "Nothing is heard of the training. When last seen: " + byId("status").textContent.replace(/^Nothing is heard of the training. When last seen: /, "");
      trouble = error.message || text;
      tell(trouble);
    }
  });
}

async function order(what) {
  await send("do/session", { session, order: what });
}

// One click after the other, and none is lost; what goes wrong is said.
let clicks = Promise.resolve();
function on(id, action) {
  byId(id).addEventListener("click", () => {
    clicks = clicks.then(async () => {
      try {
        tell("");
        ask("");
        await action();
      } catch (error) {
        tell(error.message);
        byId("problem").scrollIntoView({ block: "center" });
      }
      showControls();
    });
  });
}

// After a reload nobody knows what it was started with; then it is what is shown.
const canStep = () => isActive() && (started === "" || JSON.stringify(form.read()) === started);
async function step(what) {
  if (!canStep()) await start();
  await order({ do: what });
}

// What happens is looked at: on a small screen it is far below what began it.
function lookAtIt() {
  const controls = byId("status").closest("section"), box = controls.getBoundingClientRect();
  if (box.bottom > innerHeight || box.top < 0) controls.scrollIntoView({ block: "start" });
}

// Says what another Enter would do.
function ask(text) {
  byId("asked").textContent = text;
  byId("asked").hidden = text === "";
}

// Whether nothing but the rate is another than what the training was started with.
function isSameButTheRate(settings) {
  const plain = ({ config, ...rest }) => JSON.stringify({ ...rest, config: { ...config, learning_rate: 0 } });
  return started !== "" && plain(settings) === plain(JSON.parse(started));
}

// Enter does what the main button does. Where a training would end that nobody asked to end, that button is one Enter away.
byId("settings").addEventListener("keydown", (event) => {
  if (event.key !== "Enter" || event.isComposing || !event.target.matches("input")) return;
  event.preventDefault();
  if (!isActive()) return byId("train").click();
  let settings = null;
  try {
    settings = form.read();
  } catch (error) {
    return tell(error.message);
  }
  const now = state.mode === "running" ? "runs" : "waits", isRateAlone = !canStep() && isSameButTheRate(settings);
  if (isRateAlone) byId("rate").value = settings.config.learning_rate;
  const button = byId(isRateAlone ? "set-rate" : "train");
  ask(isRateAlone
    ? "Enter once more, and the training that " + now + " goes on with this rate. “" + byId("train").textContent + "” ends it and begins with it."
    : "A training " + now + ". Enter once more ends it and begins with what is set here.");
  button.focus();
});

on("train", async () => {
  await start();
  lookAtIt();
  await order({ do: "run" });
});
on("play", async () => {
  const preset = choices.presets.find((each) => each.name === byId("preset").value);
  form.write({ ...preset.settings, data: byId("settings").elements.data.value || preset.settings.data });
  view.write({ story: preset.name });
  await start();
  lookAtIt();
  await order({ do: "run" });
});
on("go", () => order({ do: state && state.mode === "running" ? "pause" : "run" }));
on("batch", () => step("step_batch"));
on("epoch", () => step("step_epoch"));
on("stop", () => order({ do: "stop" }));
on("set-rate", async () => {
  const value = numberIn(byId("rate"));
  if (value === null) throw new Error("Rate now: expected a number above 0, found nothing.");
  await order({ do: "rate", value });
  // The form says the same: with it the training goes on.
  const settings = form.read();
  if (settings.config.learning_rate === value && isSameButTheRate(settings)) started = JSON.stringify(settings);
});
on("keep", () => order({ do: "keep" }));
byId("preset").addEventListener("change", () => {
  showStory();
  const preset = choices.presets.find((each) => each.name === byId("preset").value);
  form.write({ ...preset.settings, data: byId("settings").elements.data.value || preset.settings.data });
  view.write({ story: preset.name });
  remember();
});
byId("rate").addEventListener("keydown", (event) => {
  if (event.key === "Enter") byId("set-rate").click();
});

function showControls() {
  const active = isActive();
  const isRunning = active && state.mode === "running";
  byId("go").disabled = !active;
  byId("go").textContent = isRunning || !active ? "Pause" : "Go on";
  byId("stop").disabled = !active;
  byId("set-rate").disabled = !active;
  byId("batch").disabled = byId("epoch").disabled = isRunning;
  let isChanged = false;
  try {
    isChanged = active && started !== "" && !canStep();
  } catch (error) {
    isChanged = true;
  }
  // Where nothing waits to go on, or something else is set, a step is the first of another training.
  const isAnew = isChanged || (!active && state !== null && Boolean(state.sizes));
  byId("batch").textContent = isAnew ? "Anew: one batch" : "One batch";
  byId("epoch").textContent = isAnew ? "Anew: one epoch" : "One epoch";
  byId("train").textContent = active || (state && state.sizes) ? (isChanged ? "Train anew with these settings" : "Train anew") : "Train";
  byId("keep").disabled = !state || !state.sizes || state.not_kept !== null || state.mode === "stopped" || state.mode === "failed";
}

// What is shown of a training.

const WORDS = {
  preparing: "Reading the data and drawing the first weights.",
  running: "Training",
  paused: "Paused",
  finished: "Finished",
  diverged: "Diverged",
  stopped: "Stopped",
  failed: "It could not be trained",
};

function show(now) {
  const isNew = !state || state.session !== now.session || !state.sizes;
  state = now;
  if (!now.sizes) {
    byId("status").textContent = WORDS[now.mode] + (now.message ? ": " + now.message : "");
    if (now.mode === "failed") tell(now.message);
    return showControls();
  }
  if (isNew) {
    byId("rate").value = now.learning_rate;
    if (started === "") {
      // After a reload, the form has what is trained.
      form.write(now.settings);
      started = JSON.stringify(form.read());
      showStory();
    }
  }
  // What a command was refused for stays to be read until the next one; that nothing was heard is over.
  if (trouble !== "" && byId("problem").textContent === trouble) tell("");
  trouble = "";
  if (now.mode === "stopped") stop();
  byId("live").hidden = false;
  const [done, all] = now.samples;
  const within = now.epoch > 0 && done < all ? " (" + share(done / all, 0) + " of it)" : "";
  const shape = now.sizes.join("-") + ", " + counted(now.n_parameters, "weight");
  byId("status").textContent = WORDS[now.mode] + ": epoch " + now.epoch + " of " + now.n_epochs + within + ", rate " + number(now.learning_rate) + "; " + shape + "; " + counted(now.n_samples[0], "training image") + "." + (now.message ? " " + now.message : "");
  byId("progress").max = Math.max(1, now.n_epochs);
  byId("progress").value = now.epoch === 0 ? 0 : Math.min(now.n_epochs, now.epoch - 1 + done / Math.max(1, all));
  showCurves(now);
  showDoctor(now.doctor);
  showDigits(now.digits);
  showWeights(now.weights);
  showKept(now);
  showControls();
}

function showCurves(now) {
  const curve = (set, metric) => now.epochs.filter((epoch) => epoch[set]).map((epoch) => [epoch.epoch, epoch[set][metric] ?? null]);
  const best = now.constant.reduce((most, each) => (most === null || each.accuracy > most.accuracy ? each : most), null);
  // Of a hundred thousand epochs the first few would be a line upon the axis.
  let end = 50;
  while (end < now.epoch) end *= 2;
  end = Math.min(end, now.n_epochs);
  const marks = now.rate_changes.map(([x, rate]) => ({ x, name: "rate " + number(rate) }));
  const levels = best ? [{ name: "always the same answer: " + share(best.accuracy, 2), value: best.accuracy }] : [];
  drawChart(byId("accuracy"), {
    title: "Share of images answered rightly",
    series: [{ name: "test", color: 0, points: curve("test", "accuracy") }, { name: "training", color: 1, isDashed: true, points: curve("train", "accuracy") }],
    levels, marks, isShare: true, isWhole: true, end,
  });
  const loss = String(now.settings.config.loss || "cross-entropy");
  byId("loss-title").textContent = "Loss (" + loss + ")";
  const constants = now.constant.map((each) => each.loss).filter((value) => value !== null);
  drawChart(byId("loss"), {
    title: "Loss",
    series: [
      { name: "test", color: 0, points: curve("test", "loss") },
      { name: "training", color: 1, isDashed: true, points: curve("train", "loss") },
      { name: "batches, within an epoch", color: 2, points: now.losses },
    ],
    levels: constants.length ? [{ name: "best constant answer", value: Math.min(...constants) }] : [],
    marks, end,
  });
}

// Maps: a row a layer, a column a moment.

const RED = { light: [[238, 240, 243], [176, 30, 10]], dark: [[38, 43, 50], [255, 96, 64]] };
const BLUE = { light: [[238, 240, 243], [0, 103, 163]], dark: [[38, 43, 50], [96, 180, 240]] };
const MAPS = [
  { key: "saturated", title: "Saturation", scale: RED, low: "none", high: "all", value: (layer) => layer.saturated, text: (layer) => share(layer.saturated) },
  { key: "gradient", title: "Gradient", scale: BLUE, low: "1e-8 or less", high: "1", value: (layer) => (Math.log10(Math.max(1e-8, layer.gradient_norm)) + 8) / 8, text: (layer) => number(layer.gradient_norm) },
  { key: "variety", title: "Variety", scale: BLUE, low: "none", high: "½ or more", value: (layer) => Math.sqrt(Math.min(1, layer.spread / 0.5)), text: (layer) => number(layer.spread) },
];

function showDoctor(doctor) {
  byId("sentence").textContent = doctor.sentence || "The first examination is under way.";
  byId("sentence").classList.toggle("ill", doctor.layer_at_fault !== null);
  const latest = doctor.moments.length ? doctor.moments[doctor.moments.length - 1][1] : [];
  byId("maps").replaceChildren(...MAPS.map((map) => drawMap(map, doctor, latest)));
  const rows = latest.map((layer, index) => {
    const shape = doctor.layers[index];
    const isOutput = index + 1 === latest.length;
    const name = index + 1 + (isOutput ? " (outputs)" : "");
    const saturated = share(layer.saturated) + (layer.saturated > 0.005 && shape.activation === "sigmoid" ? " (" + share(layer.saturated_high / layer.saturated, 0) + " of it at 1)" : "");
    const row = element("tr", { class: index === doctor.layer_at_fault ? "ill" : "" }, element("th", { class: "left", scope: "row" }, name));
    for (const text of [shape.units + " " + shape.activation, saturated, number(layer.gradient_norm), number(layer.spread), number(layer.effective_rank === null ? null : +layer.effective_rank.toFixed(1))]) row.append(element("td", {}, text));
    return row;
  });
  byId("layers-now").tBodies[0].replaceChildren(...rows);
}

function drawMap(map, doctor, latest) {
  const WIDTH = 360, ROW = 16;
  const n = doctor.layers.length;
  const canvas = element("canvas", { width: WIDTH, height: Math.max(1, n * ROW), role: "img", id: "map-" + map.key });
  canvas.setAttribute("aria-label", map.title + " now: " + latest.map((layer, index) => "layer " + (index + 1) + " " + map.text(layer)).join(", "));
  const context = canvas.getContext("2d");
  const [from, to] = map.scale[matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light"];
  const last = doctor.moments.length ? doctor.moments[doctor.moments.length - 1][0] : 0;
  const x = (place) => (last > 0 ? (place / last) * (WIDTH - 8) : 0);
  doctor.moments.forEach(([place, layers], index) => {
    const next = index + 1 < doctor.moments.length ? x(doctor.moments[index + 1][0]) : WIDTH;
    layers.forEach((layer, row) => {
      const value = Math.min(1, Math.max(0, map.value(layer)));
      const mixed = from.map((channel, part) => Math.round(channel + (to[part] - channel) * value));
      context.fillStyle = "rgb(" + mixed.join(",") + ")";
      context.fillRect(Math.floor(x(place)), row * ROW, Math.max(1, Math.ceil(next - x(place))), ROW - 1);
    });
  });
  const key = element("span", { class: "key" }, map.low + " ", element("i", { class: "ramp " + map.key }), " " + map.high);
  return element("figure", { class: "map" }, element("figcaption", {}, map.title, key), canvas, element("p", { class: "note" }, n ? "rows: layers 1 to " + n + "; columns: from the beginning to now" : ""));
}

function showDigits(digits) {
  byId("digits").replaceChildren(
    ...digits.map((digit) => {
      const isRight = digit.answer === digit.label;
      const said = digit.answer === null ? "?" : digit.answer;
      const label = "a " + digit.label + ", read as " + (digit.answer === null ? "no code" : digit.answer);
      const bars = element("span", { class: "outputs", "aria-hidden": "true" }, ...digit.outputs.map((output) => {
        const bar = element("i");
        bar.style.height = (100 * Math.min(1, Math.max(0, output))).toFixed(0) + "%";
        return bar;
      }));
      return element("li", { class: isRight ? "right" : "wrong" }, picture(digit.image, "grey", label), element("b", {}, said), bars);
    })
  );
}

function showWeights(weights) {
  byId("weights").closest("section").hidden = weights.length === 0;
  byId("weights").replaceChildren(...weights.map((unit, index) => element("li", {}, picture(unit, "signed", "weights of unit " + (index + 1)))));
}

matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => state && state.sizes && show(state));
begin();
