// The drawing pad: strokes of mouse, pen, finger or keyboard on white paper.

const SIDE = 280;
const WIDTHS = { thick: 20, thin: 9 };

export function makePad(canvas, changed) {
  const context = canvas.getContext("2d", { willReadFrequently: true });
  let strokes = [], stroke = null, width = WIDTHS.thick, cursor = null;

  function clean() {
    context.fillStyle = "#fff";
    context.fillRect(0, 0, SIDE, SIDE);
    context.lineCap = context.lineJoin = "round";
    context.strokeStyle = context.fillStyle = "#000";
  }

  function line({ points, width: thick }, from = 0) {
    context.lineWidth = thick;
    context.beginPath();
    const first = points[Math.max(0, from - 1)];
    context.moveTo(first[0], first[1]);
    points.slice(from).forEach(([x, y]) => context.lineTo(x, y));
    if (points.length === 1) context.lineTo(first[0] + 0.01, first[1]);
    context.stroke();
  }

  function redraw() {
    clean();
    strokes.forEach((each) => (each.image ? context.drawImage(each.image, ...each.box) : line(each)));
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
    clear() {
      strokes = [];
      stroke = null;
      if (cursor) cursor.isDown = false;
      redraw();
      changed();
    },
    undo() {
      strokes.pop();
      stroke = null;
      if (cursor) cursor.isDown = false;
      redraw();
      changed();
    },
    setWidth(name) {
      width = WIDTHS[name];
    },
    // A picture is shown on the pad, whole.
    show(image) {
      const [w, h] = [image.width || image.videoWidth, image.height || image.videoHeight];
      const scale = Math.min(SIDE / w, SIDE / h);
      strokes = [{ image, box: [(SIDE - w * scale) / 2, (SIDE - h * scale) / 2, w * scale, h * scale] }];
      stroke = null;
      redraw();
    },
    isEmpty: () => strokes.length === 0,
    // The strokes, to be drawn again on another visit; a picture that was taken is not kept.
    strokes: () => strokes.filter((each) => each.points),
    restore(kept) {
      strokes = kept;
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
