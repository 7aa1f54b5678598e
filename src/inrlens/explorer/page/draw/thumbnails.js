// Maps as thumbnails: made a few milliseconds a frame, nearest first, the last ones kept.

import { smallImage } from "inrlens/draw/seen.js";

/** Milliseconds of a frame that thumbnails may take. */
const SPARE = 8;
/** Bytes of images that are kept. */
const KEPT = 24 * 2 ** 20;

/** Thumbnails for cells, which are any objects. */
export class Thumbnails {
  /**
   * @param {(cell: Object, image: ImageData) => void} paint
   * @param {(cell: Object) => number} distance of a cell from what people look at
   */
  constructor(paint, distance) {
    Object.assign(this, { paint, distance, images: new Map(), bytes: 0, waiting: new Map(), asked: false });
  }

  /** Starts anew with other atoms, another cut or another size. @returns {boolean} false where all are the same */
  use(atoms, cut, longest) {
    if (this.atoms === atoms && this.cut === cut && this.longest === longest) return false;
    Object.assign(this, { atoms, cut, longest, bytes: 0 });
    this.images.clear();
    this.waiting.clear();
    return true;
  }

  /** Has an atom's map painted for a cell: at once if the image is kept, soon if not. */
  want(cell, atom) {
    this.waiting.delete(cell);
    const image = this.images.get(atom);
    if (image) {
      this.keep(atom, image);
      this.paint(cell, image);
      return;
    }
    this.waiting.set(cell, atom);
    this.ask();
  }

  /** Forgets a cell that nobody sees any more. */
  drop(cell) {
    this.waiting.delete(cell);
  }

  ask() {
    if (this.asked) return;
    this.asked = true;
    requestAnimationFrame(() => {
      this.asked = false;
      this.work();
    });
  }

  work() {
    const until = performance.now() + SPARE;
    const order = [...this.waiting].map(([cell, atom]) => ({ cell, atom, far: this.distance(cell) }));
    for (const { cell, atom } of order.sort((a, b) => a.far - b.far)) {
      if (performance.now() > until) break;
      const { rows, codes } = this.atoms.entries(atom);
      const image = smallImage(rows, codes, this.cut, this.longest);
      this.waiting.delete(cell);
      this.keep(atom, image);
      this.paint(cell, image);
    }
    if (this.waiting.size) this.ask();
  }

  keep(atom, image) {
    if (!this.images.delete(atom)) this.bytes += image.data.byteLength;
    this.images.set(atom, image);
    for (const [oldest, { data }] of this.images) {
      if (this.bytes <= KEPT) break;
      this.images.delete(oldest);
      this.bytes -= data.byteLength;
    }
  }
}
