// The bundle: a manifest and binary files, fetched whole where they are small and by range where they are large.

import { fromHalf } from "inrlens/model/halves.js";

const FORMAT = "inrlens-explorer";
const VERSION = 3;
/** Bytes: a file up to this size is fetched once, whole. */
const WHOLE = 8 * 2 ** 20;
const TYPES = {
  float16: Uint16Array,
  float32: Float32Array,
  uint8: Uint8Array,
  uint16: Uint16Array,
  uint32: Uint32Array,
  int16: Int16Array,
  int32: Int32Array,
};
const AGAIN = "write it again with: inrlens explore RUN";

/** A fault that the reader can mend; its message is one sentence. */
export class Fault extends Error {}

/** Opens the bundle that came with this page: embedded in it, or beside it. */
export async function openBundle() {
  const embedded = document.getElementById("manifest");
  const source = embedded ? new Embedded() : new Beside(document.baseURI);
  const manifest = parse(embedded ? embedded.textContent : await source.text("manifest.json"));
  return new Bundle(manifest, source);
}

function parse(text) {
  let manifest;
  try {
    manifest = JSON.parse(text);
  } catch {
    throw new Fault(`manifest.json is damaged or cut short: ${AGAIN}.`);
  }
  if (manifest?.format !== FORMAT) throw new Fault(`manifest.json is not that of an InrLens explorer: ${AGAIN}.`);
  if (!(manifest.version <= VERSION)) {
    throw new Fault(
      `This bundle has format version ${manifest.version}, this page reads up to ${VERSION}: ` +
        "open it with the inrlens that wrote it, or install a newer one.",
    );
  }
  for (const key of ["files", "networks", "freeze", "notes"]) {
    if (!manifest[key]) throw new Fault(`manifest.json lacks '${key}': ${AGAIN}.`);
  }
  return manifest;
}

export class Bundle {
  constructor(manifest, source) {
    this.manifest = manifest;
    this.source = source;
    this.files = new Map();
  }

  /**
   * A whole array, in its own type; halves become Float32Array.
   * @param {{file: string, offset: number, type: string, shape: number[]}} about
   */
  async array(about) {
    const found = await this.raw(about);
    return about.type === "float16" ? fromHalf(found) : found;
  }

  /** A whole array as it is stored: halves stay Uint16Array. */
  async raw(about) {
    return this.part(about, 0, size(about.shape));
  }

  /** Elements `first` to `last` of an array, in its own type; halves become Float32Array. */
  async slice(about, first, last) {
    const found = await this.part(about, first, last);
    return about.type === "float16" ? fromHalf(found) : found;
  }

  async part(about, first, last) {
    const type = TYPES[about.type];
    if (!type) throw new Fault(`manifest.json names the number type '${about.type}', which this page does not know.`);
    const bytes = this.manifest.files[about.file];
    const from = about.offset + first * type.BYTES_PER_ELEMENT;
    const to = about.offset + last * type.BYTES_PER_ELEMENT;
    if (bytes === undefined || to > bytes) throw new Fault(`manifest.json does not fit ${about.file}: ${AGAIN}.`);
    if (to === from) return new type(0);
    if (bytes > WHOLE && !this.files.has(about.file)) {
      return new type(await this.source.range(about.file, from, to, bytes));
    }
    if (!this.files.has(about.file)) {
      const loading = this.source.range(about.file, 0, bytes, bytes);
      this.files.set(about.file, loading);
      loading.catch(() => this.files.delete(about.file));
    }
    return new type(await this.files.get(about.file), from, last - first);
  }
}

/** Number of elements of a shape. */
export function size(shape) {
  return shape.reduce((product, side) => product * side, 1);
}

/** Files beside the page, over HTTP. */
class Beside {
  constructor(base) {
    this.base = base;
  }

  async text(name) {
    return (await this.ask(name, {})).text();
  }

  async range(name, from, to, bytes) {
    const whole = from === 0 && to === bytes;
    const answer = await this.ask(name, whole ? {} : { Range: `bytes=${from}-${to - 1}` });
    let buffer;
    try {
      buffer = await answer.arrayBuffer();
    } catch {
      throw new Fault(`${name} was cut short on its way: reload the page, or ${AGAIN}.`);
    }
    // A host that knows no ranges sends the whole file.
    if (!whole && answer.status === 200 && buffer.byteLength === bytes) return buffer.slice(from, to);
    if (buffer.byteLength !== to - from) {
      throw new Fault(`${name} is cut short (${buffer.byteLength} of ${to - from} bytes came): ${AGAIN}.`);
    }
    return buffer;
  }

  async ask(name, headers) {
    let answer;
    try {
      answer = await fetch(new URL(name, this.base), { headers, credentials: "omit" });
    } catch {
      throw new Fault(`${name} could not be fetched: is 'inrlens explore' still running, or the host still there?`);
    }
    if (!answer.ok) throw new Fault(`${name} is missing from the bundle (status ${answer.status}): ${AGAIN}.`);
    return answer;
  }
}

/** Files inside the page, as base64. */
class Embedded {
  async range(name, from, to, bytes) {
    const element = document.getElementById(name);
    if (!element) throw new Fault(`${name} is missing from this page: export it again.`);
    const answer = Uint8Array.from(atob(element.textContent), (letter) => letter.charCodeAt(0)).buffer;
    if (answer.byteLength !== bytes) throw new Fault(`${name} is cut short in this page: export it again.`);
    return from === 0 && to === bytes ? answer : answer.slice(from, to);
  }
}
