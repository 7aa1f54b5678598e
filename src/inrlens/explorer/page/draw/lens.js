// The lens that pictures of one grid share: which part of them a frame shows, and which pixel is pointed at.
// Places in a frame, and in a picture, are shares in [0, 1], from the left and from the top.

/** How many times a picture can be enlarged. */
export const MOST = 64;

/** @typedef {{x: number, y: number, zoom: number}} Lens the centre of what is seen, and 1 .. 64 */

/** The nearest lens that shows nothing but picture. @param {Lens} lens @returns {Lens} */
export function held({ x, y, zoom }) {
  const close = Math.min(MOST, Math.max(1, zoom));
  const half = 0.5 / close;
  return { x: Math.min(1 - half, Math.max(half, x)), y: Math.min(1 - half, Math.max(half, y)), zoom: close };
}

/** Enlarges by a factor; what lies at the place `at` of the frame stays there. @param {number[]} at [x, y] */
export function zoomed(lens, factor, at = [0.5, 0.5]) {
  const zoom = Math.min(MOST, Math.max(1, lens.zoom * factor));
  const [u, v] = seenAt(lens, at);
  return held({ x: u - (at[0] - 0.5) / zoom, y: v - (at[1] - 0.5) / zoom, zoom });
}

/** Moves the picture by a share of the frame, as a hand on it would. @param {number[]} by [x, y] */
export function panned(lens, by) {
  return held({ ...lens, x: lens.x - by[0] / lens.zoom, y: lens.y - by[1] / lens.zoom });
}

/** The lens, moved just as far as it takes to show a place of the picture, off the rim. @param {number[]} place u, v */
export function reaching(lens, place) {
  const half = 0.45 / lens.zoom;
  const near = (centre, target) => Math.min(target + half, Math.max(target - half, centre));
  return held({ ...lens, x: near(lens.x, place[0]), y: near(lens.y, place[1]) });
}

/** The place of the picture that is seen at a place of the frame. @returns {[number, number]} */
export function seenAt(lens, at) {
  return [lens.x + (at[0] - 0.5) / lens.zoom, lens.y + (at[1] - 0.5) / lens.zoom];
}

/** Where in the frame a place of the picture is seen; outside [0, 1] it is not. @returns {[number, number]} */
export function shownAt(lens, place) {
  return [0.5 + (place[0] - lens.x) * lens.zoom, 0.5 + (place[1] - lens.y) * lens.zoom];
}

/** The CSS transform of a picture that fills its frame, with its origin at the top left. */
export function transform({ x, y, zoom }) {
  return `translate(${100 * (0.5 - x * zoom)}%, ${100 * (0.5 - y * zoom)}%) scale(${zoom})`;
}

/** The number y * W + x of the pixel at a place of the picture. @param {number[]} grid [H, W] */
export function rowAt(place, grid) {
  const [column, line] = [Math.floor(place[0] * grid[1]), Math.floor(place[1] * grid[0])];
  return within(line, grid[0]) * grid[1] + within(column, grid[1]);
}

/** The middle of a pixel, as a place of the picture. @returns {[number, number]} */
export function placeOf(row, grid) {
  return [((row % grid[1]) + 0.5) / grid[1], (Math.floor(row / grid[1]) + 0.5) / grid[0]];
}

/** The pixel that lies a number of them right and down of another, held inside the grid. */
export function besides(row, right, down, grid) {
  const [column, line] = [(row % grid[1]) + right, Math.floor(row / grid[1]) + down];
  return within(line, grid[0]) * grid[1] + within(column, grid[1]);
}

const within = (value, count) => Math.min(count - 1, Math.max(0, value));

/**
 * Points at a row of pane 0, or at none (null): `app.hover`, told as "hover". It is no part of a link.
 * @param {import("inrlens/model/app.js").App} app
 */
export function pointAt(app, row) {
  if ((app.hover ?? null) === row) return;
  app.hover = row;
  app.tell("hover");
}
