// Which network, signal and dictionary pane 0 shows, and their numbers in one line.

import { h, put } from "inrlens/dom.js";
import { count, fixed, short } from "inrlens/model/numbers.js";

/** Builds the choice. */
export function mount(host, app) {
  const { networks } = app.manifest;
  const runs = new Set(networks.map((one) => one.run));
  const shown = networks.filter((one) => one.signals.length);
  const network = pick((network) => app.setPane(0, { network }));
  const signal = pick((head) => app.setPane(0, { head: Number(head) }));
  const dictionary = pick((dictionary) => app.setPane(0, { dictionary }));
  const labels = [
    h("label", {}, "Network", network),
    h("label", {}, "Signal", signal),
    h("label", {}, "Layer", dictionary),
  ];
  const none = h("p", { class: "none" }, "no dictionary yet");
  const facts = h("p", { class: "facts" });
  put(host, labels, none, facts);
  fill(
    network,
    shown.map((one) => [one.id, networkWords(one, runs.size > 1)]),
  );

  const draw = () => {
    const scene = app.scene();
    const { signals, dictionaries } = scene.network;
    network.value = scene.network.id;
    fill(
      signal,
      signals.map((one) => [String(one.head), one.name]),
    );
    signal.value = String(scene.signal.head);
    fill(
      dictionary,
      dictionaries.map((one) => [one.id, one.name]),
    );
    dictionary.value = scene.dictionary?.id ?? "";
    labels[1].hidden = signals.length < 2;
    labels[2].hidden = !dictionaries.length;
    none.hidden = dictionaries.length > 0;
    put(
      facts,
      factsOf(scene).map((text) => [h("span", {}, text), " "]),
    );
  };
  app.on((changed) => changed.has("pane") && draw());
  draw();
}

const pick = (onchange) => h("select", { onchange: (event) => onchange(event.target.value) });

/** Gives a select its choices [[value, label], ..]; the same ones leave it alone, and with it the focus. */
function fill(select, choices) {
  const key = JSON.stringify(choices);
  if (select.dataset.key === key) return;
  select.dataset.key = key;
  put(
    select,
    choices.map(([value, text]) => h("option", { value }, text)),
  );
}

/** "cohort_siren (SIREN cohort of 10)", after the name of its run where there are several; "SirenNet (wrapped)". */
function networkWords({ name, run, kind, backbone, heads }, several) {
  if (kind === "wrapped") return `${name} (wrapped)`;
  const ran = several && !name.startsWith(`${run}: `) ? `${run}: ` : "";
  const kinds = { single: "single network", cohort: `cohort of ${heads}`, transfer: "transfer" };
  return `${ran}${name} (${backbone.toUpperCase()} ${kinds[kind] ?? kind})`;
}

function factsOf({ cut, signal, dictionary }) {
  const length = cut.sound && signal.rate ? [`${short(cut.points / signal.rate)}\u202fs`] : [];
  const facts = [cut.size, ...length, `PSNR ${fixed(signal.psnr, 2)}\u202fdB`];
  if (!dictionary) return facts;
  const { n_atoms, k, quality } = dictionary;
  facts.push(`${count(n_atoms)} atoms`, `k = ${k}`);
  if (Number.isFinite(quality.dead)) facts.push(`${count(Math.round(quality.dead * n_atoms))} dead`);
  if (Number.isFinite(quality.fvu)) facts.push(`FVU ${short(quality.fvu)}`);
  return facts;
}
