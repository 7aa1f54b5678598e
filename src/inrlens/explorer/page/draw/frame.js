// Calls, put together: many changes between two frames are one redraw, and what is told waits for rest.

/**
 * A function that asks for `draw` in the next frame, once however often it is called.
 * @param {() => void} draw
 * @returns {() => void}
 */
export function perFrame(draw) {
  let asked = false;
  return () => {
    if (asked) return;
    asked = true;
    requestAnimationFrame(() => {
      asked = false;
      draw();
    });
  };
}

/**
 * A function that calls `tell` with its last argument once it has not been called for some milliseconds.
 * @param {(text: string) => void} tell
 * @param {number} pause
 * @returns {(text: string) => void}
 */
export function debounced(tell, pause) {
  let timer = 0;
  return (text) => {
    clearTimeout(timer);
    timer = setTimeout(() => tell(text), pause);
  };
}
