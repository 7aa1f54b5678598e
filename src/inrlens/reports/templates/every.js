"use strict";
// Shows the atom nearest to the pointer, or the next one in the ranking: its map on a canvas, its numbers beside it.
// Reads nothing but the page it stands in. Where the page's data do not fit together it throws, and the page stays as
// it was drawn.
(() => {
  const told = (element) => {
    if (element === null) throw new Error("an atlas lacks a part of its data");
    return element.content.textContent.trim();
  };
  const bytes = (text) => {
    const plain = atob(text);
    const found = new Uint8Array(plain.length);
    for (let at = 0; at < plain.length; at += 1) found[at] = plain.charCodeAt(at);
    return found;
  };

  // See reports/packed.py: gap, level, gap, level, ..., 0 for every atom.
  const startsOf = (stream, atoms) => {
    const starts = [];
    let at = 0;
    for (let atom = 0; atom < atoms; atom += 1) {
      starts.push(at);
      while (stream[at] !== 0) {
        if (at >= stream.length) throw new Error("an atlas ends before its last map");
        at += stream[at] < 128 ? 2 : 3;
      }
      at += 1;
    }
    if (at !== stream.length) throw new Error("an atlas holds more maps than atoms");
    return starts;
  };
  const painter = (canvas, stream, atoms, colours) => {
    const starts = startsOf(stream, atoms);
    const context = canvas.getContext("2d");
    const image = context.createImageData(canvas.width, canvas.height);
    const paint = (cell, level) => {
      for (let part = 0; part < 3; part += 1) image.data[4 * cell + part] = colours[3 * level + part];
      image.data[4 * cell + 3] = 255;
    };
    return (atom) => {
      const cells = canvas.width * canvas.height;
      for (let cell = 0; cell < cells; cell += 1) paint(cell, 0);
      let cell = -1;
      for (let at = starts[atom]; stream[at] !== 0; at += 1) {
        let gap = stream[at];
        if (gap >= 128) {
          at += 1;
          gap += 128 * (stream[at] - 1);
        }
        cell += gap;
        at += 1;
        if (cell >= cells) throw new Error("a map leaves its grid");
        paint(cell, stream[at]);
      }
      context.putImageData(image, 0, 0);
    };
  };

  const start = (cloud, colours) => {
    const part = (name) => cloud.querySelector(name);
    const units = Number(cloud.dataset.units), width = Number(cloud.dataset.width);
    const height = Number(cloud.dataset.height), atoms = Number(cloud.dataset.atoms);
    const raw = bytes(told(part("template.places")));
    const places = Array.from({ length: raw.length / 2 }, (_, at) => (raw[2 * at] + 256 * raw[2 * at + 1]) / units);
    const said = told(part("template.said")).split("\n").map((line) => line.split("\t"));
    if (places.length !== 2 * atoms || said.length !== atoms) throw new Error("an atlas does not name all its atoms");
    const canvas = part("canvas");
    const draw = painter(canvas, bytes(told(part("template.maps"))), atoms, colours);
    const sky = part(".sky"), ring = part(".ring"), card = part(".card"), values = card.querySelectorAll("dd");
    const [name, rank] = part(".who").children;
    let shown = -1;

    const show = (next) => {
      const atom = Math.max(0, Math.min(atoms - 1, next));
      if (atom === shown) return;
      shown = atom;
      const [number, ...facts] = said[atom];
      name.textContent = `Atom ${number}`;
      rank.textContent = `number ${atom + 1} of ${atoms} by cost`;
      values.forEach((value, at) => { value.textContent = facts[at]; });
      draw(atom);
      canvas.setAttribute("aria-label", `Map of atom ${number}`);
      ring.style.left = `${(100 * places[2 * atom]) / width}%`;
      ring.style.top = `${(100 * places[2 * atom + 1]) / height}%`;
      sky.setAttribute("aria-valuenow", String(atom + 1));
      sky.setAttribute("aria-valuetext", `atom ${number}, ${facts[0]} without it, active on ${facts[2]}`);
    };
    const nearest = (event) => {
      const box = sky.getBoundingClientRect();
      const x = ((event.clientX - box.left) / box.width) * width;
      const y = ((event.clientY - box.top) / box.height) * height;
      let best = 0, least = Infinity;
      for (let atom = 0; atom < atoms; atom += 1) {
        const far = (places[2 * atom] - x) ** 2 + (places[2 * atom + 1] - y) ** 2;
        if (far < least) [best, least] = [atom, far];
      }
      show(best);
    };
    const keys = {
      ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1, PageDown: 32, PageUp: -32, Home: -atoms, End: atoms,
    };

    sky.setAttribute("tabindex", "0");
    sky.setAttribute("role", "slider");
    sky.setAttribute("aria-label", "Atoms by what they cost, most first");
    sky.setAttribute("aria-valuemin", "1");
    sky.setAttribute("aria-valuemax", String(atoms));
    sky.addEventListener("pointermove", nearest);
    sky.addEventListener("pointerdown", nearest);
    sky.addEventListener("keydown", (event) => {
      if (event.ctrlKey || event.altKey || event.metaKey || !Object.hasOwn(keys, event.key)) return;
      event.preventDefault();
      show(shown + keys[event.key]);
    });
    for (const button of card.querySelectorAll("button")) {
      button.addEventListener("click", () => show(shown + Number(button.dataset.by)));
    }
    show(0);
    for (const hidden of [ring, card, cloud.parentElement.querySelector(".asking")]) hidden.hidden = false;
  };

  const colours = bytes(told(document.querySelector("#map-colours")));
  for (const cloud of document.querySelectorAll(".cloud")) start(cloud, colours);
})();
