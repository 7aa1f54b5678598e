/**
 * Runs networks on the rows of a grid, away from the page's thread. A classic script that imports nothing.
 *
 * Messages in, by `kind`:
 *   start    {module, rows, outputs}             the compiled kernels (kernel.js) and their block sizes
 *   network  {network}                           as `runner.use` takes it; kept by its id
 *   keep     {network, layer}                    whose pre-activations u = W_{l+1} h_l + b_{l+1} to keep, row by row
 *   edit     {job, network, layer, head, rows, coarse, starts, atoms, factors, directions}   replaces an older edit
 *   render   {job, network, head, rows}
 *   warm     {job, rows}                         computes what is to be kept, when nothing else is wanted
 * Messages out: {job, from, values} after every tile (the outputs of `rows` from place `from`), {job, done: true} after
 * a warm-up, {job, failed: sentence}.
 */
"use strict";

/** Rows between two looks at the messages: some ten milliseconds. */
const TILE = 256;
/** Rows of one piece of what is kept. */
const PIECE = 1024;

const networks = new Map();
const jobs = { edit: null, renders: [], warm: null };
let kernel = null;
let block = { rows: 0, outputs: 0 };
/** The network whose weights lie in the kernels' memory. */
let loaded = null;
/** What is kept: {network, layer, width, places: Int32Array(N) (-1: not yet), count, pieces}. */
let kept = null;

const padded = (units) => Math.ceil(units / block.outputs) * block.outputs;

/** What runs in turn: the encoding, if any, then the layers; each a product and what follows it in place. */
function plan(network) {
  const stages = network.layers.map((layer) => ({
    weight: layer.weight,
    bias: layer.bias,
    units: layer.width,
    inputs: layer.inputs,
    scale: layer.scale,
    phi: layer.nonlinearity,
    numbers: layer.numbers,
    size: padded(layer.width),
    fan: padded(layer.inputs),
    half: Infinity,
  }));
  if (network.encoding === null) return stages;
  // 2 pi B twice, so that sines and cosines of one angle come out of one product; layer 0 reads both padded halves.
  const { frequencies } = network.encoding;
  const axes = network.grid.length;
  const count = frequencies.length / axes;
  const half = padded(count);
  const weight = new Float32Array(2 * axes * half);
  for (let i = 0; i < axes * count; i += 1) {
    weight[i] = weight[axes * half + i] = 2 * Math.PI * frequencies[i];
  }
  Object.assign(stages[0], { half: count, fan: 2 * half });
  const bias = new Float32Array(2 * half);
  return [
    {
      weight,
      bias,
      units: 2 * half,
      inputs: axes,
      scale: 1,
      phi: "fourier",
      numbers: [],
      size: 2 * half,
      fan: padded(axes),
      half: Infinity,
    },
    ...stages,
  ];
}

const packedSize = (stage) => (1 + stage.fan) * stage.size;

/** Packs a stage's weights for the kernel at its address (in floats), padding with 0. */
function pack(stage) {
  const { outputs } = block;
  const numbers = loaded.numbers;
  numbers.fill(0, stage.address, stage.address + packedSize(stage));
  const gap = stage.fan / 2 - stage.half;
  for (let o = 0; o < stage.units; o += 1) {
    const base = stage.address + Math.floor(o / outputs) * (1 + stage.fan) * outputs + (o % outputs);
    numbers[base] = stage.bias[o];
    for (let i = 0; i < stage.inputs; i += 1) {
      numbers[base + (1 + (i < stage.half ? i : i + gap)) * outputs] = stage.weight[o * stage.inputs + i];
    }
  }
}

/** Overwrites the packed bias of a stage by 0, or gives it back. */
function setBias(stage, on) {
  const { outputs } = block;
  for (let o = 0; o < stage.units; o += 1) {
    const base = stage.address + Math.floor(o / outputs) * (1 + stage.fan) * outputs + (o % outputs);
    loaded.numbers[base] = on ? stage.bias[o] : 0;
  }
}

/** Lays a network out in the kernels' memory: weights, a head, two buffers of a tile. */
function load(id) {
  if (loaded?.id === id) return;
  const network = networks.get(id);
  const stages = plan(network);
  const last = stages[stages.length - 1];
  const head = {
    units: network.channels,
    inputs: last.units,
    size: padded(network.channels),
    fan: last.size,
    half: Infinity,
  };
  let end = 4;
  for (const stage of [...stages, head]) {
    stage.address = end;
    end += packedSize(stage);
  }
  const widest = Math.max(...stages.map((stage) => Math.max(stage.size, stage.fan)), head.size);
  const buffers = [end, end + widest * TILE];
  const missing = (end + 2 * widest * TILE) * 4 - kernel.memory.buffer.byteLength;
  if (missing > 0) kernel.memory.grow(Math.ceil(missing / 65536));
  loaded = {
    id,
    network,
    stages,
    head,
    buffers,
    first: network.encoding === null ? 0 : 1,
    numbers: new Float32Array(kernel.memory.buffer),
  };
  stages.forEach(pack);
}

/** A stage's product from one buffer into the other one, whose address it returns. */
function product(stage, from, panels) {
  const to = loaded.buffers[from === loaded.buffers[0] ? 1 : 0];
  kernel.product(from * 4, stage.address * 4, to * 4, stage.fan / 4, stage.size / block.outputs, panels);
  return to;
}

/** What follows a stage's product, in place. */
function activate(stage, at, panels) {
  const vectors = (stage.size * block.rows) / 4;
  const paired = pairs[stage.phi];
  if (!paired) return kernel[stage.phi](at * 4, panels * vectors, stage.scale, ...stage.numbers);
  for (let panel = 0; panel < panels; panel += 1) paired((at + panel * vectors * 4) * 4, stage);
}

/** What takes the two halves of a panel's units at an address together. */
const pairs = {
  fourier: (address, { size }) => {
    const vectors = (size * block.rows) / 8;
    kernel.sine(address, vectors, 1, 0);
    kernel.sine(address + vectors * 16, vectors, 1, 0.5);
  },
  "complex gabor": (address, { units, scale, numbers }) => {
    const vectors = (units * block.rows) / 8;
    kernel["complex gabor"](address, vectors, scale, ...numbers, vectors * 16);
  },
};

/** Writes the coordinates of rows as panels; x runs along the last side, each over the network's range with both ends. */
function place(rows) {
  const { grid, coordinate_range: span } = loaded.network;
  const [low, high] = span;
  const middle = (low + high) / 2;
  const at = loaded.buffers[0];
  const size = padded(grid.length) * block.rows;
  const panels = Math.ceil(rows.length / block.rows);
  loaded.numbers.fill(0, at, at + panels * size);
  for (let r = 0; r < rows.length; r += 1) {
    const base = at + Math.floor(r / block.rows) * size + (r % block.rows);
    let left = rows[r];
    for (let axis = grid.length - 1, x = 0; axis >= 0; axis -= 1, x += 1) {
      const line = Math.floor(left / grid[axis]);
      const last = grid[axis] - 1;
      loaded.numbers[base + x * block.rows] = last > 0 ? low + ((high - low) * (left - line * grid[axis])) / last : middle;
      left = line;
    }
  }
  return at;
}

/** From the coordinates of rows to the product of stage `stop`; returns where it lies. */
function enter(rows, stop) {
  const panels = Math.ceil(rows.length / block.rows);
  let at = place(rows);
  for (let index = 0; index <= stop; index += 1) {
    if (index > 0) activate(loaded.stages[index - 1], at, panels);
    at = product(loaded.stages[index], at, panels);
  }
  return at;
}

/** From the product of stage `start` at `from` to a head's outputs, `(rows, c)`. */
function finish(count, start, from, head) {
  const panels = Math.ceil(count / block.rows);
  let at = from;
  for (let index = start; index < loaded.stages.length; index += 1) {
    if (index > start) at = product(loaded.stages[index], at, panels);
    activate(loaded.stages[index], at, panels);
  }
  pack(Object.assign(loaded.head, head));
  at = product(loaded.head, at, panels);
  return unpack(at, count, loaded.head);
}

/** Panels of a stage's units as rows, `(count, units)`. */
function unpack(at, count, { units, size }) {
  const values = new Float32Array(count * units);
  for (let r = 0; r < count; r += 1) {
    const base = at + Math.floor(r / block.rows) * size * block.rows + (r % block.rows);
    for (let o = 0; o < units; o += 1) values[r * units + o] = loaded.numbers[base + o * block.rows];
  }
  return values;
}

/** The kept numbers of a row, or room for them. */
function keptRow(row) {
  if (kept.places[row] < 0) {
    if (kept.count % PIECE === 0) kept.pieces.push(new Float32Array(PIECE * kept.width));
    kept.places[row] = kept.count;
    kept.count += 1;
  }
  const at = (kept.places[row] % PIECE) * kept.width;
  return kept.pieces[Math.floor(kept.places[row] / PIECE)].subarray(at, at + kept.width);
}

const keptStage = () => loaded.first + kept.layer + 1;

/** Computes and keeps what is missing of some rows. */
function keep(rows) {
  const missing = rows.filter((row) => kept.places[row] < 0);
  if (missing.length === 0) return;
  const stage = loaded.stages[keptStage()];
  const values = unpack(enter(missing, keptStage()), missing.length, stage);
  for (let r = 0; r < missing.length; r += 1) {
    keptRow(missing[r]).set(values.subarray(r * stage.units, (r + 1) * stage.units));
  }
}

/** Kept rows as panels, with what `change(u, place)` adds to each. */
function gather(rows, change) {
  const stage = loaded.stages[keptStage()];
  const at = loaded.buffers[0];
  const u = new Float32Array(stage.units);
  loaded.numbers.fill(0, at, at + Math.ceil(rows.length / block.rows) * stage.size * block.rows);
  for (let r = 0; r < rows.length; r += 1) {
    u.set(keptRow(rows[r]));
    change(u, r);
    const base = at + Math.floor(r / block.rows) * stage.size * block.rows + (r % block.rows);
    for (let o = 0; o < stage.units; o += 1) loaded.numbers[base + o * block.rows] = u[o];
  }
  return at;
}

/** `W_{l+1} w_a` of every edited atom, `(atoms, units)`. */
function reach(directions) {
  const stage = loaded.stages[keptStage()];
  const { units, inputs } = stage;
  const count = directions.length / inputs;
  const found = new Float32Array(count * units);
  const at = loaded.buffers[0];
  setBias(stage, false);
  for (let from = 0; from < count; from += TILE) {
    const part = Math.min(TILE, count - from);
    const panels = Math.ceil(part / block.rows);
    loaded.numbers.fill(0, at, at + panels * stage.fan * block.rows);
    for (let a = 0; a < part; a += 1) {
      const base = at + Math.floor(a / block.rows) * stage.fan * block.rows + (a % block.rows);
      for (let i = 0; i < inputs; i += 1) loaded.numbers[base + i * block.rows] = directions[(from + a) * inputs + i];
    }
    found.set(unpack(product(stage, at, panels), part, stage), from * units);
  }
  setBias(stage, true);
  return found;
}

/** The outputs of a tile of an edit's rows. */
function edited(job, rows, from) {
  load(kept.network);
  job.reach ??= reach(job.directions);
  keep(rows);
  const at = gather(rows, (u, r) => {
    for (let entry = job.starts[from + r]; entry < job.starts[from + r + 1]; entry += 1) {
      const base = job.atoms[entry] * u.length;
      for (let o = 0; o < u.length; o += 1) u[o] += job.factors[entry] * job.reach[base + o];
    }
  });
  return finish(rows.length, keptStage(), at, job.head);
}

/** The outputs of a tile of a picture's rows, through what is kept where it is of this network. */
function rendered(job, rows) {
  load(job.network);
  if (kept?.network !== job.network) {
    const last = loaded.stages.length - 1;
    return finish(rows.length, last, enter(rows, last), job.head);
  }
  keep(rows);
  return finish(
    rows.length,
    keptStage(),
    gather(rows, () => {}),
    job.head,
  );
}

/** Takes a finished or failed job off the list. */
function leave(job) {
  if (jobs.edit === job) jobs.edit = null;
  if (jobs.warm === job) jobs.warm = null;
  jobs.renders = jobs.renders.filter((other) => other !== job);
}

/** One tile of a job. */
function advance(job) {
  const from = job.next;
  const stop = from < job.coarse ? job.coarse : job.rows.length;
  const rows = job.rows.subarray(from, Math.min(from + TILE, stop));
  job.next += rows.length;
  if (job.next >= job.rows.length) leave(job);
  if (job.kind === "warm") {
    load(kept.network);
    keep(rows);
    if (job.next >= job.rows.length) postMessage({ job: job.job, done: true });
    return;
  }
  const values = job.kind === "edit" ? edited(job, rows, from) : rendered(job, rows);
  postMessage({ job: job.job, from, values }, [values.buffer]);
}

// A message to oneself between two tiles lets newer jobs in first.
const turn = new MessageChannel();
let turning = false;

function wake() {
  if (turning || !(jobs.edit ?? jobs.renders[0] ?? jobs.warm)) return;
  turning = true;
  turn.port2.postMessage(null);
}

turn.port1.onmessage = () => {
  turning = false;
  const job = jobs.edit ?? jobs.renders[0] ?? jobs.warm;
  if (!job) return;
  try {
    advance(job);
  } catch (error) {
    leave(job);
    postMessage({ job: job.job, failed: `The network could not be run (${error.message}): reload the page.` });
  }
  wake();
};

/** Starts to keep another layer's rows; what was kept is dropped. */
function keepOf({ network, layer }) {
  if (kept?.network === network && kept.layer === layer) return;
  jobs.warm = null;
  kept = null;
  const { grid, layers } = networks.get(network);
  if (layer + 1 >= layers.length) return;
  const places = new Int32Array(grid.reduce((product, side) => product * side, 1)).fill(-1);
  kept = { network, layer, width: layers[layer + 1].width, places, count: 0, pieces: [] };
}

const receive = {
  start: ({ module, rows, outputs }) => {
    kernel = new WebAssembly.Instance(module).exports;
    block = { rows, outputs };
  },
  network: ({ network }) => networks.set(network.id, network),
  keep: keepOf,
  edit: (message) => (jobs.edit = message.rows.length ? { ...message, next: 0 } : null),
  render: (message) => jobs.renders.push({ ...message, next: 0, coarse: 0 }),
  warm: (message) => (jobs.warm = { ...message, next: 0, coarse: 0 }),
};

onmessage = ({ data }) => {
  receive[data.kind](data);
  wake();
};
