/**
 * The nonlinearities that the page can run: a kernel of the same name for each, which replaces numbers in place.
 *
 * They round as the library's own do, one operation after the other, since some of them magnify a rounding error.
 */
import { ELEMENTARY, exponential, sine } from "inrlens/compute/elementary.js";
import { add, added, get, multiplied, set, splat, times } from "inrlens/compute/phrases.js";

/**
 * What each kernel takes after `(address, vectors, scale)`, from the parameters that a layer has in the manifest.
 *
 * @type {Object<string, function(Object<string, number>): number[]>}
 */
export const NUMBERS = {
  relu: () => [],
  sine: () => [0],
  gauss: () => [],
  finer: ({ omega }) => [1 / omega],
  gabor: ({ ratio }) => [ratio],
  "complex gabor": ({ ratio }) => [ratio ** 2],
};

const x = [get("x")];
const square = (name) => multiplied([get(name)], [get(name)]);
const negative = (value) => [...value, ["f32x4.neg"]];
const spread = (number, vector) => set(vector, get(number), ["f32x4.splat"]);
const load = (address) => multiplied([get(address), ["v128.load", 0]], [get("scales")]);
const store = (address, value) => [get(address), value, ["v128.store", 0], add(address, 16)];

/**
 * A function `name(address, vectors, scale, ...)` that replaces every number by what `value` leaves, which finds it,
 * times `scale`, in the local `x`, and every one of `params`, by name, as a vector under the name that they give.
 */
function inPlace(name, locals, value, params = {}) {
  const vectors = ["scales", ...Object.values(params), ...locals];
  return {
    name,
    params: { address: "i32", vectors: "i32", scale: "f32", ...retyped(Object.keys(params), "f32") },
    locals: retyped(vectors, "v128"),
    instructions: [
      spread("scale", "scales"),
      Object.entries(params).map(([number, vector]) => spread(number, vector)),
      times("vectors", [set("x", ...load("address")), store("address", value)]),
    ],
  };
}

const retyped = (names, type) => Object.fromEntries(names.map((name) => [name, type]));

/** `relu(address, vectors, scale)`. */
const relu = () => inPlace("relu", ["x"], [...x, splat(0), ["f32x4.pmax"]]);

/** `sine(address, vectors, scale, turn)`: `sin(v + turn * pi)`. */
const sines = (fused) => inPlace("sine", ELEMENTARY, sine(fused, [get("turns")]), { turn: "turns" });

/** `gauss(address, vectors, scale)`: `exp(-v^2)`. */
const gauss = (fused) => inPlace("gauss", ELEMENTARY, [set("x", ...negative(square("x"))), exponential(fused)]);

/** `finer(address, vectors, scale, share)`: `sin(v + share v |v|)`. */
function finer(fused) {
  const more = multiplied(multiplied([get("shares")], x), [...x, ["f32x4.abs"]]);
  return inPlace("finer", ELEMENTARY, [set("x", ...added(x, more)), sine(fused, splat(0))], { share: "shares" });
}

/** `gabor(address, vectors, scale, ratio)`: `cos(v) exp(-(ratio v)^2)`. */
function gabor(fused) {
  const value = [
    set("wave", ...x),
    set("x", ...multiplied(x, [get("ratios")])),
    set("x", ...negative(square("x"))),
    set("bell", exponential(fused)),
    set("x", get("wave")),
    multiplied(sine(fused, splat(0.5)), [get("bell")]),
  ];
  return inPlace("gabor", [...ELEMENTARY, "wave", "bell"], value, { ratio: "ratios" });
}

/**
 * `complex gabor(address, vectors, scale, share, distance)`: `exp(i v - share |v|^2)` of complex v, whose imaginary
 * parts lie `distance` bytes behind the real ones.
 */
function complexGabor(fused) {
  const area = added(square("real"), square("imaginary"));
  const part = (turn) => [set("x", get("real")), multiplied([get("size")], sine(fused, splat(turn)))];
  return {
    name: "complex gabor",
    params: { address: "i32", vectors: "i32", scale: "f32", share: "f32", distance: "i32" },
    locals: { other: "i32", ...retyped(["scales", "shares", "real", "imaginary", "size", ...ELEMENTARY], "v128") },
    instructions: [
      spread("scale", "scales"),
      spread("share", "shares"),
      set("other", get("address"), get("distance"), ["i32.add"]),
      times("vectors", [
        set("real", ...load("address")),
        set("imaginary", ...load("other")),
        set("x", ...negative([get("imaginary")]), ...multiplied([get("shares")], area), ["f32x4.sub"]),
        set("size", exponential(fused)),
        store("address", part(0.5)),
        store("other", part(0)),
      ]),
    ],
  };
}

/** All kernels, for the assembler. */
export const nonlinearities = (fused) => [
  relu(),
  sines(fused),
  gauss(fused),
  finer(fused),
  gabor(fused),
  complexGabor(fused),
];
