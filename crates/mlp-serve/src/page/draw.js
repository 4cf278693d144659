// Draw: asks for an answer whenever the drawing has changed, one question at a time, and shows the latest.

import { byId, counted, element, look, number, paint, picture, send, sendPicture, share, tell, view } from "./screen.js";
import { forget, keep, keepFile, kept } from "./keeping.js";
import { makePad } from "./pad.js";

let models = [], picked = ["", ""], gone = ["", ""], offered = null, isAsking = false, mustAskAgain = false, about = null, latest = null;
// Whose complaint is told: of an answer, or of the list of models. Only what goes well of the same takes it back.
let complainant = "";
const complain = (whose, text) => {
  complainant = whose;
  tell(text);
};
const takeBack = (whose) => {
  if (complainant === whose) tell("");
  if (complainant === whose) complainant = "";
};
const pad = makePad(byId("pad"), () => {
  offered = null;
  tell("");
  ask();
});

function setWidth(name) {
  pad.setWidth(name);
  for (const each of ["thick", "thin"]) byId(each).setAttribute("aria-pressed", each === name);
}

// Who looks at another screen and comes back finds the drawing, and what was asked about it.
async function restore() {
  try {
    const found = await kept();
    pad.restore(found.strokes || [], found.picture);
    about = found.about || null;
    setWidth(found.width || "thick");
    byId("single").checked = found.single === true;
  } catch (error) {
    forget();
    pad.restore([]);
  }
  const isThin = () => byId("thin").getAttribute("aria-pressed") === "true";
  addEventListener("pagehide", () => keep(pad, { about, width: isThin() ? "thin" : "thick", single: byId("single").checked }));
}

async function ask() {
  if (isAsking) {
    mustAskAgain = true;
    return;
  }
  isAsking = true;
  document.body.dataset.asking = "yes";
  do {
    mustAskAgain = false;
    await answer();
  } while (mustAskAgain);
  isAsking = false;
  document.body.dataset.asking = "no";
}

async function answer() {
  const isOffered = offered !== null, file = offered || pad.file();
  if (pad.isEmpty() && !file) return showNothing();
  // Which bit was chosen is no reason to refuse a picture.
  const [output_of, output] = about === null || isOffered ? [null, null] : about;
  const question = { models: picked.filter(Boolean), single: byId("single").checked, output, output_of };
  const started = performance.now();
  try {
    const found = file ? await sendPicture({ question }, file) : await sendPicture({ width: pad.side, question }, pad.grey());
    const milliseconds = performance.now() - started;
    if (isOffered && !(await admit(file, found))) return;
    latest = found;
    takeBack("answer");
    show(latest, milliseconds);
  } catch (error) {
    if (error.status === 404) {
      missed = performance.now();
      loadModels();
    }
    if (isOffered) return file === offered && refuse(error.message);
    if (error.status === 400 && about !== null) {
      about = null;
      mustAskAgain = true;
    }
    complain("answer", error.message);
  }
}

// A picture takes the place of what is on the pad once the program has read it; one that is refused leaves all as it was. Who has
// drawn on meanwhile, or taken another, wants no longer this one.
async function admit(file, { steps }) {
  // What the browser cannot show is shown as the program has read it.
  const image = await createImageBitmap(file).catch(() => picture(steps[0].image, "grey", "the picture"));
  if (offered !== file) {
    mustAskAgain = true;
    return false;
  }
  offered = null;
  pad.show(image, file);
  keepFile(file);
  if (nOffered > 1) complain("picture", "One picture at a time: the first of " + nOffered + " is on the pad.");
  else tell("");
  mustAskAgain = mustAskAgain || about !== null;
  return true;
}

function refuse(text) {
  offered = null;
  complain("picture", text.replace(/[^.]$/, "$&.") + (pad.isEmpty() ? "" : " What is on the pad stays."));
}

function showNothing() {
  latest = null;
  byId("readings").replaceChildren(element("p", { class: "note", id: "nothing" }, "Draw something."));
  byId("steps").replaceChildren();
  byId("layers").replaceChildren();
  byId("refusal").hidden = true;
  byId("time").textContent = byId("said").textContent = "";
}

function show(answer, milliseconds) {
  const focused = document.activeElement && document.activeElement.dataset.bit;
  byId("readings").replaceChildren(...answer.readings.map(reading));
  if (!answer.readings.length) byId("readings").replaceChildren(element("p", { class: "note" }, "There is no net to read it; what is done to it before stands below."));
  const again = focused && Array.from(byId("readings").querySelectorAll("[data-bit]")).find((each) => each.dataset.bit === focused);
  if (again) again.focus({ preventScroll: true });
  byId("refusal").hidden = !answer.refusal;
  byId("refusal").textContent = answer.refusal || "";
  byId("steps").replaceChildren(
    ...answer.steps.map((step) =>
      element("li", {}, picture(step.image, "grey", "after the step " + step.name), element("strong", {}, step.name), element("span", {}, step.explanation)))
  );
  byId("layers").replaceChildren(...answer.readings.flatMap(strips));
  byId("time").textContent = "Answered in " + number(Math.round(milliseconds)) + " ms, of which the preparation took " + number(+answer.milliseconds_prepare.toFixed(1)) + " ms.";
  byId("time").dataset.milliseconds = milliseconds.toFixed(1);
  byId("said").textContent = answer.refusal || answer.readings.map(spoken).join("; ");
}

const nameOf = (id) => {
  const model = models.find((one) => one.id === id);
  return model ? (model.run ? model.run + ": " : "") + model.label : id;
};

function spoken({ characters }) {
  return characters.map((one) => (one.class === null ? "no code, nearest " + one.nearest : one.class + ", " + share(one.confidence, 0) + " sure")).join("; ");
}

function reading({ model, characters }) {
  const made = element("article", { class: "reading" }, element("h3", {}, nameOf(model)));
  if (!characters.length) made.append(element("p", { class: "note" }, "Nothing to read."));
  made.append(...characters.map((one, index) => character(one, model, index)));
  return made;
}

function character(one, model, index) {
  const isNone = one.class === null;
  const big = element("div", { class: "big" + (isNone ? " none" : "") }, isNone ? "?" : one.class);
  const text = isNone ? "These bits are the code of no class; the nearest is that of “" + one.nearest + "”." : share(one.confidence, 0) + " sure";
  const remark = one.is_one_output_a_class ? "the largest of " + counted(one.outputs.length, "output") : "its least sure bit decides";
  const headline = element("div", { class: "headline" }, big, element("p", {}, text, element("br"), element("span", { class: "note" }, isNone ? "" : remark)));
  const unsure = one.outputs.some((output) => isUnsure(one, output)) ? [element("p", { class: "note" }, element("b", { class: "warm" }, "Orange"), ": a bit that is less than 80 % sure.")] : [];
  return element("div", { class: "character" }, headline, code(one, model, index), ...unsure, element("div", { class: "evidence" }, pair(one), candidates(one)));
}

const isUnsure = (one, output) => !one.is_one_output_a_class && output.confidence < 0.8;

// The outputs as bits that fall into place; each is a button that turns the heat map to it.
function code(one, model, place) {
  const list = element("ol", { class: "code", "aria-label": one.is_one_output_a_class ? "outputs, one a class" : "bits of the code" });
  one.outputs.forEach((output, index) => {
    const fill = element("span", { class: "fill" });
    fill.style.height = (100 * Math.min(1, Math.max(0, output.output))).toFixed(1) + "%";
    const said = (one.is_one_output_a_class ? "output of “" + output.name + "”" : "bit worth " + output.name) + ": " + output.output.toFixed(3) + (one.is_one_output_a_class ? "" : ", read as " + (output.is_one ? 1 : 0) + ", " + share(output.confidence, 0) + " sure");
    const isAbout = about !== null && about[0] === model && about[1] === index;
    const button = element("button", { type: "button", "aria-label": said, title: said, "aria-pressed": isAbout, "data-bit": [model, place, index].join(" ") }, element("span", { class: "well" }, fill), element("span", { class: "digit" }, one.is_one_output_a_class ? output.name : output.is_one ? "1" : "0"));
    button.addEventListener("click", () => {
      about = isAbout ? null : [model, index];
      ask();
    });
    list.append(element("li", { class: isUnsure(one, output) ? "unsure" : "" }, button, one.is_one_output_a_class ? output.output.toFixed(2) : share(output.confidence, 0)));
  });
  return list;
}

function pair(one) {
  const heat = element("figcaption", {}, element("b", { class: "warm" }, "For"), " and ", element("b", { class: "cool" }, "against"), ": " + one.heat_is_about + " (gradient × input; the strongest pixel moves it by " + number(+one.heat_strongest.toPrecision(2)) + ")");
  return element("div", { class: "pair" },
    element("figure", {}, picture(one.image, "grey", "what the net saw"), element("figcaption", {}, "What the net saw")),
    element("figure", {}, picture(one.heat, "signed", one.heat_is_about), heat));
}

function candidates(one) {
  const list = element("ol", { class: "candidates", "aria-label": "nearest codes" });
  // The same scale for every answer: a bar is full where the outputs are the code, and empty at this distance.
  const FAR = 2;
  for (const { class: name, distance, code: bits } of one.candidates) {
    const bar = element("i");
    bar.style.width = (100 * Math.max(0, 1 - distance / FAR)).toFixed(1) + "%";
    list.append(element("li", { title: "code " + bits + ", at a distance of " + distance.toFixed(3) }, element("b", {}, name), element("span", { class: "bar" }, bar), element("span", { class: "far" }, distance.toFixed(2) + " off")));
  }
  return list;
}

function strips({ model, characters }) {
  if (!characters.length) return [];
  const head = latest.readings.length > 1 ? [element("h3", {}, nameOf(model))] : [];
  return [...head, ...characters.flatMap((one, place) => {
    const said = one.class === null ? "?" : one.class;
    const title = characters.length > 1 ? [element("h4", {}, "“" + said + "”, character " + (place + 1) + " of " + characters.length)] : [];
    return [...title, ...stripsOf(one)];
  })];
}

function stripsOf(character) {
  return character.layers.map((layer, index) => {
    const isLast = index + 1 === character.layers.length;
    const [low, high] = layer.range;
    const text = "Layer " + (index + 1) + (isLast ? ", the outputs" : "") + ": " + counted(layer.n_units, "unit") + ", " + layer.activation + ", from " + number(low) + " to " + number(+high.toPrecision(2));
    const canvas = picture(layer.units, "strip", "outputs of layer " + (index + 1));
    if (layer.n_units < 40) canvas.classList.add("few");
    return element("div", { class: "layer" }, element("p", {}, text), canvas);
  });
}

// The models, and what to do where there are none.

let reload = 0, missed = -Infinity;
async function loadModels() {
  clearTimeout(reload);
  try {
    const state = await look("data/models");
    takeBack("models");
    fill(state);
    // A link leads here from a net that was kept a moment ago.
    const named = view.read().get("model1"), isAwaited = named && performance.now() < 10000 && !state.models.some((model) => model.id === named);
    const isWaiting = !state.is_complete || state.quick.state === "training" || isAwaited || performance.now() - missed < 3000;
    // What is trained meanwhile can be chosen.
    if (!document.hidden) reload = setTimeout(loadModels, isWaiting ? 300 : 4000);
  } catch (error) {
    complain("models", error.message);
    clearTimeout(reload);
    reload = setTimeout(loadModels, 2000);
  }
}

function fill({ models: found, quick, is_complete }) {
  const isNew = JSON.stringify(found) !== JSON.stringify(models);
  noteGone(found, is_complete);
  models = found;
  const has = models.length > 0;
  byId("no-model").hidden = has || !is_complete;
  const isTraining = quick.state === "training";
  byId("train-quickly").disabled = isTraining;
  byId("quick-progress").hidden = !isTraining;
  if (isTraining) byId("quick-progress").value = quick.share;
  byId("no-model-text").textContent =
    quick.state === "failed" ? quick.problem
      : isTraining ? "One is learning " + (quick.data === "synthetic" ? "from digits that the program draws." : "from " + quick.data + " and from digits that the program draws.")
        : "In some seconds there is one; “cargo xtask sweep photo” makes a better one, which stays.";
  if (!isNew) return;
  const before = picked.slice();
  [1, 2].forEach((place) => {
    const select = byId("model-" + place);
    // What was asked for, as soon as it is there; else what was shown.
    const named = view.read().get("model" + place);
    const wanted = models.some((model) => model.id === named) ? named : before[place - 1];
    const groups = new Map();
    if (place === 2) select.replaceChildren(element("option", { value: "" }, "none"));
    else select.replaceChildren();
    for (const model of models) {
      const name = model.is_best ? "the best of each" : model.run;
      if (!groups.has(name)) groups.set(name, element("optgroup", { label: name }));
      groups.get(name).append(element("option", { value: model.id }, (model.is_best && model.run ? model.run + ": " : "") + model.label));
    }
    select.append(...groups.values());
    const isThere = models.some((model) => model.id === wanted);
    select.value = isThere ? wanted : place === 1 && has ? models[0].id : "";
    picked[place - 1] = select.value;
  });
  if (is_complete && about !== null && !picked.includes(about[0])) about = null;
  ask();
}

// A model that was chosen and is there no longer is missed in words, until another one is chosen. One that the address names may
// still be on its way.
function noteGone(found, isComplete) {
  const isThere = (id) => found.some((model) => model.id === id);
  [1, 2].forEach((place) => {
    const named = view.read().get("model" + place), before = picked[place - 1];
    if (before && !isThere(before)) gone[place - 1] = "“" + nameOf(before) + "” is there no longer: its file or its folder has been deleted or renamed.";
    else if (named && !isThere(named) && !gone[place - 1] && isComplete && performance.now() > 10000) gone[place - 1] = "The model that the address names, “" + named + "”, is not there.";
    else if (named && isThere(named)) gone[place - 1] = "";
  });
  showGone(found);
}

function showGone(found) {
  const texts = gone.map((text, index) => {
    if (!text) return "";
    if (index === 1) return text + " Nothing stands beside the first now; choose another.";
    return text + (found.length ? " Until you choose another, the first of the list reads." : " No other is left: train one here, or with “cargo xtask sweep photo”.");
  });
  byId("model-gone").hidden = texts.join("") === "";
  byId("model-gone").textContent = texts.filter(Boolean).join(" ");
}

[1, 2].forEach((place) =>
  byId("model-" + place).addEventListener("change", (event) => {
    picked[place - 1] = event.target.value;
    gone[place - 1] = "";
    showGone(models);
    about = null;
    view.write({ ["model" + place]: event.target.value });
    ask();
  })
);
byId("train-quickly").addEventListener("click", async () => {
  byId("train-quickly").disabled = true;
  try {
    await send("do/train-quickly", {});
    loadModels();
  } catch (error) {
    tell(error.message);
    byId("train-quickly").disabled = false;
  }
});

// The tools of the pad, and pictures.

byId("clear").addEventListener("click", () => pad.clear());
byId("undo").addEventListener("click", () => pad.undo());
byId("single").addEventListener("change", ask);
for (const name of ["thick", "thin"])
  byId(name).addEventListener("click", () => setWidth(name));

// Of how many files the picture is the first.
let nOffered = 1;
// As many bytes as the program takes.
const LARGEST = 32 * 2 ** 20;

const KINDS = "PNG, JPEG, WebP, BMP or GIF";

// What a hand, or another program, has given that is no file.
function nothingIn(data) {
  const types = Array.from((data && data.types) || []);
  if (types.includes("text/uri-list")) return "That was a link, not a file. Save the picture first and drop its file, or copy the picture itself and paste it.";
  if (types.includes("text/plain") || types.includes("text/html")) return "That was a text, not a picture. Drop or paste a picture: " + KINDS + ".";
  return "That was no file. Drop or paste a picture: " + KINDS + ".";
}

async function take(blob, among = 1) {
  if (!blob) return refuse("That was no file. Drop or paste a picture: " + KINDS + ".");
  try {
    await blob.slice(0, 1).arrayBuffer();
  } catch (error) {
    return refuse("“" + blob.name + "” cannot be read: it is a folder, or has been moved or changed since. Drop the file of one picture: " + KINDS + ".");
  }
  nOffered = among;
  if (blob.size > LARGEST) return refuse("The picture has " + Math.ceil(blob.size / 2 ** 20) + " MiB; expected 32 MiB at most. Make it smaller.");
  stopCamera();
  offered = blob;
  ask();
}
byId("open").addEventListener("click", () => byId("file").click());
byId("file").addEventListener("change", (event) => {
  // Nothing is chosen where the dialogue was left.
  if (event.target.files.length) take(event.target.files[0]);
  event.target.value = "";
});
const drop = byId("drop");
addEventListener("dragover", (event) => {
  event.preventDefault();
  drop.classList.add("over");
});
addEventListener("dragleave", (event) => {
  if (!event.relatedTarget) drop.classList.remove("over");
});
addEventListener("drop", (event) => {
  event.preventDefault();
  drop.classList.remove("over");
  const { files } = event.dataTransfer;
  if (!files.length) return refuse(nothingIn(event.dataTransfer));
  take(files[0], files.length);
});
addEventListener("paste", (event) => {
  const files = Array.from(event.clipboardData.files);
  if (!files.length) return refuse(nothingIn(event.clipboardData));
  take(files.find((each) => each.type.startsWith("image/")) || files[0], files.length);
});

// The camera, where the browser has one: the picture that is taken goes to the program like any other.
const video = byId("video"), camera = byId("camera");
let stream = null, isOpening = false;
const NO_CAMERA = {
  NotFoundError: "No camera was found on this machine. Draw, or choose a picture.",
  NotAllowedError: "The browser lets this page use no camera. Allow it in the address bar, or draw, or choose a picture.",
  NotReadableError: "The camera is in use by another program. Close it there, or draw, or choose a picture.",
};

function stopCamera() {
  if (stream) stream.getTracks().forEach((track) => track.stop());
  stream = null;
  video.hidden = byId("camera-stop").hidden = true;
  camera.textContent = "Camera";
}

async function startCamera() {
  if (isOpening) return;
  isOpening = true;
  try {
    if (!navigator.mediaDevices) throw new DOMException("", "NotFoundError");
    stream = await navigator.mediaDevices.getUserMedia({ video: { facingMode: "environment" } });
    video.srcObject = stream;
    video.hidden = byId("camera-stop").hidden = false;
    await video.play();
    camera.textContent = "Take it";
    tell("");
  } catch (error) {
    stopCamera();
    tell(NO_CAMERA[error.name] || "The camera cannot be used: " + error.message);
  }
  isOpening = false;
}

camera.addEventListener("click", () => {
  if (!stream) return startCamera();
  const canvas = element("canvas", { width: video.videoWidth, height: video.videoHeight });
  canvas.getContext("2d").drawImage(video, 0, 0);
  stopCamera();
  canvas.toBlob((blob) => take(blob), "image/png");
});
byId("camera-stop").addEventListener("click", stopCamera);

// Models that have been trained meanwhile.
document.addEventListener("visibilitychange", () => document.hidden || loadModels());
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", ask);
showNothing();
await restore();
loadModels();
