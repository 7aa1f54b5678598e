// A freeze sweep of the manifest: which setting is shown, what it is in words, its picture.

import { fixed } from "inrlens/model/numbers.js";
import { pictureImage } from "inrlens/draw/raster.js";

/** 1.23 dB */
export const db = (value) => `${fixed(value, 2)}\u202fdB`;
/** SIREN */
export const upper = (backbone) => backbone.toUpperCase();

const frozen = (tau) => (tau === 0 ? "layer 0" : `layers 0 to ${tau}`);

/** The sweep that is shown, or null. */
export const sweepOf = (app) => app.manifest.freeze[app.state.freeze] ?? null;

/** The setting that is shown: the chosen one, else the one that the ranks advise, else the best. */
export function settingOf(app) {
  const { settings, network } = sweepOf(app);
  const tau = app.networkOf(network)?.tau;
  const best = settings.reduce((top, one) => (one.psnr > top.psnr ? one : top), settings[0]);
  return (
    settings.find((one) => one.label === app.state.setting) ??
    settings.find((one) => one.freeze === tau && one.rest === "reinit") ??
    best
  );
}

/** What a setting is, in words. */
export function settingWords({ label, freeze, rest }) {
  if (freeze === null) return label === "scratch" ? "nothing reused" : "nothing frozen, all layers start warm";
  return `${frozen(freeze)} frozen, the rest ${rest === "warm" ? "warm" : "reinitialised"}`;
}

/** PSNR of the fit that is pictured, where there is one fit a signal; NaN elsewhere. */
export const picturedPsnr = ({ signals }, { psnrs }) => (psnrs.length === signals.length ? psnrs[0] : NaN);

const pictures = new WeakMap();

/** A setting's picture, loaded once. @returns {Promise<ImageData|null>} */
export async function settingPicture(app, { picture }) {
  if (!picture) return null;
  if (!pictures.has(picture)) pictures.set(picture, read(app, picture));
  return pictures.get(picture);
}

async function read(app, about) {
  try {
    const [height, width, channels] = about.shape;
    const values = Float32Array.from(await app.bundle.raw(about), (value) => value / 255);
    return pictureImage(values, [height, width], channels);
  } catch (fault) {
    pictures.delete(about);
    app.fail(fault);
    return null;
  }
}
