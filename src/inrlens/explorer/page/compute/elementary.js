/**
 * Sine and exponential of vectors, as lists of instructions that take their argument from the local `x`, change it, and
 * leave the value.
 */
import { added, get, integers, multiplied, multiplyAdd, polynomial, set, splat } from "inrlens/compute/phrases.js";

// pi in three parts of 8, 13 and 24 bits: up to 2^11 times the first two are exact in float32.
const PI_PARTS = [3.140625, 0.0009676218032836914, 3.1786509424591713e-8];
// The odd polynomial of degree 9 that is nearest to the sine (to 5e-9) on [-pi/2, pi/2], without its first term x.
const SINE = [-0.16666656732559204, 0.008333017118275166, -0.00019806614727713168, 2.600054585855105e-6];

// log(2) in two parts of 15 and 24 bits: up to 2^8 times the first is exact in float32.
const LOG_2_PARTS = [0.693145751953125, 1.428606765330187e-6];
// The polynomial of degree 6 that is nearest to exp, relative to it (to 4e-9), on [-log(2)/2, log(2)/2], without 1 + x.
const EXP = [0.4999999403953552, 0.1666652113199234, 0.04166838899254799, 0.008368716575205326, 0.001381459878757596];
/** Below the first exp is 0 in float32, above the second it is infinite. */
const EXP_LIMITS = [-104, 89];
const EXPONENT = { bits: 23, bias: 127 };

/** The vectors that `sine` and `exponential` need as locals. */
export const ELEMENTARY = ["x", "q", "whole", "square"];

const reduce = (fused, parts) =>
  parts.map((part) => set("x", ...multiplyAdd(fused, [get("q")], splat(-part), [get("x")])));

/**
 * `sin(x + turn * pi)`; turn 0 is the sine and 0.5 the cosine.
 *
 * With q = round(x / pi + turn) and r = x - (q - turn) pi, the value is sin(r), its sign turned where q is odd.
 *
 * @param {boolean} fused
 * @param {Array} turn instructions that leave it
 */
export const sine = (fused, turn) => [
  set("q", ...multiplyAdd(fused, [get("x")], splat(1 / Math.PI), turn), ["f32x4.nearest"]),
  set("whole", get("q"), ["i32x4.trunc_sat_f32x4_s"], ["i32.const", 31], ["i32x4.shl"]),
  set("q", get("q"), ...turn, ["f32x4.sub"]),
  reduce(fused, PI_PARTS),
  set("square", ...multiplied([get("x")], [get("x")])),
  multiplyAdd(fused, multiplied(polynomial(fused, SINE, "square"), [get("square")]), [get("x")], [get("x")]),
  get("whole"),
  ["v128.xor"],
];

/**
 * `exp(x)`, down to the smallest float32 and up to infinity.
 *
 * With q = round(x / log(2)) and r = x - q log(2), the value is 2^q exp(r); 2^q is multiplied in halves, since alone it
 * may be too large or too small for a float.
 */
export function exponential(fused) {
  const power = (exponent) => [
    ...exponent,
    integers(EXPONENT.bias),
    ["i32x4.add"],
    ["i32.const", EXPONENT.bits],
    ["i32x4.shl"],
  ];
  const half = [get("whole"), ["i32.const", 1], ["i32x4.shr_s"]];
  const rest = [get("whole"), ...half, ["i32x4.sub"]];
  return [
    set("x", get("x"), splat(EXP_LIMITS[0]), ["f32x4.pmax"], splat(EXP_LIMITS[1]), ["f32x4.pmin"]),
    set("q", ...multiplied([get("x")], splat(1 / Math.LN2)), ["f32x4.nearest"]),
    set("whole", get("q"), ["i32x4.trunc_sat_f32x4_s"]),
    reduce(fused, LOG_2_PARTS),
    set("square", ...multiplied([get("x")], [get("x")])),
    multiplyAdd(fused, polynomial(fused, EXP, "x"), [get("square")], added([get("x")], splat(1))),
    power(half),
    ["f32x4.mul"],
    power(rest),
    ["f32x4.mul"],
  ];
}
