// Half precision (IEEE 754 binary16), which older browsers have no arrays for.

let table = null;

/** The 65,536 values that a half can have. */
export function halves() {
  if (table === null) {
    table = new Float32Array(65536);
    for (let bits = 0; bits < 65536; bits += 1) table[bits] = value(bits);
  }
  return table;
}

function value(bits) {
  const sign = bits & 0x8000 ? -1 : 1;
  const exponent = (bits >> 10) & 0x1f;
  const fraction = bits & 0x3ff;
  if (exponent === 0) return sign * fraction * 2 ** -24;
  if (exponent === 31) return fraction ? NaN : sign * Infinity;
  return sign * (1 + fraction / 1024) * 2 ** (exponent - 15);
}

/**
 * Halves as numbers.
 * @param {Uint16Array} bits
 * @returns {Float32Array} of the same length
 */
export function fromHalf(bits) {
  const known = halves();
  const out = new Float32Array(bits.length);
  for (let i = 0; i < bits.length; i += 1) out[i] = known[bits[i]];
  return out;
}
