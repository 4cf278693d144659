// The drawing pad: strokes of mouse, pen, finger or keyboard on white paper.

const SIDE = 280;
const WIDTHS = { thick: 20, thin: 9 };

// The image as large as the pad allows, in its middle.
function fitted(image) {
  const scale = Math.min(SIDE / image.width, SIDE / image.height);
  const [w, h] = [image.width * scale, image.height * scale];
  const small = document.createElement("canvas");
  small.width = small.height = SIDE;
  small.getContext("2d").drawImage(image, (SIDE - w) / 2, (SIDE - h) / 2, w, h);
  return small;
}

export function makePad(canvas, changed) {
  const context = canvas.getContext("2d", { willReadFrequently: true });
  let cleared = null;
  let strokes = [], stroke = null, width = WIDTHS.thick, cursor = null;

  function clean() {
    context.fillStyle = "#fff";
    context.fillRect(0, 0, SIDE, SIDE);
    context.lineCap = context.lineJoin = "round";
    context.strokeStyle = context.fillStyle = "#000";
  }

  // Piece by piece, at whatever pace the points come: what is drawn again has the same pixels, to the last one at an edge.
  function line({ points, width: thick }, from = 0) {
    context.lineWidth = thick;
    for (let index = from; index < points.length; index++) {
      const [x, y] = points[index], [fromX, fromY] = index ? points[index - 1] : [x - 0.01, y];
      context.beginPath();
      context.moveTo(fromX, fromY);
      context.lineTo(x, y);
      context.stroke();
    }
  }

  function redraw() {
    clean();
    strokes.forEach((each) => (each.image ? context.drawImage(each.image, 0, 0) : line(each)));
  }

  function place(event) {
    const box = canvas.getBoundingClientRect();
    return [((event.clientX - box.left) / box.width) * SIDE, ((event.clientY - box.top) / box.height) * SIDE];
  }

  function begin(point) {
    stroke = { points: [point], width };
    strokes.push(stroke);
    line(stroke);
    changed();
  }

  function extend(points) {
    const from = stroke.points.length;
    stroke.points.push(...points);
    line(stroke, from);
    changed();
  }

  canvas.addEventListener("pointerdown", (event) => {
    if (event.button !== 0) return;
    event.preventDefault();
    canvas.focus({ preventScroll: true });
    canvas.setPointerCapture(event.pointerId);
    hideCursor();
    begin(place(event));
  });
  canvas.addEventListener("pointermove", (event) => {
    if (!stroke || !canvas.hasPointerCapture(event.pointerId)) return;
    const events = event.getCoalescedEvents ? event.getCoalescedEvents() : [];
    extend((events.length ? events : [event]).map(place));
  });
  const end = () => (stroke = null);
  canvas.addEventListener("pointerup", end);
  canvas.addEventListener("pointercancel", end);

  // By keyboard: a pen that is moved by the arrow keys.
  const STEP = 7;
  const MOVES = { ArrowLeft: [-STEP, 0], ArrowRight: [STEP, 0], ArrowUp: [0, -STEP], ArrowDown: [0, STEP] };
  function hideCursor() {
    if (cursor) cursor.mark.remove();
    cursor = null;
  }
  function showCursor() {
    if (!cursor) {
      const mark = document.createElement("span");
      mark.className = "pen";
      mark.setAttribute("aria-hidden", "true");
      canvas.parentElement.append(mark);
      cursor = { at: [SIDE / 2, SIDE / 4], isDown: false, mark };
    }
    cursor.mark.style.left = (100 * cursor.at[0]) / SIDE + "%";
    cursor.mark.style.top = (100 * cursor.at[1]) / SIDE + "%";
    cursor.mark.classList.toggle("down", cursor.isDown);
  }
  canvas.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const move = MOVES[event.key];
    if (move) {
      event.preventDefault();
      showCursor();
      const inside = (value) => Math.min(SIDE - 8, Math.max(8, value));
      cursor.at = [inside(cursor.at[0] + move[0]), inside(cursor.at[1] + move[1])];
      if (cursor.isDown) extend([cursor.at.slice()]);
      showCursor();
    } else if (event.key === " ") {
      event.preventDefault();
      showCursor();
      cursor.isDown = !cursor.isDown;
      if (cursor.isDown) begin(cursor.at.slice());
      else stroke = null;
      showCursor();
    } else if (event.key === "Backspace" || event.key === "Delete") {
      event.preventDefault();
      pad.undo();
    } else if (event.key === "Escape") pad.clear();
  });
  canvas.addEventListener("blur", hideCursor);
  // Who comes by keyboard sees the pen at once.
  canvas.addEventListener("focus", () => canvas.matches(":focus-visible") && showCursor());

  const pad = {
    // Undo brings back what was there.
    clear() {
      if (strokes.length) cleared = strokes;
      strokes = [];
      stroke = null;
      if (cursor) cursor.isDown = false;
      redraw();
      changed();
    },
    undo() {
      const last = strokes.pop();
      if (!last && cleared) [strokes, cleared] = [cleared, null];
      // A picture took the place of what was there.
      if (last && last.before) strokes = last.before;
      stroke = null;
      if (cursor) cursor.isDown = false;
      redraw();
      changed();
    },
    setWidth(name) {
      width = WIDTHS[name];
    },
    // A picture is shown on the pad, whole, and can be taken back; its file is what is read.
    show(image, file) {
      strokes = [{ image: fitted(image), file, before: strokes.map(({ before, ...each }) => each) }];
      stroke = null;
      if (cursor) cursor.isDown = false;
      redraw();
    },
    // The file of the picture, as long as nothing is drawn over it.
    file: () => (strokes.length === 1 && strokes[0].file) || null,
    isEmpty: () => strokes.length === 0,
    // What is needed to draw it again on another visit: the strokes, and the picture below them.
    strokes: () => strokes.filter((each) => each.points),
    picture: () => (strokes.length && strokes[0].image ? strokes[0] : null),
    restore(kept, picture = null) {
      strokes = picture ? [{ image: fitted(picture.image), file: picture.file, before: [] }, ...kept] : kept;
      stroke = null;
      redraw();
    },
    // Grey levels, row by row.
    grey() {
      const { data } = context.getImageData(0, 0, SIDE, SIDE);
      const grey = new Uint8Array(SIDE * SIDE);
      for (let index = 0; index < grey.length; index++) grey[index] = data[4 * index];
      return grey;
    },
    side: SIDE,
  };
  redraw();
  return pad;
}
