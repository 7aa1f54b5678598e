/**
 * The numerical kernels as a WebAssembly module: a layer's product and its nonlinearity, four numbers an instruction.
 *
 * Rows lie in panels of ROWS: a panel of a layer with d units is `[d][ROWS]`, so that what a layer writes is what the
 * next one reads, and every number of a panel meets every weight from a register. Units are padded to a multiple of
 * OUTPUTS with weights of 0. Weights are packed for the order in which they are read, a block of OUTPUTS units after
 * the other: `[units / OUTPUTS]` blocks of `[1 + inputs][OUTPUTS]`, the biases first.
 */
import { moduleBytes } from "inrlens/compute/assemble.js";

/** Rows of a panel: two registers of four. */
export const ROWS = 8;
/** Units of a block: with ROWS they fill eight registers with sums, which hides an addition's delay. */
export const OUTPUTS = 4;
const VECTORS = ROWS / 4;
const UNROLLED = 4;

const get = (name) => ["local.get", name];
const set = (name, ...value) => [...value, ["local.set", name]];
const add = (name, bytes) => set(name, get(name), ["i32.const", bytes], ["i32.add"]);
const range = (count) => [...Array(count).keys()];

/** Repeats `instructions` as often as the local `name` says, at least once; it is 0 afterwards. */
const times = (name, instructions) => [
  "loop",
  [instructions, get(name), ["i32.const", 1], ["i32.sub"], ["local.tee", name], ["br_if", 0]],
];

/** `x * y + z` of three lists that each leave a vector: rounded once where the engine can. */
const multiplyAdd = (fused, x, y, z) =>
  fused ? [...x, ...y, ...z, ["f32x4.relaxed_madd"]] : [...x, ...y, ["f32x4.mul"], ...z, ["f32x4.add"]];

const sum = (output, vector) => `sum_${output}_${vector}`;
const all = range(OUTPUTS).flatMap((output) => range(VECTORS).map((vector) => [output, vector]));

/**
 * `product(h, packed, out, inputs, blocks, panels)`: `out = bias + W h` for every row of every panel; three addresses,
 * `inputs` a multiple of four, then units / OUTPUTS and rows / ROWS.
 */
function product(fused) {
  const inputOf = (vector) => `h_${vector}`;
  const step = (place) => [
    range(VECTORS).map((vector) => set(inputOf(vector), get("a"), ["v128.load", (place * VECTORS + vector) * 16])),
    range(OUTPUTS).map((output) => [
      set("weight", get("w"), ["v128.load32_splat", (place * OUTPUTS + output) * 4]),
      range(VECTORS).map((vector) => {
        const name = sum(output, vector);
        return set(name, ...multiplyAdd(fused, [get("weight")], [get(inputOf(vector))], [get(name)]));
      }),
    ]),
  ];
  const block = [
    set("a", get("h")),
    range(OUTPUTS).map((output) => [
      set("weight", get("w"), ["v128.load32_splat", output * 4]),
      range(VECTORS).map((vector) => set(sum(output, vector), get("weight"))),
    ]),
    add("w", OUTPUTS * 4),
    set("input", get("steps")),
    times("input", [range(UNROLLED).map(step), add("a", UNROLLED * ROWS * 4), add("w", UNROLLED * OUTPUTS * 4)]),
    all.map(([output, vector]) => [
      get("out"),
      get(sum(output, vector)),
      ["v128.store", (output * VECTORS + vector) * 16],
    ]),
    add("out", OUTPUTS * ROWS * 4),
  ];
  const vectors = [...all.map(([output, vector]) => sum(output, vector)), ...range(VECTORS).map(inputOf), "weight"];
  return {
    name: "product",
    params: { h: "i32", packed: "i32", out: "i32", steps: "i32", blocks: "i32", panels: "i32" },
    locals: {
      a: "i32",
      w: "i32",
      input: "i32",
      block: "i32",
      ...Object.fromEntries(vectors.map((name) => [name, "v128"])),
    },
    instructions: [
      times("panels", [
        set("w", get("packed")),
        set("block", get("blocks")),
        times("block", block),
        set("h", get("a")),
      ]),
    ],
  };
}

const splat = (value) => [["f32.const", value], ["f32x4.splat"]];

/** A function `name(address, vectors, scale, ...)` that replaces every number `x` by what `value` leaves of it. */
function inPlace(name, params, locals, before, value) {
  return {
    name,
    params: { address: "i32", vectors: "i32", scale: "f32", ...params },
    locals: { scales: "v128", ...locals },
    instructions: [
      set("scales", get("scale"), ["f32x4.splat"]),
      before,
      times("vectors", [
        get("address"),
        value([get("address"), ["v128.load", 0], get("scales"), ["f32x4.mul"]]),
        ["v128.store", 0],
        add("address", 16),
      ]),
    ],
  };
}

/** `relu(address, vectors, scale)`. */
const relu = () => inPlace("relu", {}, {}, [], (x) => [...x, ...splat(0), ["f32x4.pmax"]]);

// pi in three parts of 8, 13 and 24 bits: up to 2^11 times the first two are exact in float32.
const PI_PARTS = [3.140625, 0.0009676218032836914, 3.1786509424591713e-8];
// The odd polynomial of degree 9 that is nearest to the sine (to 5e-9) on [-pi/2, pi/2], without its first term x.
const SINE = [-0.16666656732559204, 0.008333017118275166, -0.00019806614727713168, 2.600054585855105e-6];

/**
 * `sine(address, vectors, scale, turn)`: `sin(scale * x + turn * pi)`; turn 0 is the sine and 0.5 the cosine.
 *
 * With q = round(x / pi + turn) and r = x - (q - turn) pi, the value is sin(r), its sign turned where q is odd.
 */
function sine(fused) {
  const reduce = (part) => set("x", ...multiplyAdd(fused, [get("q")], splat(-part), [get("x")]));
  const polynomial = (coefficients) =>
    coefficients.length === 1
      ? splat(coefficients[0])
      : multiplyAdd(fused, polynomial(coefficients.slice(1)), [get("square")], splat(coefficients[0]));
  const value = (x) => [
    set("x", ...x),
    set("q", ...multiplyAdd(fused, [get("x")], splat(1 / Math.PI), [get("turns")]), ["f32x4.nearest"]),
    set("flip", get("q"), ["i32x4.trunc_sat_f32x4_s"], ["i32.const", 31], ["i32x4.shl"]),
    set("q", get("q"), get("turns"), ["f32x4.sub"]),
    PI_PARTS.map(reduce),
    set("square", get("x"), get("x"), ["f32x4.mul"]),
    multiplyAdd(fused, [...polynomial(SINE), get("square"), ["f32x4.mul"]], [get("x")], [get("x")]),
    get("flip"),
    ["v128.xor"],
  ];
  const locals = { turns: "v128", x: "v128", q: "v128", flip: "v128", square: "v128" };
  return inPlace("sine", { turn: "f32" }, locals, set("turns", get("turn"), ["f32x4.splat"]), value);
}

/**
 * The module's bytes.
 *
 * @param {boolean} fused whether to use the multiply-add of relaxed SIMD, which not every engine has
 * @returns {Uint8Array}
 */
export function kernelBytes(fused) {
  return moduleBytes([product(fused), relu(), sine(fused)]);
}

/**
 * The compiled module, with the fused multiply-add where the engine has it.
 *
 * @returns {Promise<WebAssembly.Module>} rejects with a sentence where the engine cannot run it at all
 */
export async function compileKernel() {
  const found = typeof WebAssembly === "object" && [true, false].map(kernelBytes).find((b) => WebAssembly.validate(b));
  if (!found) {
    throw new Error(
      "This browser has no WebAssembly SIMD, which edits need: open the page in Chrome or Edge 91, Firefox 89, " +
        "Safari 16.4 or newer.",
    );
  }
  return WebAssembly.compile(found);
}
