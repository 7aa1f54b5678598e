// A grid of very many cells in a box that scrolls: only the rows near the part in sight exist, and they are used again.

import { h } from "inrlens/dom.js";
import { perFrame } from "inrlens/draw/frame.js";

/** Milliseconds of a frame that rows out of sight may take. */
const SPARE = 6;

export class Tiles {
  /**
   * @param {HTMLElement} box scrolls; rows are placed in a sheet inside it
   * @param {(columns: number) => HTMLElement} make a new row, whose first children are its cells
   * @param {(row: HTMLElement, first: number) => void} bind fills a row, from the place of its first cell on
   * @param {(row: HTMLElement) => void} leave a row is out of sight and waits for its next use
   */
  constructor(box, make, bind, leave) {
    Object.assign(this, { box, make, bind, leave });
    this.sheet = h("div", { class: "sheet", role: "none" });
    box.append(this.sheet);
    this.bound = new Map();
    this.free = [];
    this.count = 0;
    this.pinned = null;
    this.columns = 1;
    this.later = perFrame(() => this.fill());
    box.addEventListener("scroll", () => this.later(), { passive: true });
  }

  /**
   * Sets how many cells there are, their least width and their height in CSS pixels; the box decides the columns.
   * Cells that stay are not filled anew.
   */
  shape(count, width, height) {
    const first = this.count && this.height ? this.first() : 0;
    this.count = count;
    for (const row of [...this.bound.keys()]) if (row * this.columns >= count) this.release(row);
    const room = this.box.clientWidth;
    if (!room) return;
    const columns = Math.max(1, Math.floor(room / width));
    const changed = columns !== this.columns || height !== this.height;
    if (columns !== this.columns) this.clear();
    this.columns = columns;
    this.width = Math.floor(room / columns);
    this.height = height;
    this.sheet.style.setProperty("--cell-width", `${this.width}px`);
    this.sheet.style.setProperty("--cell-height", `${height}px`);
    this.sheet.style.height = `${Math.ceil(count / columns) * height}px`;
    if (changed) this.box.scrollTop = Math.floor(first / columns) * height;
    for (const [row, element] of this.bound) this.move(element, row);
    this.fill();
  }

  clear() {
    for (const element of this.bound.values()) this.leave(element);
    this.sheet.replaceChildren();
    this.bound.clear();
    this.free = [];
  }

  /** Fills every row anew. */
  rebind() {
    for (const [row, element] of this.bound) this.bind(element, row * this.columns);
  }

  /** Keeps the row of a place wherever the box is scrolled to, such as that of the cell that has the focus. */
  pin(place) {
    this.pinned = place;
    if (place !== null && this.height) this.fit(this.rowOf(place));
  }

  rowOf(place) {
    return Math.floor(place / this.columns);
  }

  /** The cell at a place, if it exists now. @returns {HTMLElement|undefined} */
  at(place) {
    return this.bound.get(this.rowOf(place))?.children[place % this.columns];
  }

  /** The first place of the rows that are wholly in sight. */
  first() {
    return Math.min(this.count - 1, Math.max(0, Math.ceil(this.box.scrollTop / this.height) * this.columns));
  }

  /** Rows that fit into the box, at least 1. */
  rows() {
    return Math.max(1, Math.floor(this.box.clientHeight / this.height));
  }

  /** Whether the whole cell is in sight inside the box. */
  inSight(place) {
    const top = this.rowOf(place) * this.height;
    const { scrollTop, clientHeight } = this.box;
    return top >= scrollTop && top + this.height <= scrollTop + clientHeight;
  }

  /** Scrolls the box to a place: to its middle, or just so far that the cell is in sight. */
  reveal(place, middle) {
    if (this.inSight(place)) return;
    const top = this.rowOf(place) * this.height;
    const room = this.box.clientHeight - this.height;
    const above = top < this.box.scrollTop;
    this.box.scrollTop = middle ? top - room / 2 : above ? top : top - room;
    this.fill();
  }

  /** Sees to the rows in sight at once, and to those a screen around while there is time. */
  fill() {
    const { scrollTop, clientHeight } = this.box;
    if (!this.height || !clientHeight) return;
    const until = performance.now() + SPARE;
    const [near, far] = [this.span(scrollTop, clientHeight), this.span(scrollTop - clientHeight, 3 * clientHeight)];
    const pinned = this.pinned === null ? null : this.rowOf(this.pinned);
    for (const row of [...this.bound.keys()]) if ((row < far[0] || row >= far[1]) && row !== pinned) this.release(row);
    if (pinned !== null) this.fit(pinned);
    for (let row = near[0]; row < near[1]; row += 1) this.fit(row);
    for (let step = 0; near[0] - step > far[0] || near[1] + step < far[1]; step += 1) {
      if (performance.now() > until) {
        this.later();
        break;
      }
      if (near[1] + step < far[1]) this.fit(near[1] + step);
      if (near[0] - step > far[0]) this.fit(near[0] - step - 1);
    }
    for (const element of this.free) element.hidden = true;
  }

  span(top, height) {
    const all = Math.ceil(this.count / this.columns);
    const inside = (row) => Math.min(all, Math.max(0, row));
    return [inside(Math.floor(top / this.height)), inside(Math.ceil((top + height) / this.height))];
  }

  fit(row) {
    if (this.bound.has(row) || row * this.columns >= this.count) return;
    let element = this.free.pop();
    if (!element) {
      element = this.make(this.columns);
      this.sheet.append(element);
    }
    element.hidden = false;
    this.bound.set(row, element);
    this.move(element, row);
    this.bind(element, row * this.columns);
  }

  release(row) {
    const element = this.bound.get(row);
    this.bound.delete(row);
    this.free.push(element);
    this.leave(element);
  }

  // Not a transform: the browser's compositor takes far longer over those.
  move(element, row) {
    element.style.top = `${row * this.height}px`;
  }
}
