/**
 * The numerical kernels as a WebAssembly module: a layer's product and what follows it, four numbers an instruction.
 *
 * Rows lie in panels of ROWS: a panel of a layer with d units is `[d][ROWS]`, so that what a layer writes is what the
 * next one reads, and every number of a panel meets every weight from a register. Units are padded to a multiple of
 * OUTPUTS with weights of 0. Weights are packed for the order in which they are read, a block of OUTPUTS units after
 * the other: `[units / OUTPUTS]` blocks of `[1 + inputs][OUTPUTS]`, the biases first.
 */
import { moduleBytes } from "inrlens/compute/assemble.js";
import { nonlinearities } from "inrlens/compute/nonlinearities.js";
import { add, get, multiplyAdd, set, times } from "inrlens/compute/phrases.js";

/** Rows of a panel: two registers of four. */
export const ROWS = 8;
/** Units of a block: with ROWS they fill eight registers with sums, which hides an addition's delay. */
export const OUTPUTS = 4;
const VECTORS = ROWS / 4;
const UNROLLED = 4;

const range = (count) => [...Array(count).keys()];
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

/**
 * The module's bytes.
 *
 * @param {boolean} fused whether to use the multiply-add of relaxed SIMD, which not every engine has
 * @returns {Uint8Array}
 */
export function kernelBytes(fused) {
  return moduleBytes([product(fused), ...nonlinearities(fused)]);
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
