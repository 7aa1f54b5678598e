// Elements from code: text is always text, never markup.

/**
 * An element with properties, attributes, listeners and children.
 *
 * `h("button", {class: "quiet", onclick: go, "aria-pressed": true}, "Go")`: names that start with "on" are listeners;
 * `true` sets an empty attribute, `false` and `null` leave it out, except for aria-*, where they are words.
 * @param {string} tag
 * @param {Object} [attributes]
 * @param {...(Node|string|number|null|Array)} children
 * @returns {HTMLElement}
 */
export function h(tag, attributes = {}, ...children) {
  return fill(document.createElement(tag), attributes, children);
}

/** The same for SVG. */
export function s(tag, attributes = {}, ...children) {
  return fill(document.createElementNS("http://www.w3.org/2000/svg", tag), attributes, children);
}

/** Replaces what an element holds. */
export function put(element, ...children) {
  element.replaceChildren(...nodes(children));
}

function fill(element, attributes, children) {
  for (const [name, value] of Object.entries(attributes)) {
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else set(element, name, value);
  }
  element.append(...nodes(children));
  return element;
}

/** Sets one attribute as `h` does. */
export function set(element, name, value) {
  if (name.startsWith("aria-") && typeof value === "boolean") element.setAttribute(name, String(value));
  else if (value === false || value === null || value === undefined) element.removeAttribute(name);
  else element.setAttribute(name, value === true ? "" : String(value));
}

function nodes(children) {
  return children
    .flat(Infinity)
    .filter((child) => child !== null && child !== undefined && child !== false)
    .map((child) => (child instanceof Node ? child : String(child)));
}

/** A labelled select; `choices` is [[value, label], ..]. */
export function choose(label, choices, chosen, onchange, attributes = {}) {
  const select = h("select", { onchange: () => onchange(select.value), "aria-label": label, ...attributes });
  put(select, ...choices.map(([value, text]) => h("option", { value, selected: value === chosen }, text)));
  return select;
}
