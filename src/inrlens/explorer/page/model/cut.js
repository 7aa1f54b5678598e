// What of a grid a frame of two axes shows: a picture whole, a volume cut across one axis, a sound along its time.

/** Rows and columns of the raster of a sound: what is along it, above its spectrogram, as in reports. */
export const SOUND = { width: 320, wave: 64, gap: 2, spectrum: 128 };
/** The axes of a volume. */
export const AXES = ["first", "second", "third"];

/** Where a frame's pixels lie in a grid. Rows are places in the grid, row-major; pixels are places in the frame. */
export class Cut {
  /**
   * @param {number[]} grid one to three sides
   * @param {number} axis of a volume, the axis that it is cut across
   * @param {number} index where along it
   */
  constructor(grid, axis, index) {
    const strides = grid.map((_, at) => grid.slice(at + 1).reduce((product, side) => product * side, 1));
    Object.assign(this, { grid, axis, index, points: strides[0] * grid[0], sliced: grid.length > 2 });
    this.sound = grid.length === 1;
    const axes = grid.map((_, at) => at).filter((at) => !this.sliced || at !== axis);
    /** Sides of the frame in pixels, [H, W]; a sound has one line of them. */
    this.shape = this.sound ? [1, grid[0]] : axes.map((at) => grid[at]);
    /** Rows and columns of what is drawn. */
    this.frame = this.sound ? [SOUND.wave + SOUND.gap + SOUND.spectrum, SOUND.width] : this.shape;
    /** Rows and columns of a thumbnail, as shares of each other. */
    this.small = this.sound ? [1, 3] : this.shape;
    this.steps = this.sound ? [grid[0], 1] : axes.map((at) => strides[at]);
    this.start = this.sliced ? index * strides[axis] : 0;
    this.across = { side: this.sliced ? grid[axis] : 1, step: this.sliced ? strides[axis] : this.points };
  }

  /** The row of a pixel. */
  row(pixel) {
    const y = Math.floor(pixel / this.shape[1]);
    return this.start + y * this.steps[0] + (pixel % this.shape[1]) * this.steps[1];
  }

  /** Where along the axis that is cut across a row lies. */
  along(row) {
    return Math.floor(row / this.across.step) % this.across.side;
  }

  /** The pixel of a row; null where the cut does not go through it. @returns {number|null} */
  pixel(row) {
    if (!this.sliced) return row;
    if (this.along(row) !== this.index) return null;
    const [y, x] = this.steps.map((step, at) => Math.floor(row / step) % this.shape[at]);
    return y * this.shape[1] + x;
  }

  /** Values of every row as those of every pixel. @param {Float32Array} values (N * channels) */
  dense(values, channels = 1) {
    if (!this.sliced) return values;
    const found = new values.constructor(this.shape[0] * this.shape[1] * channels);
    for (let pixel = 0; pixel * channels < found.length; pixel += 1) {
      const from = this.row(pixel) * channels;
      for (let c = 0; c < channels; c += 1) found[pixel * channels + c] = values[from + c];
    }
    return found;
  }

  /**
   * Values of some rows as those of the pixels that are seen.
   * @returns {{rows: ArrayLike<number>, values: ArrayLike<number>}} `rows` are the pixels
   */
  sparse(rows, values) {
    if (!this.sliced) return { rows, values };
    const found = { rows: [], values: [] };
    for (let i = 0; i < rows.length; i += 1) {
      const pixel = this.pixel(rows[i]);
      if (pixel === null) continue;
      found.rows.push(pixel);
      found.values.push(values[i]);
    }
    return found;
  }

  /** Where a row lies, in words: "3, 4" of a picture, from the left and from the top; else an index an axis. */
  words(row) {
    if (this.grid.length === 2) return `${row % this.grid[1]}, ${Math.floor(row / this.grid[1])}`;
    let left = row;
    const indices = [...this.grid].reverse().map((side) => {
      const index = left % side;
      left = (left - index) / side;
      return index;
    });
    return indices.reverse().join(", ");
  }

  /** What a row is called. */
  get unit() {
    return this.grid.length === 2 ? "pixel" : this.sliced ? "voxel" : "sample";
  }

  /** What lies on the grid, and how many samples it has, in words. */
  get thing() {
    return this.sound ? "sound" : this.sliced ? "volume" : "picture";
  }

  /** A text about pixels of a picture, in the words of what this grid holds. */
  named(text) {
    return text.replaceAll("pixel", this.unit).replaceAll("picture", this.thing);
  }

  get size() {
    if (this.grid.length === 2) return `${this.grid[1]} × ${this.grid[0]} pixels`;
    return `${this.grid.join(" × ")} ${this.sliced ? "voxels" : "samples"}`;
  }
}

/** The cut that a state asks for; where it names no place, or one beyond the grid, the middle or the nearest one. */
export function cutOf(grid, slice) {
  if (grid.length < 3) return new Cut(grid, 0, 0);
  const axis = Math.min(slice.axis, grid.length - 1);
  const last = grid[axis] - 1;
  return new Cut(grid, axis, slice.index === null ? Math.floor(grid[axis] / 2) : Math.min(last, slice.index));
}
