// The form of the playground: from fields to settings and back.

import { element } from "./screen.js";

const SHOWN = ["hidden", "activation", "encoding", "initializer", "loss", "reduction", "optimizer", "learning_rate", "batch_size", "epochs", "seed", "precision", "bias", "dropout", "input_dropout", "augment"];
// How training images are deformed: what has a name. Other strengths are typed as another key.
const DEFORMATIONS = ["gentle", "simard", "ciresan"];
// Fields that only have names to choose from; with parameters they are typed.
const WITH_OPTIONS = ["optimizer", "initializer", "augment"];
const NUMBERS = ["learning_rate", "batch_size", "epochs", "seed", "input_dropout"];
// Set with those above, and not to be typed again.
const IMPLIED = ["output_activation", "schedule", "evaluate_train"];

const WHOLE = /^[+-]?\d+(e\d+)?$/i;
const NUMBER = /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i;
// Half of the world, and its telephones, part decimals by a comma; where it might part thousands it is not guessed at.
const DECIMAL_COMMA = /^[+-]?\d*,\d+$/, THOUSANDS = /^[1-9]\d{0,2}([.,'’\s]\d{3})+$/;

const titleOf = (field) => field.getAttribute("aria-label") || field.closest("label").textContent.trim();
const pointed = (text) => (DECIMAL_COMMA.test(text) && !THOUSANDS.test(text) ? text.replace(",", ".") : text);

// What is typed as a number; null where nothing is.
export function numberIn(field, isWhole = false) {
  const text = field.value.trim();
  if (text === "") return null;
  if ((isWhole ? WHOLE : NUMBER).test(isWhole ? text : pointed(text))) return Number(isWhole ? text : pointed(text));
  const hint = THOUSANDS.test(text) ? "; write " + text.replace(/\D/g, "") : isWhole ? ", such as 100" : ", such as 0.5";
  throw new Error(titleOf(field) + ": expected " + (isWhole ? "a whole number" : "a number") + ", found “" + text + "”" + hint + ".");
}

export function makeForm(form, choices, changed) {
  const field = (name) => form.elements[name];
  const option = (value) => element("option", { value }, value);
  const fill = (name, values) => field(name).replaceChildren(...values.map(option));
  fill("data", choices.data);
  fill("activation", choices.activations);
  fill("encoding", choices.encodings);
  fill("initializer", choices.initializers.map(([name]) => name));
  fill("loss", choices.losses.map(([name]) => name));
  fill("optimizer", choices.optimizers);
  fill("augment", ["no", ...DEFORMATIONS]);
  const takesGain = () => (choices.initializers.find(([name]) => name === field("initializer").value) || [])[1];
  const outputOf = (loss) => (choices.losses.find(([name]) => name === loss) || [])[1];
  const defaultOf = (key) => (choices.keys.find((each) => each.name === key) || {}).default;
  for (const key of choices.keys) {
    const found = field(key.name);
    if (found && NUMBERS.includes(key.name)) found.placeholder = key.default;
    if (found && !found.title) found.title = key.name + ": " + key.meaning + " (" + key.range + ")";
  }

  function others() {
    const found = {};
    for (const line of field("others").value.split("\n")) {
      const [key, ...rest] = line.split("=");
      if (!rest.length) {
        if (key.trim()) throw new Error("Other keys: expected key = value, found “" + key.trim() + "”.");
        continue;
      }
      const text = rest.join("=").trim();
      if (SHOWN.includes(key.trim()) && !WITH_OPTIONS.includes(key.trim())) throw new Error("Other keys: “" + key.trim() + "” has a field of its own above; set it there.");
      try {
        found[key.trim()] = JSON.parse(text);
      } catch (error) {
        found[key.trim()] = text;
      }
    }
    return found;
  }

  // One rate for all hidden layers, or one for each.
  function dropout() {
    const text = field("dropout").value.trim();
    const parts = text.includes(";") ? text.split(";") : DECIMAL_COMMA.test(text) ? [text] : text.split(/[\s,]+/);
    const rates = parts.map((part) => pointed(part.trim())).filter(Boolean).map(Number);
    if (rates.some((rate) => !(rate >= 0 && rate < 1))) throw new Error("Dropout: expected a share of at least 0 and below 1, such as 0.5, or one for each hidden layer, found “" + field("dropout").value + "”.");
    return rates.length > 1 ? rates : rates[0] || 0;
  }

  const valueOf = (name) => numberIn(field(name));
  const countOf = (name) => numberIn(field(name), true);
  const sizeOf = (name) => {
    const size = countOf(name);
    if (size !== null && size < 1) throw new Error(titleOf(field(name)) + ": expected a whole number of at least 1, or nothing for all of them, found " + size + ".");
    return size;
  };

  const made = {
    // As the program takes them.
    read() {
      const loss = field("loss").value;
      const hidden = field("hidden").value.trim().split(/\s*[,;]\s*|\s+|(?<=\d)-(?=\d)/).map(Number);
      if (field("hidden").value.trim() === "") hidden.length = 0;
      if (hidden.some((units) => !Number.isInteger(units) || units < 1)) throw new Error("Hidden layers: expected units such as 512, 256, 128, found “" + field("hidden").value + "”.");
      const name = field("initializer").value, gain = valueOf("gain") ?? 1;
      const config = {
        hidden,
        activation: field("activation").value,
        encoding: field("encoding").value,
        initializer: takesGain() && gain !== 1 ? { name, gain } : name,
        loss,
        output_activation: outputOf(loss) || (field("encoding").value === "one-hot" && loss === "softmax-cross-entropy" ? "softmax" : "sigmoid"),
        reduction: field("reduction").value,
        optimizer: field("optimizer").value,
        // What is left empty is as it is where nobody says anything.
        learning_rate: valueOf("learning_rate") ?? defaultOf("learning_rate"),
        batch_size: countOf("batch_size") ?? defaultOf("batch_size"),
        epochs: countOf("epochs") ?? defaultOf("epochs"),
        seed: countOf("seed") ?? defaultOf("seed"),
        precision: field("precision").value,
        bias: field("bias").checked,
        dropout: dropout(),
        input_dropout: valueOf("input_dropout") ?? 0,
        augment: field("augment").value === "no" ? false : field("augment").value,
        schedule: "constant",
        evaluate_train: 500,
        ...others(),
      };
      return { data: field("data").value, train_size: sizeOf("train_size"), test_size: sizeOf("test_size"), config };
    },
    write(settings) {
      const config = settings.config;
      const get = (key) => (config[key] === undefined ? defaultOf(key) : config[key]);
      if (choices.data.includes(settings.data)) field("data").value = settings.data;
      field("train_size").value = settings.train_size ?? "";
      field("test_size").value = settings.test_size ?? "";
      field("hidden").value = get("hidden").join(", ");
      const initializer = get("initializer");
      field("initializer").value = initializer.name || initializer;
      field("gain").value = initializer.gain ?? 1;
      for (const key of ["activation", "encoding", "loss", "reduction", "precision"]) field(key).value = get(key);
      const optimizer = get("optimizer");
      field("optimizer").value = optimizer.name || optimizer;
      for (const key of ["learning_rate", "batch_size", "epochs", "seed"]) field(key).value = get(key);
      field("bias").checked = get("bias");
      field("dropout").value = [].concat(get("dropout")).join(", ");
      field("input_dropout").value = get("input_dropout");
      const isNamed = DEFORMATIONS.includes(get("augment"));
      field("augment").value = isNamed ? get("augment") : "no";
      const rest = Object.keys(config).filter((key) => !SHOWN.includes(key) && !IMPLIED.includes(key));
      if (typeof optimizer === "object" && Object.keys(optimizer).length > 1) rest.push("optimizer");
      if (config.schedule !== undefined && config.schedule !== "constant") rest.push("schedule");
      if (get("augment") && !isNamed) rest.push("augment");
      field("others").value = rest.map((key) => key + " = " + JSON.stringify(config[key])).join("\n");
      show();
    },
  };

  function show() {
    field("gain").disabled = !takesGain();
  }
  form.addEventListener("input", () => {
    // The loss decides what the outputs are; softmax is for one output a class.
    if (field("loss").value === "softmax-cross-entropy" && document.activeElement === field("loss")) field("encoding").value = "one-hot";
    show();
    changed();
  });
  return made;
}
