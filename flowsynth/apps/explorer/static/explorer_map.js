// The map: a dot for each preset, the preset under the pointer, and markers of the selection.
import { element, play } from "./explorer_sound.js";

const [WIDTH, HEIGHT, MARGIN, POINTING_DISTANCE] = [1000, 760, 40, 45];
const map = element("map");
export const data = JSON.parse(element("page-data").textContent);
const { presets } = data;
let matches = presets, selectPreset = null;  // matches: presets whose names match the search
export const onSelect = (handler) => { selectPreset = handler; };

// positions and dots
const createShape = (type, attributes) => {
  const shape = document.createElementNS("http://www.w3.org/2000/svg", type);
  for (const [key, value] of Object.entries(attributes)) shape.setAttribute(key, value);
  return shape;
};
const extent = (axis) => [Math.min(...presets.map((p) => p[axis])), Math.max(...presets.map((p) => p[axis]))];
const [[west, east], [south, north]] = [extent("x"), extent("y")];
export const setMapPosition = (point) => {
  const scale = (value, size) => MARGIN + Math.min(1, Math.max(0, value)) * (size - 2 * MARGIN);
  point.left = scale((point.x - west) / (east - west || 1), WIDTH);
  point.top = scale((north - point.y) / (north - south || 1), HEIGHT);
};
for (const preset of presets) {
  preset.name = preset.name.trim() || "unnamed";
  setMapPosition(preset);
  preset.dot = createShape("circle", { cx: preset.left, cy: preset.top, r: 9, tabindex: -1, role: "button", "aria-label": preset.name });
  preset.dot.addEventListener("focus", () => pointAt(preset, true));
  map.append(preset.dot);
}
const overlay = map.appendChild(createShape("g", {}));  // dots overlap: the ring is above all of them
const ring = overlay.appendChild(createShape("circle", { class: "ring", r: 16, visibility: "hidden" }));
const markers = map.appendChild(createShape("g", {}));

// markers: the selected presets, the line between them, a matched sound
export const drawMarkers = ({ first, second, matched }, t) => {
  for (const preset of presets) {
    preset.dot.classList.toggle("selected", preset === first || preset === second);
    preset.dot.setAttribute("aria-pressed", preset === first || preset === second);
  }
  markers.replaceChildren();
  const add = (type, attributes, text = "") => { markers.appendChild(createShape(type, attributes)).textContent = text; };
  const addLabel = (point, text) => add("text", { x: point.left, y: point.top + (point.top < 60 ? 45 : -20) }, text);
  if (second) {
    const interpolate = (side) => (1 - t) * first[side] + t * second[side];
    add("line", { x1: first.left, y1: first.top, x2: second.left, y2: second.top });
    add("circle", { class: "position", r: 18, cx: interpolate("left"), cy: interpolate("top") });
    addLabel(second, "B");
  }
  if (first) addLabel(first, "A");
  if (matched) {
    add("circle", { class: "position", r: 18, cx: matched.left, cy: matched.top });
    addLabel(matched, "your sound");
  }
};

// pointing
let pointed = null;
const setTabStop = (preset) => { for (const { dot } of presets) dot.tabIndex = dot === preset?.dot ? 0 : -1; };
const pointAt = (preset, focused = false) => {
  if (preset === pointed && !focused) return;
  pointed?.dot.classList.remove("pointed");
  pointed = preset;
  element("tooltip").hidden = !preset;
  ring.setAttribute("visibility", preset ? "visible" : "hidden");
  if (!preset) return;
  ring.setAttribute("cx", preset.left);
  ring.setAttribute("cy", preset.top);
  preset.dot.classList.add("pointed");
  setTabStop(preset);
  const tooltip = element("tooltip"), right = preset.left > WIDTH / 2, low = preset.top > HEIGHT / 2;
  tooltip.textContent = preset.name;
  tooltip.style[right ? "right" : "left"] = `${100 * (right ? WIDTH - preset.left + 20 : preset.left + 20) / WIDTH}%`;
  tooltip.style[low ? "bottom" : "top"] = `${100 * (low ? HEIGHT - preset.top + 20 : preset.top + 20) / HEIGHT}%`;
  tooltip.style[right ? "left" : "right"] = tooltip.style[low ? "top" : "bottom"] = "auto";
  play({ preset: preset.id });
};
const nearestPreset = (event) => {
  const box = map.getBoundingClientRect(), scale = WIDTH / box.width;
  const [x, y] = [(event.clientX - box.left) * scale, (event.clientY - box.top) * scale];
  const distance = (preset) => Math.hypot(preset.left - x, preset.top - y);
  const nearest = matches.length ? matches.reduce((a, b) => (distance(b) < distance(a) ? b : a)) : null;
  return nearest && distance(nearest) < Math.max(POINTING_DISTANCE, 22 * scale) ? nearest : null;
};
const nextPreset = (current, key) => {
  const [right, down] = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] }[key] ?? [0, 0];
  const step = { PageDown: 1, PageUp: -1 }[key];
  if (step) return matches.at((matches.indexOf(current) + step) % matches.length);
  let next = null, least = Infinity;
  for (const preset of matches) {
    const [x, y] = [preset.left - current.left, preset.top - current.top];
    const along = x * right + y * down, across = Math.abs(x * down) + Math.abs(y * right);
    if (along > 0 && across <= along && along + across < least) [next, least] = [preset, along + across];
  }
  return next;
};
map.addEventListener("pointermove", (event) => { if (event.pointerType !== "touch") pointAt(nearestPreset(event)); });
map.addEventListener("pointerleave", () => pointAt(null));
map.addEventListener("click", (event) => {
  const preset = nearestPreset(event);
  if (!preset) return;
  pointAt(preset);
  preset.dot.focus({ preventScroll: true });
  selectPreset(preset);
});
map.addEventListener("keydown", (event) => {
  const current = presets.find((preset) => preset.dot === document.activeElement);
  if (!current) return;
  const next = nextPreset(current, event.key);
  if (next) next.dot.focus();
  else if (event.key === "Enter" || event.key === " ") selectPreset(current);
  else if (!event.key.startsWith("Arrow")) return;
  event.preventDefault();
});
setTabStop(matches[0]);

// search: presets whose names do not match all words are faded
element("find").addEventListener("input", (event) => {
  const words = event.target.value.toLowerCase().split(/\s+/).filter(Boolean);
  const isMatch = (preset) => words.every((word) => preset.name.toLowerCase().includes(word));
  matches = presets.filter(isMatch);
  for (const preset of presets) preset.dot.classList.toggle("faded", !isMatch(preset));
  element("find-count").textContent = words.length ? `${matches.length} of ${presets.length}` : "";
  pointAt(null);
  setTabStop(matches[0]);
});
element("find").addEventListener("keydown", (event) => { if (event.key === "Enter") matches[0]?.dot.focus(); });
