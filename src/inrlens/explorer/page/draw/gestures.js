// Hands on a picture: mouse, fingers, wheel and keys move the lens and point at pixels.

import { besides, panned, placeOf, pointAt, reaching, rowAt, seenAt, shownAt, zoomed } from "inrlens/draw/lens.js";

/** Pixels of the screen that a press may move and still be a click. */
const STILL = 4;
/** Milliseconds of rest that end a turn of the wheel. */
const REST = 200;
/** What a step of the zoom keys and buttons enlarges by. */
export const STEP = 1.5;
const ARROWS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };

/**
 * Lets people move the shared lens and point at pixels on one frame.
 * @param {HTMLElement} frame shows the picture through `app.state.lens`
 * @param {import("inrlens/model/app.js").App} app
 * @param {{cut: () => Cut, said: (row: number) => void}} about what is seen of the grid, and who tells of a pixel
 *   reached by key
 */
export function listen(frame, app, about) {
  listenToPointers(frame, app, about.cut);
  listenToClicks(frame, app, about.cut);
  listenToWheel(frame, app);
  listenToKeys(frame, app, about);
}

function shareOf(frame, event) {
  const box = frame.getBoundingClientRect();
  return [(event.clientX - box.left) / box.width, (event.clientY - box.top) / box.height];
}

const rowUnder = (frame, event, app, cut) =>
  cut().row(rowAt(seenAt(app.state.lens, shareOf(frame, event)), cut().shape));

function listenToPointers(frame, app, cut) {
  const pressed = new Map();
  let start = null;
  const point = (event) => pointAt(app, rowUnder(frame, event, app, cut));
  frame.addEventListener("pointerdown", (event) => {
    if (event.pointerType === "mouse" && event.button !== 0) return;
    if (!pressed.size) {
      start = [event.clientX, event.clientY];
      delete frame.dataset.moved;
    } else frame.dataset.moved = "";
    pressed.set(event.pointerId, [event.clientX, event.clientY]);
    if (pressed.size === 1) point(event);
  });
  frame.addEventListener("pointermove", (event) => {
    const before = pressed.get(event.pointerId);
    if (before && pressed.size === 2) pinch(frame, app, pressed, event);
    else if (before) {
      if (Math.hypot(event.clientX - start[0], event.clientY - start[1]) > STILL) frame.dataset.moved = "";
      if ("moved" in frame.dataset && app.state.lens.zoom > 1) {
        frame.setPointerCapture(event.pointerId);
        const box = frame.getBoundingClientRect();
        const by = [(event.clientX - before[0]) / box.width, (event.clientY - before[1]) / box.height];
        app.set({ lens: panned(app.state.lens, by) });
      }
    }
    if (before) pressed.set(event.pointerId, [event.clientX, event.clientY]);
    if (pressed.size < 2) point(event);
  });
  const release = (event) => pressed.delete(event.pointerId);
  frame.addEventListener("pointerup", release);
  frame.addEventListener("pointercancel", (event) => {
    release(event);
    pointAt(app, null);
  });
  frame.addEventListener("pointerleave", (event) => {
    // A finger that is lifted leaves as well, and what it touched stays.
    if (event.pointerType === "touch") return;
    release(event);
    pointAt(app, null);
  });
  // Without this a browser takes two fingers for a scroll before they are seen to pinch.
  const two = (event) => event.touches.length > 1 && event.cancelable && event.preventDefault();
  frame.addEventListener("touchmove", two, { passive: false });
}

function pinch(frame, app, pressed, event) {
  const other = [...pressed].find(([id]) => id !== event.pointerId)[1];
  const [before, after] = [pressed.get(event.pointerId), [event.clientX, event.clientY]];
  const apart = (point) => Math.max(1, Math.hypot(point[0] - other[0], point[1] - other[1]));
  const box = frame.getBoundingClientRect();
  const by = [(after[0] - before[0]) / 2 / box.width, (after[1] - before[1]) / 2 / box.height];
  const middle = [
    ((after[0] + other[0]) / 2 - box.left) / box.width,
    ((after[1] + other[1]) / 2 - box.top) / box.height,
  ];
  app.set({ lens: zoomed(panned(app.state.lens, by), apart(after) / apart(before), middle) });
}

function listenToClicks(frame, app, cut) {
  let before = null;
  frame.addEventListener("click", (event) => {
    if ("moved" in frame.dataset) return;
    if (event.detail < 2) before = app.state.row;
    keep(app, app.hover ?? rowUnder(frame, event, app, cut));
  });
  frame.addEventListener("dblclick", (event) => {
    if ("moved" in frame.dataset) return;
    event.preventDefault();
    app.set({ lens: zoomed(app.state.lens, 2, shareOf(frame, event)), row: before });
  });
}

/** Keeps a row, or lets go of the one that is kept already. */
function keep(app, row) {
  app.set({ row: app.state.row === row ? null : row });
}

/** Lets go of what is kept and pointed at. @returns {boolean} whether there was any */
export function letGo(app) {
  const any = app.state.row !== null || (app.hover ?? null) !== null;
  pointAt(app, null);
  if (app.state.row !== null) app.set({ row: null });
  return any;
}

// One turn of the wheel belongs to the page or to the pictures, also where it goes on over the other.
const turn = { at: -Infinity, up: false, page: true };

function belongs(event, inside) {
  const up = event.deltaY < 0;
  if (event.timeStamp - turn.at > REST || up !== turn.up) Object.assign(turn, { up, page: !inside });
  turn.at = event.timeStamp;
  return turn.page;
}

addEventListener("wheel", (event) => event.target.closest?.("[data-lens]") || belongs(event, false), { passive: true });

function listenToWheel(frame, app) {
  frame.dataset.lens = "";
  const turned = (event) => {
    if (!event.deltaY) return;
    const { lens } = app.state;
    // With Ctrl, or two fingers on a pad, a browser would enlarge the whole page.
    const page = belongs(event, event.ctrlKey || lens.zoom > 1 || event.deltaY < 0);
    if (page && !event.ctrlKey) return;
    event.preventDefault();
    const pixels = event.deltaY * [1, 16, 400][event.deltaMode];
    const factor = Math.exp(Math.min(200, Math.max(-200, -pixels)) * (event.ctrlKey ? 0.01 : 0.003));
    if (lens.zoom > 1 || factor > 1) app.set({ lens: zoomed(lens, factor, shareOf(frame, event)) });
  };
  frame.addEventListener("wheel", turned, { passive: false });
}

function listenToKeys(frame, app, { cut, said }) {
  frame.addEventListener("keydown", (event) => {
    if (event.altKey || event.ctrlKey || event.metaKey) return;
    if (!onKey(event, app, cut(), said)) return;
    event.preventDefault();
    event.stopPropagation();
  });
}

function onKey(event, app, cut, said) {
  const cursor = pixelOf(app, cut);
  if (event.key in ARROWS) {
    const [right, down] = ARROWS[event.key].map((by) => by * (event.shiftKey ? 10 : 1));
    const { lens } = app.state;
    const { shape } = cut;
    const pixel = cursor === null ? rowAt([lens.x, lens.y], shape) : besides(cursor, right, down, shape);
    const near = reaching(lens, placeOf(pixel, shape));
    if (near.x !== lens.x || near.y !== lens.y) app.set({ lens: near });
    const row = cut.row(pixel);
    pointAt(app, row);
    said(row);
    return true;
  }
  if (event.key === "Enter" && cursor !== null) keep(app, cut.row(cursor));
  else if (event.key === "+" || event.key === "=") zoomBy(app, STEP, cut);
  else if (event.key === "-") zoomBy(app, 1 / STEP, cut);
  else if (event.key === "0") zoomBy(app, 0, cut);
  else return event.key === "Escape" && letGo(app);
  return true;
}

/** The pixel that is pointed at or kept; null where there is none, or it is not seen. */
function pixelOf(app, cut) {
  const row = app.hover ?? app.state.row;
  return row === null ? null : cut.pixel(row);
}

/** Enlarges about the pixel that is pointed at or kept, or else about the middle; a factor of 0 shows the whole. */
export function zoomBy(app, factor, cut) {
  const { lens } = app.state;
  const cursor = pixelOf(app, cut);
  const at = cursor === null ? [0.5, 0.5] : shownAt(lens, placeOf(cursor, cut.shape));
  const inside = at.every((share) => share >= 0 && share <= 1);
  app.set({ lens: zoomed(lens, factor, inside ? at : [0.5, 0.5]) });
}
