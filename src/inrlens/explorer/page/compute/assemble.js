/**
 * A small assembler for WebAssembly: instruction lists in, the bytes of a module out.
 *
 * An instruction is a list that starts with its name in the text format of the standard and goes on with what belongs
 * to it: `["local.get", "x"]`, `["i32.const", 4]`, `["v128.load", 16]` (the offset in bytes). Locals go by name. A loop
 * is `["loop", instructions]`; `["br_if", 0]` inside goes back to its start. Lists of instructions may be nested.
 */

const TYPES = { i32: 0x7f, f32: 0x7d, v128: 0x7b };

const PLAIN = {
  "i32.ne": 0x47,
  "i32.lt_u": 0x49,
  "i32.add": 0x6a,
  "i32.sub": 0x6b,
  "i32.mul": 0x6c,
  "i32.shl": 0x74,
};

const SIMD = {
  "i32x4.splat": 0x11,
  "f32x4.splat": 0x13,
  "v128.xor": 0x51,
  "f32x4.nearest": 0x6a,
  "i32x4.shl": 0xab,
  "i32x4.shr_s": 0xac,
  "i32x4.add": 0xae,
  "i32x4.sub": 0xb1,
  "f32x4.abs": 0xe0,
  "f32x4.neg": 0xe1,
  "f32x4.add": 0xe4,
  "f32x4.sub": 0xe5,
  "f32x4.mul": 0xe6,
  "f32x4.pmin": 0xea,
  "f32x4.pmax": 0xeb,
  "i32x4.trunc_sat_f32x4_s": 0xf8,
  "f32x4.relaxed_madd": 0x105,
};

const ACCESS = { "v128.load": [0x00, 4], "v128.load32_splat": [0x09, 2], "v128.store": [0x0b, 4] };

/** An unsigned number in LEB128. */
function unsigned(value) {
  const bytes = [];
  let rest = value;
  do {
    bytes.push((rest & 0x7f) | (rest > 0x7f ? 0x80 : 0));
    rest >>>= 7;
  } while (rest > 0);
  return bytes;
}

/** A signed number in LEB128. */
function signed(value) {
  const bytes = [];
  let rest = value;
  for (;;) {
    const low = rest & 0x7f;
    rest >>= 7;
    const last = (rest === 0 && (low & 0x40) === 0) || (rest === -1 && (low & 0x40) !== 0);
    bytes.push(last ? low : low | 0x80);
    if (last) return bytes;
  }
}

/** A 32-bit float, little-endian. */
function float(value) {
  return [...new Uint8Array(new Float32Array([value]).buffer)];
}

const text = (name) => [...unsigned(name.length), ...[...name].map((letter) => letter.charCodeAt(0))];
const list = (entries) => [...unsigned(entries.length), ...entries.flat()];
const section = (id, bytes) => [id, ...unsigned(bytes.length), ...bytes];

/** The bytes of one instruction; `locals` gives every local's index by its name. */
function instruction([name, ...rest], locals) {
  if (name === "loop") return [0x03, 0x40, ...code(rest[0], locals), 0x0b];
  if (name === "br_if") return [0x0d, ...unsigned(rest[0])];
  if (name.startsWith("local.")) {
    if (!locals.has(rest[0])) throw new Error(`no local is named ${rest[0]}`);
    return [{ "local.get": 0x20, "local.set": 0x21, "local.tee": 0x22 }[name], ...unsigned(locals.get(rest[0]))];
  }
  if (name === "i32.const") return [0x41, ...signed(rest[0])];
  if (name === "f32.const") return [0x43, ...float(rest[0])];
  if (name in PLAIN) return [PLAIN[name]];
  if (name in SIMD) return [0xfd, ...unsigned(SIMD[name])];
  if (name in ACCESS) return [0xfd, ACCESS[name][0], ACCESS[name][1], ...unsigned(rest[0] ?? 0)];
  throw new Error(`the assembler does not know the instruction ${name}`);
}

/** The bytes of a list of instructions, nested or not. */
function code(instructions, locals) {
  return instructions.flatMap((entry) =>
    Array.isArray(entry[0]) || entry.length === 0 ? code(entry, locals) : instruction(entry, locals),
  );
}

/** One function's entry of the code section. */
function body({ params, locals, instructions }) {
  const names = [...Object.keys(params), ...Object.keys(locals)];
  const places = new Map(names.map((name, place) => [name, place]));
  const declared = Object.values(locals).map((type) => [1, TYPES[type]]);
  const bytes = [...list(declared), ...code(instructions, places), 0x0b];
  return [...unsigned(bytes.length), ...bytes];
}

/**
 * A module of functions without results over one memory, which it exports as `memory` (one page at first).
 *
 * @param {{name: string, params: Object<string, string>, locals: Object<string, string>, instructions: Array}[]}
 *   functions each exported by its name; `params` and `locals` give every name its type: i32, f32 or v128
 * @returns {Uint8Array} the bytes of the module
 */
export function moduleBytes(functions) {
  const types = functions.map(({ params }) => [0x60, ...list(Object.values(params).map((type) => [TYPES[type]])), 0]);
  const exports = functions.map(({ name }, place) => [...text(name), 0x00, ...unsigned(place)]);
  return new Uint8Array([
    0x00,
    0x61,
    0x73,
    0x6d,
    1,
    0,
    0,
    0,
    ...section(1, list(types)),
    ...section(3, list(functions.map((_, place) => unsigned(place)))),
    ...section(5, list([[0x00, 1]])),
    ...section(7, list([...exports, [...text("memory"), 0x02, 0]])),
    ...section(10, list(functions.map(body))),
  ]);
}
