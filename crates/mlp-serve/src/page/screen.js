// What all screens need: asking the program, drawing what it sends, saying what is wrong.

export const byId = (id) => document.getElementById(id);

export function element(name, attributes = {}, ...content) {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) {
    if (key === "class") made.className = value;
    // What is said of a state is "true" or "false".
    else if (key.startsWith("aria-") && typeof value === "boolean") made.setAttribute(key, String(value));
    else if (value === true) made.setAttribute(key, "");
    else if (value !== false && value !== null && value !== undefined) made.setAttribute(key, value);
  }
  made.append(...content);
  return made;
}

const SVG = "http://www.w3.org/2000/svg";
export function svg(name, attributes = {}, content) {
  const made = document.createElementNS(SVG, name);
  for (const key in attributes) made.setAttribute(key, attributes[key]);
  if (content !== undefined) made.textContent = content;
  return made;
}

// Says what is wrong, or nothing.
export function tell(text) {
  const place = byId("problem");
  if (!place) return;
  if (place.textContent !== text) place.textContent = text;
  place.hidden = text === "";
}

const GONE = "The program that serves this page does not answer. Start it again and open the address that it prints, with what stands behind the # here; with --token-file the address stays the same, and this page goes on.";

async function checked(sent) {
  let reply;
  try {
    reply = await sent;
  } catch (error) {
    throw Object.assign(new Error(GONE), { isGone: true });
  }
  if (reply.ok) return reply.json();
  let text = "";
  try {
    text = (await reply.json()).error;
  } catch (error) {
    text = "";
  }
  if (reply.status === 403) text = "The program was started anew, with another token: open the address that it prints now.";
  throw Object.assign(new Error(text || "The program answered " + reply.status + "."), { status: reply.status });
}

// What is only looked at.
export function look(path) {
  return checked(fetch(path, { cache: "no-store", credentials: "omit" }));
}

// What changes something.
export function send(path, value) {
  const body = JSON.stringify(value);
  return checked(fetch(path, { method: "POST", credentials: "omit", headers: { "Content-Type": "application/json" }, body }));
}

// A picture, behind a line with what is asked.
export function sendPicture(line, bytes) {
  const body = new Blob([JSON.stringify(line) + "\n", bytes], { type: "application/octet-stream" });
  return checked(fetch("do/read", { method: "POST", credentials: "omit", headers: { "Content-Type": "application/octet-stream" }, body }));
}

// Listens as long as the page is looked at: a browser has few connections to one server, and pages behind others need none.
export function listen(path, onState, onTrouble) {
  let source = null, retry = 0, timer = 0, isOver = false;
  const close = () => {
    clearTimeout(timer);
    if (source) source.close();
    source = null;
  };
  const open = () => {
    close();
    if (isOver || document.hidden) return;
    source = new EventSource(path);
    source.onmessage = (event) => {
      retry = 0;
      onState(JSON.parse(event.data));
    };
    source.onerror = () => {
      close();
      onTrouble(GONE, retry);
      retry += 1;
      timer = setTimeout(open, Math.min(8000, 400 * 2 ** retry));
    };
  };
  document.addEventListener("visibilitychange", open);
  open();
  return () => {
    isOver = true;
    document.removeEventListener("visibilitychange", open);
    close();
  };
}

export function bytesOf(pixels) {
  const text = atob(pixels.data), bytes = new Uint8Array(text.length);
  for (let index = 0; index < text.length; index++) bytes[index] = text.charCodeAt(index);
  return bytes;
}

const isDark = () => matchMedia("(prefers-color-scheme: dark)").matches;
// The ends of the scales: as in the report's pictures of weights.
const scales = () =>
  isDark()
    ? { zero: [24, 28, 33], blue: [96, 180, 240], vermilion: [255, 149, 89], faint: [38, 43, 50] }
    : { zero: [255, 255, 255], blue: [0, 103, 163], vermilion: [192, 71, 0], faint: [238, 240, 243] };

// Draws bytes: "grey" as they are, "signed" from blue over nothing to vermilion, "strip" from nothing to blue.
export function paint(canvas, pixels, kind = "grey") {
  canvas.width = pixels.width;
  canvas.height = pixels.height;
  canvas.classList.add("pixels");
  const context = canvas.getContext("2d");
  const image = context.createImageData(pixels.width, pixels.height);
  const { zero, blue, vermilion, faint } = scales();
  const bytes = bytesOf(pixels);
  const mix = (from, to, share, channel) => from[channel] + (to[channel] - from[channel]) * share;
  bytes.forEach((byte, index) => {
    const place = 4 * index;
    for (let channel = 0; channel < 3; channel++) {
      let value = byte;
      if (kind === "signed") {
        const share = (byte - 128) / 127;
        value = mix(zero, share < 0 ? blue : vermilion, Math.sqrt(Math.min(1, Math.abs(share))), channel);
      } else if (kind === "strip") value = mix(faint, blue, byte / 255, channel);
      image.data[place + channel] = value;
    }
    image.data[place + 3] = 255;
  });
  context.putImageData(image, 0, 0);
  return canvas;
}

export const picture = (pixels, kind, label) => paint(element("canvas", { role: "img", "aria-label": label }), pixels, kind);

// In per cent; what is not exactly all or nothing is not rounded to it.
export function share(value, digits = 1) {
  if (value === null || value === undefined || !Number.isFinite(value)) return "–";
  const least = 10 ** -digits, percent = 100 * value;
  if (percent > 0 && percent < least) return "<" + least + " %";
  if (percent < 100 && percent > 100 - least) return ">" + (100 - least).toFixed(digits) + " %";
  return percent.toFixed(digits) + " %";
}

export function number(value) {
  if (value === null || value === undefined || !Number.isFinite(value)) return "–";
  if (Number.isInteger(value) && Math.abs(value) < 1e12) return value.toLocaleString("en-US");
  return Math.abs(value) >= 0.001 && Math.abs(value) < 1e5 ? String(+value.toPrecision(3)) : value.toExponential(1);
}

export function duration(seconds) {
  if (seconds === null || seconds === undefined) return "";
  if (seconds < 90) return Math.max(1, Math.round(seconds)) + " s";
  if (seconds < 5400) return Math.round(seconds / 60) + " min";
  if (seconds < 172800) return (seconds / 3600).toFixed(1) + " h";
  return Math.round(seconds / 86400) + " days";
}

export const counted = (count, noun) => count.toLocaleString("en-US") + " " + noun + (count === 1 ? "" : "s");

// The state of the screen, in the address: a link keeps it.
export const view = {
  read() {
    return new URLSearchParams(location.hash.slice(1));
  },
  write(changes) {
    const all = view.read();
    for (const [key, value] of Object.entries(changes)) {
      if (value === null || value === undefined || value === "" || value === false) all.delete(key);
      else all.set(key, value);
    }
    const text = all.toString();
    history.replaceState(null, "", text ? "#" + text : location.pathname + location.search);
    view.remember(text);
  },
  // The other screens are a click away and come back with theirs.
  remember(text) {
    try {
      sessionStorage.setItem("view of " + document.body.className, text);
    } catch (error) {
      return;
    }
  },
};
// A link that led here has said what is to be seen.
if (location.hash) view.remember(location.hash.slice(1));

// A link past the navigation moves the focus, and leaves the view in the address alone.
for (const link of document.querySelectorAll("a.skip")) {
  link.addEventListener("click", (event) => {
    event.preventDefault();
    byId(link.getAttribute("href").slice(1)).focus();
  });
}

// Links between the screens keep the view of each.
for (const link of document.querySelectorAll("nav a:not([aria-current])")) {
  link.addEventListener("click", () => {
    let kept = null;
    try {
      kept = sessionStorage.getItem("view of " + link.getAttribute("href"));
    } catch (error) {
      kept = null;
    }
    if (kept) link.href = link.getAttribute("href").split("#")[0] + "#" + kept;
  });
}
