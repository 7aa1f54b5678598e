// Dots on a canvas, pixel by pixel: thousands of round marks in a millisecond or two, where drawing calls take ten.

/**
 * Paints groups of dots, one over the other, on an empty canvas.
 * @param {CanvasRenderingContext2D} context
 * @param {Float32Array} xs CSS pixels by dot; NaN leaves it out
 * @param {Float32Array} ys beside them
 * @param {{colour: string, alpha: number, dots: ArrayLike<number>}[]} groups
 * @param {number} across a dot's diameter in CSS pixels
 * @param {number} ratio device pixels to a CSS pixel
 */
export function paintDots(context, xs, ys, groups, across, ratio) {
  const { width, height } = context.canvas;
  const image = context.createImageData(width, height);
  const { side, cover } = disc(across * ratio);
  for (const { colour, alpha, dots } of groups) {
    const channels = channelsOf(colour);
    for (let i = 0; i < dots.length; i += 1) {
      const left = Math.round(xs[dots[i]] * ratio - side / 2);
      const top = Math.round(ys[dots[i]] * ratio - side / 2);
      if (Number.isNaN(left + top)) continue;
      for (let down = 0; down < side; down += 1) {
        for (let along = 0; along < side; along += 1) {
          const column = left + along;
          const row = top + down;
          const share = cover[down * side + along] * alpha;
          if (share === 0 || column < 0 || row < 0 || column >= width || row >= height) continue;
          lay(image.data, 4 * (row * width + column), channels, share);
        }
      }
    }
  }
  context.putImageData(image, 0, 0);
}

/** A colour over what a pixel holds; both may let through what is behind them. */
function lay(data, place, channels, share) {
  const below = (data[place + 3] / 255) * (1 - share);
  const whole = share + below;
  for (let c = 0; c < 3; c += 1) data[place + c] = (channels[c] * share + data[place + c] * below) / whole;
  data[place + 3] = 255 * whole;
}

/** How much of each pixel of a square a disc covers, by 4 x 4 points in each. */
function disc(across) {
  const side = Math.ceil(across) + 1;
  const cover = new Float32Array(side * side);
  for (let point = 0; point < 16 * side * side; point += 1) {
    const [row, column] = [Math.floor(point / (4 * side)), point % (4 * side)];
    const far = Math.hypot((column + 0.5) / 4 - side / 2, (row + 0.5) / 4 - side / 2);
    if (far <= across / 2) cover[(row >> 2) * side + (column >> 2)] += 1 / 16;
  }
  return { side, cover };
}

/** Red, green and blue, 0 to 255, of any CSS colour. */
function channelsOf(colour) {
  const canvas = document.createElement("canvas");
  canvas.width = canvas.height = 1;
  const context = canvas.getContext("2d", { willReadFrequently: true });
  context.fillStyle = colour;
  context.fillRect(0, 0, 1, 1);
  return context.getImageData(0, 0, 1, 1).data;
}

/**
 * The dot nearest to a place.
 * @param {number} reach CSS pixels; a dot farther away is none
 * @returns {number|null}
 */
export function nearest(xs, ys, x, y, reach) {
  let [best, least] = [null, reach * reach];
  for (let dot = 0; dot < xs.length; dot += 1) {
    const far = (xs[dot] - x) ** 2 + (ys[dot] - y) ** 2;
    if (far < least) [best, least] = [dot, far];
  }
  return best;
}
