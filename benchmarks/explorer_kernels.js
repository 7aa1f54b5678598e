/** The page of explorer_kernels.py: one layer in several ways, in turn, and two whole edits. */
import { kernelBytes, OUTPUTS, ROWS } from "inrlens/compute/kernel.js";
import { createRunner } from "inrlens/compute/runner.js";

const [COUNT, WIDTH] = [1024, 256];
const OPERATIONS = 2 * COUNT * WIDTH * WIDTH;
const PHIS = ["sine", "relu"];

const spread = (place) => ((place * 7919) % 10007) / 10007 - 0.5;
const weights = Float32Array.from({ length: WIDTH * WIDTH }, (_, place) => 0.2 * spread(place)); // (in, out)
const bias = Float32Array.from({ length: WIDTH }, (_, place) => spread(place));
const input = Float32Array.from({ length: COUNT * WIDTH }, (_, place) => 2 * spread(place * 31 + 5));

/** Row 3 and the last row in double precision. */
function difference(values, phi) {
  let most = 0;
  for (const r of [3, COUNT - 1]) {
    for (let o = 0; o < WIDTH; o += 1) {
      let u = bias[o];
      for (let i = 0; i < WIDTH; i += 1) u += input[r * WIDTH + i] * weights[i * WIDTH + o];
      most = Math.max(most, Math.abs(values[r * WIDTH + o] - (phi === "sine" ? Math.sin(u) : Math.max(0, u))));
    }
  }
  return most;
}

/** Four rows by four units in sixteen numbers; weights `(out, in)`. */
function loop() {
  const turned = weights.map((_, p) => weights[(p % WIDTH) * WIDTH + Math.floor(p / WIDTH)]);
  const out = new Float32Array(COUNT * WIDTH);
  const run = (phi) => {
    for (let r = 0; r < COUNT; r += 4) {
      const [h0, h1, h2, h3] = [r * WIDTH, (r + 1) * WIDTH, (r + 2) * WIDTH, (r + 3) * WIDTH];
      for (let o = 0; o < WIDTH; o += 4) {
        const [w0, w1, w2, w3] = [o * WIDTH, (o + 1) * WIDTH, (o + 2) * WIDTH, (o + 3) * WIDTH];
        let a0 = bias[o],
          a1 = bias[o + 1],
          a2 = bias[o + 2],
          a3 = bias[o + 3];
        let b0 = a0,
          b1 = a1,
          b2 = a2,
          b3 = a3,
          c0 = a0,
          c1 = a1,
          c2 = a2,
          c3 = a3,
          d0 = a0,
          d1 = a1,
          d2 = a2,
          d3 = a3;
        for (let i = 0; i < WIDTH; i += 1) {
          const x0 = input[h0 + i],
            x1 = input[h1 + i],
            x2 = input[h2 + i],
            x3 = input[h3 + i];
          const y0 = turned[w0 + i],
            y1 = turned[w1 + i],
            y2 = turned[w2 + i],
            y3 = turned[w3 + i];
          a0 += x0 * y0;
          a1 += x0 * y1;
          a2 += x0 * y2;
          a3 += x0 * y3;
          b0 += x1 * y0;
          b1 += x1 * y1;
          b2 += x1 * y2;
          b3 += x1 * y3;
          c0 += x2 * y0;
          c1 += x2 * y1;
          c2 += x2 * y2;
          c3 += x2 * y3;
          d0 += x3 * y0;
          d1 += x3 * y1;
          d2 += x3 * y2;
          d3 += x3 * y3;
        }
        out[h0 + o] = a0;
        out[h0 + o + 1] = a1;
        out[h0 + o + 2] = a2;
        out[h0 + o + 3] = a3;
        out[h1 + o] = b0;
        out[h1 + o + 1] = b1;
        out[h1 + o + 2] = b2;
        out[h1 + o + 3] = b3;
        out[h2 + o] = c0;
        out[h2 + o + 1] = c1;
        out[h2 + o + 2] = c2;
        out[h2 + o + 3] = c3;
        out[h3 + o] = d0;
        out[h3 + o + 1] = d1;
        out[h3 + o + 2] = d2;
        out[h3 + o + 3] = d3;
      }
    }
    if (phi === "sine") for (let i = 0; i < out.length; i += 1) out[i] = Math.sin(out[i]);
    else for (let i = 0; i < out.length; i += 1) out[i] = Math.max(0, out[i]);
  };
  return { name: "typed arrays", run, read: () => out };
}

/** The explorer's kernels, 256 rows at a time as its workers do. */
async function ours(fused) {
  const bytes = kernelBytes(fused);
  if (!WebAssembly.validate(bytes)) return null;
  const { exports } = await WebAssembly.instantiate(await WebAssembly.compile(bytes));
  exports.memory.grow(64);
  const numbers = new Float32Array(exports.memory.buffer);
  const [packed, from] = [4, 4 + (WIDTH + 1) * WIDTH];
  const to = from + COUNT * WIDTH;
  for (let o = 0; o < WIDTH; o += 1) {
    const base = packed + Math.floor(o / OUTPUTS) * (1 + WIDTH) * OUTPUTS + (o % OUTPUTS);
    numbers[base] = bias[o];
    for (let i = 0; i < WIDTH; i += 1) numbers[base + (1 + i) * OUTPUTS] = weights[i * WIDTH + o];
  }
  const at = (start, r, i) => start + (Math.floor(r / ROWS) * WIDTH + i) * ROWS + (r % ROWS);
  for (let r = 0; r < COUNT; r += 1) for (let i = 0; i < WIDTH; i += 1) numbers[at(from, r, i)] = input[r * WIDTH + i];
  const run = (phi) => {
    for (let r = 0; r < COUNT; r += 256) {
      const out = (to + r * WIDTH) * 4;
      exports.product((from + r * WIDTH) * 4, packed * 4, out, WIDTH / 4, WIDTH / OUTPUTS, 256 / ROWS);
      exports[phi](out, (256 * WIDTH) / 4, 1, 0);
    }
  };
  const read = () => input.map((_, p) => numbers[at(to, Math.floor(p / WIDTH), p % WIDTH)]);
  return { name: fused ? "ours, fused" : "ours", run, read };
}

const script = (source) =>
  new Promise((resolve, reject) => {
    const element = Object.assign(document.createElement("script"), { src: source, onload: resolve });
    element.onerror = () => reject(new Error(`${source} is not there`));
    document.head.append(element);
  });

/** TensorFlow.js on a backend; its layers' result is read, as an edit would. */
async function tensorflow(backend) {
  if (!window.tf) await script("/npm/@tensorflow/tfjs/dist/tf.min.js");
  if (backend === "wasm") {
    await script("/npm/@tensorflow/tfjs-backend-wasm/dist/tf-backend-wasm.min.js");
    tf.wasm.setWasmPaths("/npm/@tensorflow/tfjs-backend-wasm/dist/");
    tf.wasm.setThreadsCount(1);
  }
  await tf.setBackend(backend);
  await tf.ready();
  const [x, w, b] = [tf.tensor2d(input, [COUNT, WIDTH]), tf.tensor2d(weights, [WIDTH, WIDTH]), tf.tensor1d(bias)];
  let out = null;
  const product = { a: x, b: w, bias: b };
  const run = async (phi) => {
    if (tf.getBackend() !== backend) await tf.setBackend(backend);
    const y = tf.tidy(() =>
      phi === "relu" ? tf.fused.matMul({ ...product, activation: "relu" }) : tf.sin(tf.fused.matMul(product)),
    );
    out = y.dataSync();
    y.dispose();
  };
  return { name: backend === "wasm" ? "tfjs-wasm" : "tfjs", run, read: () => out };
}

/** onnxruntime-web on one thread. */
async function onnx() {
  await script("/npm/onnxruntime-web/dist/ort.wasm.min.js");
  Object.assign(ort.env.wasm, { numThreads: 1, wasmPaths: "/npm/onnxruntime-web/dist/" });
  const sessions = {};
  for (const phi of PHIS) {
    const model = new Uint8Array(await (await fetch(`/onnx/${phi}`)).arrayBuffer());
    sessions[phi] = await ort.InferenceSession.create(model, { executionProviders: ["wasm"] });
  }
  const feeds = { x: new ort.Tensor("float32", input, [COUNT, WIDTH]) };
  let out = null;
  const run = async (phi) => {
    out = (await sessions[phi].run(feeds)).y.data;
  };
  return { name: "onnxruntime-web", run, read: () => out };
}

/** A plain tiled WebGPU shader, a 16 x 16 tile of the output a workgroup. */
async function gpu() {
  const adapter = await navigator.gpu?.requestAdapter();
  if (!adapter) throw new Error("none here");
  const device = await adapter.requestDevice();
  const shader = (value) => `
    @group(0) @binding(0) var<storage> x: array<f32>;
    @group(0) @binding(1) var<storage> w: array<f32>;
    @group(0) @binding(2) var<storage> b: array<f32>;
    @group(0) @binding(3) var<storage, read_write> y: array<f32>;
    var<workgroup> xs: array<f32, 256>;
    var<workgroup> ws: array<f32, 256>;
    @compute @workgroup_size(16, 16)
    fn main(@builtin(global_invocation_id) at: vec3u, @builtin(local_invocation_id) l: vec3u) {
      var u = b[at.x];
      for (var i = 0u; i < ${WIDTH}u; i += 16u) {
        xs[l.y * 16u + l.x] = x[at.y * ${WIDTH}u + i + l.x];
        ws[l.y * 16u + l.x] = w[(i + l.y) * ${WIDTH}u + at.x];
        workgroupBarrier();
        for (var j = 0u; j < 16u; j += 1u) { u += xs[l.y * 16u + j] * ws[j * 16u + l.x]; }
        workgroupBarrier();
      }
      y[at.y * ${WIDTH}u + at.x] = ${value};
    }`;
  const filled = (values) => {
    const usage = GPUBufferUsage.STORAGE;
    const buffer = device.createBuffer({ size: values.byteLength, usage, mappedAtCreation: true });
    new Float32Array(buffer.getMappedRange()).set(values);
    buffer.unmap();
    return buffer;
  };
  const size = COUNT * WIDTH * 4;
  const y = device.createBuffer({ size, usage: GPUBufferUsage.STORAGE | GPUBufferUsage.COPY_SRC });
  const back = device.createBuffer({ size, usage: GPUBufferUsage.COPY_DST | GPUBufferUsage.MAP_READ });
  const buffers = [filled(input), filled(weights), filled(bias), y];
  const pipelines = {};
  for (const [phi, value] of [
    ["sine", "sin(u)"],
    ["relu", "max(u, 0.0)"],
  ]) {
    const compute = { module: device.createShaderModule({ code: shader(value) }), entryPoint: "main" };
    pipelines[phi] = await device.createComputePipelineAsync({ layout: "auto", compute });
  }
  let out = null;
  const run = async (phi) => {
    const pipeline = pipelines[phi];
    const entries = buffers.map((buffer, binding) => ({ binding, resource: { buffer } }));
    const encoder = device.createCommandEncoder();
    const pass = encoder.beginComputePass();
    pass.setPipeline(pipeline);
    pass.setBindGroup(0, device.createBindGroup({ layout: pipeline.getBindGroupLayout(0), entries }));
    pass.dispatchWorkgroups(WIDTH / 16, COUNT / 16);
    pass.end();
    encoder.copyBufferToBuffer(y, 0, back, 0, size);
    device.queue.submit([encoder.finish()]);
    await back.mapAsync(GPUMapMode.READ);
    out = new Float32Array(back.getMappedRange().slice(0));
    back.unmap();
  };
  return { name: `WebGPU, ${adapter.info?.architecture || adapter.info?.vendor || "unnamed"}`, run, read: () => out };
}

window.measure = async ({ rounds, packages }) => {
  const notes = [];
  const ways = [];
  const take = async (name, make) => {
    try {
      const way = await make();
      if (way === null) notes.push(`${name}: not in this engine`);
      else ways.push(way);
    } catch (error) {
      notes.push(`${name}: ${error.message}`);
    }
  };
  await take("typed arrays", loop);
  await take("ours", () => ours(false));
  await take("ours, fused", () => ours(true));
  if (packages) {
    await take("tfjs", () => tensorflow("cpu"));
    await take("tfjs-wasm", () => tensorflow("wasm"));
    await take("onnxruntime-web", onnx);
  }
  await take("WebGPU", gpu);
  const rows = [];
  for (const phi of PHIS) {
    const best = ways.map(() => Infinity);
    for (let round = 0; round <= rounds; round += 1) {
      for (const [index, way] of ways.entries()) {
        const started = performance.now();
        await way.run(phi);
        if (round > 0) best[index] = Math.min(best[index], performance.now() - started);
      }
    }
    for (const [index, way] of ways.entries()) {
      await way.run(phi);
      const gflops = OPERATIONS / best[index] / 1e6;
      rows.push({ way: way.name, phi, gflops, difference: difference(way.read(), phi) });
    }
  }
  return { rows, notes };
};

/** An untrained network of the usual sizes on 178 x 218 pixels. */
function network(id, phi, frequencies) {
  const grid = [218, 178];
  const layers = Array.from({ length: 5 }, (_, index) => {
    const inputs = index > 0 ? WIDTH : frequencies ? 2 * frequencies : 2;
    const bound = index > 0 || frequencies ? Math.sqrt(6 / inputs) / (phi === "sine" ? 30 : 1) : 1 / inputs;
    const weight = Float32Array.from({ length: WIDTH * inputs }, (_, p) => 2 * bound * spread(p * 13 + index));
    const phiOf = { scale: phi === "sine" ? 30 : 1, nonlinearity: phi, parameters: {} };
    return { weight, bias: bias.slice(), ...phiOf, width: WIDTH, inputs };
  });
  const waves = Float32Array.from({ length: 2 * frequencies }, (_, p) => 20 * spread(p));
  const encoding = frequencies ? { kind: "fourier", frequencies: waves } : null;
  return { id, name: id, grid, channels: 3, encoding, layers };
}

/** First and last picture of an edit at layer 2, in milliseconds, with nothing kept and then again. */
window.edits = async () => {
  const found = [];
  const cases = [
    ["SIREN atom on 2 %", "sine", 0, 0.02],
    ["FFMLP atom on half", "relu", 256, 0.5],
  ];
  for (const [name, phi, frequencies, share] of cases) {
    const made = network(name, phi, frequencies);
    const count = made.grid[0] * made.grid[1];
    const fires = Uint32Array.from({ length: Math.floor(count * share) }, (_, place) => place + 9000);
    const head = { id: "h", weight: weights.slice(0, 3 * WIDTH), bias: bias.slice(0, 3) };
    const atom = { gain: 0, rows: fires, codes: new Float32Array(fires.length).fill(1), direction: bias };
    const asked = { network: made, layer: 2, head, output: new Float32Array(count * 3), atoms: [atom] };
    const runner = createRunner({ workerUrl: "/compute/worker.js" });
    await runner.edit({ ...asked, atoms: [{ ...atom, rows: fires.slice(0, 1) }] }); // the workers are up
    const times = { name, first: 0, whole: 0, again: 0 };
    let started = performance.now();
    await runner.edit(asked, () => {
      times.first ||= performance.now() - started;
    });
    times.whole = performance.now() - started;
    started = performance.now();
    await runner.edit({ ...asked, atoms: [{ ...atom, gain: 2 }] });
    times.again = performance.now() - started;
    runner.close();
    found.push(times);
  }
  return found;
};

window.ready = true;
