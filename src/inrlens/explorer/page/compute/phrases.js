/** Phrases of instructions for the assembler, of which every kernel is made. */

export const get = (name) => ["local.get", name];
export const set = (name, ...value) => [...value, ["local.set", name]];
/** Moves the address in the local `name` on. */
export const add = (name, bytes) => set(name, get(name), ["i32.const", bytes], ["i32.add"]);

/** Repeats `instructions` as often as the local `name` says, at least once; it is 0 afterwards. */
export const times = (name, instructions) => [
  "loop",
  [instructions, get(name), ["i32.const", 1], ["i32.sub"], ["local.tee", name], ["br_if", 0]],
];

/** A vector of one number, and one of a whole number. */
export const splat = (value) => [["f32.const", value], ["f32x4.splat"]];
export const integers = (value) => [["i32.const", value], ["i32x4.splat"]];

/** `x * y` and `x + y` of two lists that each leave a vector. */
export const multiplied = (x, y) => [...x, ...y, ["f32x4.mul"]];
export const added = (x, y) => [...x, ...y, ["f32x4.add"]];

/** `x * y + z` of three lists that each leave a vector: rounded once where the engine can. */
export const multiplyAdd = (fused, x, y, z) =>
  fused ? [...x, ...y, ...z, ["f32x4.relaxed_madd"]] : added(multiplied(x, y), z);

/** The polynomial with these coefficients, from that of 1 on, of what the local `name` holds. */
export const polynomial = (fused, [first, ...rest], name) =>
  rest.length === 0 ? splat(first) : multiplyAdd(fused, polynomial(fused, rest, name), [get(name)], splat(first));
