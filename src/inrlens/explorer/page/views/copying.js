// A text to take along.

import { h } from "inrlens/dom.js";

/** Milliseconds that "copied" stays. */
const COPIED = 1500;

/**
 * A button that copies a text and says so in its place for a moment; without a clipboard, a field to copy from.
 * @param {string} label
 * @param {() => string} text
 */
export function copyButton(label, text) {
  const field = h("input", { type: "text", readonly: true, hidden: true, "aria-label": `${label}: the text` });
  const told = h("span", { class: "unseen", role: "status" });
  const button = h("button", { type: "button" }, label);
  let timer = 0;
  const copied = () => {
    field.hidden = true;
    button.style.minWidth = `${button.offsetWidth}px`;
    button.textContent = told.textContent = "copied";
    clearTimeout(timer);
    timer = setTimeout(() => {
      button.textContent = label;
      told.textContent = button.style.minWidth = "";
    }, COPIED);
  };
  const offer = () => {
    field.value = text();
    field.hidden = false;
    field.focus();
    field.select();
  };
  button.addEventListener("click", () => {
    if (!navigator.clipboard) offer();
    else navigator.clipboard.writeText(text()).then(copied, offer);
  });
  return h("span", { class: "copying" }, button, told, field);
}
