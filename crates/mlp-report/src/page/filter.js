// What the filter of the table of trials asks for: words that must all appear in a row, and conditions on columns such as
// learning_rate<0.01, test_accuracy>=97 or hidden=512.
function filterOf(data, text) {
  "use strict";
  const simple = (name) => name.toLowerCase().replace(/[\s.-]+/g, "_");
  const places = new Map();
  // Bare names first, so that a setting is not hidden by what a metric may be called, too.
  data.columns.forEach((column, place) => places.has(simple(column.name)) || places.set(simple(column.name), place));
  data.columns.forEach((column, place) =>
    [column.title, ...column.aliases].forEach((name) => places.has(simple(name)) || places.set(simple(name), place))
  );
  // What all trials share is in no column, and matches all of them or none.
  const shared = new Map(Object.entries(data.shared || {}));
  const common = Array.from(shared, ([name, value]) => name + " " + value).join(" ");
  const haystack = (row) => (row.join(" ") + " " + common).toLowerCase();
  const errors = [], conditions = [], words = [];
  text = text.replace(/\s*(<=|>=|!=|=|<|>)\s*/g, "$1").replace(/\[[^\]]*\]/g, (list) => list.replace(/\s+/g, ""));
  // A heading of several words may be typed as it stands there.
  data.columns.filter((column) => / /.test(column.title)).forEach((column) => {
    const at = text.toLowerCase().indexOf(column.title.toLowerCase()), end = at + column.title.length;
    if (at >= 0 && /^[<>=!]/.test(text.slice(end))) text = text.slice(0, at) + simple(column.title) + text.slice(end);
  });
  for (const token of text.split(/\s+/).filter(Boolean)) {
    if (/^[<>=!]/.test(token)) {
      const example = data.columns.find((column) => column.kind === "number" || column.kind === "percent");
      const whole = (example ? (example.aliases.length ? example.aliases[0] : example.name) : "seed") + token;
      errors.push("“" + token + "”: expected the name of a column in front, such as " + whole + ".");
      continue;
    }
    const parts = token.match(/^([^<>=!]+)(<=|>=|!=|=|<|>)(.*)$/);
    if (!parts) { words.push(token.toLowerCase()); continue; }
    const place = places.get(simple(parts[1]));
    if (place === undefined && shared.has(simple(parts[1]))) {
      const value = shared.get(simple(parts[1])), number = Number(value);
      const isNumber = value !== "" && Number.isFinite(number);
      const condition = parts[3] === "" ? () => true : conditionOf({ kind: isNumber ? "number" : "text" }, parts[2], parts[3]);
      if (condition) conditions.push(() => condition(isNumber ? number : value));
      else errors.push("“" + token + "”: all trials have " + parts[1] + " = " + value + ".");
      continue;
    }
    if (place === undefined) {
      const names = data.columns.map((column) => (column.aliases.length ? column.aliases[0] : column.name)).filter((name) => name !== "trial");
      errors.push("There is no column “" + parts[1] + "”. Columns: " + names.join(", ") + ".");
      continue;
    }
    // While a condition is being typed, it asks for nothing yet.
    if (parts[3] === "") continue;
    const condition = conditionOf(data.columns[place], parts[2], parts[3]);
    if (condition) conditions.push((row) => condition(row[place]));
    else errors.push("“" + token + "”: expected a number after " + parts[2] + ", found “" + parts[3] + "”.");
  }
  const matches = (row) =>
    conditions.every((condition) => condition(row)) && (words.length === 0 || ((all) => words.every((word) => all.includes(word)))(haystack(row)));
  return { matches, error: errors.join(" ") };

  // A test of a cell; nothing where the column holds numbers and the condition none.
  function conditionOf(column, sign, wanted) {
    const isNumber = column.kind === "number" || column.kind === "percent";
    // Thousands as the table shows them, and decimals as half of the world writes them.
    const plain = !isNumber ? wanted : /^[1-9]\d{0,2}(,\d{3})+$/.test(wanted) ? wanted.replace(/,/g, "") : wanted.replace(/^(-?\d*),(\d+%?)$/, "$1.$2");
    let number = Number(plain.replace(/%$/, "").replace(/^\[(.*)\]$/, "$1"));
    const isOrder = sign !== "=" && sign !== "!=";
    if (!Number.isFinite(number) && (isNumber || isOrder)) return null;
    // 97, 97% and 0.97 are the same share.
    if (column.kind === "percent" && (wanted.endsWith("%") || Math.abs(number) > 1)) number /= 100;
    const compare = (value) => {
      if (sign === "<") return value < number;
      if (sign === ">") return value > number;
      if (sign === "<=") return value <= number;
      if (sign === ">=") return value >= number;
      // Measured values are shown, and so typed, with a few digits.
      const isEqual = column.kind === "percent" ? value.toFixed(4) === number.toFixed(4) : value === number;
      return isEqual === (sign === "=");
    };
    // A list is shown as 512-256 and may be typed as [512,256].
    const spelt = wanted.toLowerCase().replace(/^\[(.*)\]$/, "$1").replace(/,/g, "-");
    return (cell) => {
      if (cell === null || cell === undefined) return false;
      if (typeof cell === "number") return compare(cell);
      const own = Number(cell);
      if (Number.isFinite(own) && Number.isFinite(number)) return compare(own);
      return !isOrder && (String(cell).toLowerCase() === spelt) === (sign === "=");
    };
  }
}

