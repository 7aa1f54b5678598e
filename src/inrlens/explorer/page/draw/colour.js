// Colours of maps, the same as in reports: black is 0, light is large, readable in grey.

const STOPS = [
  [0, 0, 4],
  [66, 10, 104],
  [147, 38, 103],
  [221, 81, 58],
  [252, 165, 10],
  [252, 255, 164],
];

/** 256 colours of a heat map, as 0xAABBGGRR. */
export const HEAT = Uint32Array.from({ length: 256 }, (_, level) => {
  const place = (level / 255) * (STOPS.length - 1);
  const low = Math.min(STOPS.length - 2, Math.floor(place));
  const [red, green, blue] = STOPS[low].map((value, channel) =>
    Math.round(value + (place - low) * (STOPS[low + 1][channel] - value)),
  );
  return ((255 << 24) | (blue << 16) | (green << 8) | red) >>> 0;
});

/** The CSS colour of a share between 0 and 1. */
export function heatColour(share) {
  const colour = HEAT[Math.round(255 * Math.min(1, Math.max(0, share)))];
  return `rgb(${colour & 255} ${(colour >> 8) & 255} ${(colour >> 16) & 255})`;
}
