// A canvas to draw on with a mouse, a stylus or a finger; all of them are pointers.

const BACKGROUND = "#ffffff";
const STROKE = "#16181b";

export class Pad {
  constructor(canvas, pen, { onBegin, onStroke }) {
    this.canvas = canvas;
    this.pen = pen;
    this.context = canvas.getContext("2d");
    this.onBegin = onBegin;
    this.onStroke = onStroke;
    this.pointer = null;
    this.clear();
    canvas.addEventListener("pointerdown", (event) => this.begin(event));
    canvas.addEventListener("pointermove", (event) => this.move(event));
    for (const end of ["pointerup", "pointercancel"]) canvas.addEventListener(end, (event) => this.end(event));
  }

  clear() {
    this.empty = true;
    this.context.fillStyle = BACKGROUND;
    this.context.fillRect(0, 0, this.canvas.width, this.canvas.height);
  }

  toFile() {
    return new Promise((resolve) => this.canvas.toBlob(resolve, "image/png"));
  }

  begin(event) {
    if (this.pointer !== null || event.button !== 0) return;
    event.preventDefault();
    this.pointer = event.pointerId;
    this.canvas.setPointerCapture(event.pointerId);
    this.empty = false;
    this.last = this.middle = this.place(event);
    this.line(this.last, this.last, this.last);
    this.onBegin();
  }

  move(event) {
    if (event.pointerId !== this.pointer) return;
    const passed = event.getCoalescedEvents?.() ?? [];
    for (const each of passed.length ? passed : [event]) this.follow(this.place(each));
  }

  end(event) {
    if (event.pointerId !== this.pointer) return;
    this.pointer = null;
    this.line(this.middle, this.last, this.last);
    this.onStroke();
  }

  // A quadratic curve between the middles of two lines, so that a curved stroke gets no corners.
  follow(point) {
    const middle = { x: (this.last.x + point.x) / 2, y: (this.last.y + point.y) / 2 };
    this.line(this.middle, this.last, middle);
    this.last = point;
    this.middle = middle;
  }

  line(from, towards, to) {
    const context = this.context;
    context.lineWidth = Number(this.pen.value);
    context.lineCap = context.lineJoin = "round";
    context.strokeStyle = STROKE;
    context.beginPath();
    context.moveTo(from.x, from.y);
    context.quadraticCurveTo(towards.x, towards.y, to.x, to.y);
    context.stroke();
  }

  place(event) {
    const box = this.canvas.getBoundingClientRect();
    return {
      x: ((event.clientX - box.left) * this.canvas.width) / box.width,
      y: ((event.clientY - box.top) * this.canvas.height) / box.height,
    };
  }
}
