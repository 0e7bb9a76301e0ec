// The map: a dot for each preset, of which one can be pointed at, and what is marked on it.
import { hear, part } from "./explorer_sound.js";

const [WIDTH, HEIGHT, EDGE, NEAR] = [1000, 760, 40, 45];
const map = part("map");
export const shown = JSON.parse(part("shown").textContent);
let found = shown.presets, choose = null;
export const whenChosen = (action) => { choose = action; };

// places and dots
const drawn = (kind, given) => {
  const made = document.createElementNS("http://www.w3.org/2000/svg", kind);
  for (const [key, value] of Object.entries(given)) made.setAttribute(key, value);
  return made;
};
const range = (axis) => [Math.min(...shown.presets.map((p) => p[axis])), Math.max(...shown.presets.map((p) => p[axis]))];
const [[west, east], [south, north]] = [range("x"), range("y")];
export const locate = (thing) => {
  const inside = (value, size) => EDGE + Math.min(1, Math.max(0, value)) * (size - 2 * EDGE);
  thing.left = inside((thing.x - west) / (east - west || 1), WIDTH);
  thing.top = inside((north - thing.y) / (north - south || 1), HEIGHT);
};
for (const preset of shown.presets) {
  preset.name = preset.name.trim() || "without a name";
  locate(preset);
  preset.dot = drawn("circle", { cx: preset.left, cy: preset.top, r: 9, tabindex: -1, role: "button", "aria-label": preset.name });
  preset.dot.addEventListener("focus", () => point(preset, true));
  map.append(preset.dot);
}
const above = map.appendChild(drawn("g", {}));  // dots hide one another: what is pointed at has a ring above all
const ring = above.appendChild(drawn("circle", { class: "ring", r: 16, visibility: "hidden" }));
const marks = map.appendChild(drawn("g", {}));

// what is marked: the chosen ends, the way between them, a sound that was matched
export const mark = ({ first, second, matched }, t) => {
  for (const preset of shown.presets) {
    preset.dot.classList.toggle("chosen", preset === first || preset === second);
    preset.dot.setAttribute("aria-pressed", preset === first || preset === second);
  }
  marks.replaceChildren();
  const add = (kind, given, text = "") => { marks.appendChild(drawn(kind, given)).textContent = text; };
  const letter = (thing, text) => add("text", { x: thing.left, y: thing.top + (thing.top < 60 ? 45 : -20) }, text);
  if (second) {
    const mix = (side) => (1 - t) * first[side] + t * second[side];
    add("line", { x1: first.left, y1: first.top, x2: second.left, y2: second.top });
    add("circle", { class: "here", r: 18, cx: mix("left"), cy: mix("top") });
    letter(second, "B");
  }
  if (first) letter(first, "A");
  if (matched) {
    add("circle", { class: "here", r: 18, cx: matched.left, cy: matched.top });
    letter(matched, "your sound");
  }
};

// pointing
let pointed = null;
const reach = (preset) => { for (const { dot } of shown.presets) dot.tabIndex = dot === preset?.dot ? 0 : -1; };  // by Tab
const point = (preset, focused = false) => {
  if (preset === pointed && !focused) return;
  pointed?.dot.classList.remove("pointed");
  pointed = preset;
  part("pointed").hidden = !preset;
  ring.setAttribute("visibility", preset ? "visible" : "hidden");
  if (!preset) return;
  ring.setAttribute("cx", preset.left);
  ring.setAttribute("cy", preset.top);
  preset.dot.classList.add("pointed");
  reach(preset);
  const label = part("pointed"), right = preset.left > WIDTH / 2, low = preset.top > HEIGHT / 2;
  label.textContent = preset.name;
  label.style[right ? "right" : "left"] = `${100 * (right ? WIDTH - preset.left + 20 : preset.left + 20) / WIDTH}%`;
  label.style[low ? "bottom" : "top"] = `${100 * (low ? HEIGHT - preset.top + 20 : preset.top + 20) / HEIGHT}%`;
  label.style[right ? "left" : "right"] = label.style[low ? "top" : "bottom"] = "auto";
  hear({ preset: preset.id });
};
const nearest = (event) => {
  const box = map.getBoundingClientRect(), scale = WIDTH / box.width;
  const [x, y] = [(event.clientX - box.left) * scale, (event.clientY - box.top) * scale];
  const far = (preset) => Math.hypot(preset.left - x, preset.top - y);
  const best = found.length ? found.reduce((a, b) => (far(b) < far(a) ? b : a)) : null;
  return best && far(best) < Math.max(NEAR, 22 * scale) ? best : null;
};
const next = (from, key) => {
  const [across, down] = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] }[key] ?? [0, 0];
  const paged = { PageDown: 1, PageUp: -1 }[key];
  if (paged) return found.at((found.indexOf(from) + paged) % found.length);
  let best = null, least = Infinity;
  for (const preset of found) {
    const [x, y] = [preset.left - from.left, preset.top - from.top];
    const along = x * across + y * down, aside = Math.abs(x * down) + Math.abs(y * across);
    if (along > 0 && aside <= along && along + aside < least) [best, least] = [preset, along + aside];
  }
  return best;
};
map.addEventListener("pointermove", (event) => { if (event.pointerType !== "touch") point(nearest(event)); });
map.addEventListener("pointerleave", () => point(null));
map.addEventListener("click", (event) => {
  const preset = nearest(event);
  if (!preset) return;
  point(preset);
  preset.dot.focus({ preventScroll: true });
  choose(preset);
});
map.addEventListener("keydown", (event) => {
  const from = shown.presets.find((preset) => preset.dot === document.activeElement);
  if (!from) return;
  const to = next(from, event.key);
  if (to) to.dot.focus();
  else if (event.key === "Enter" || event.key === " ") choose(from);
  else if (!event.key.startsWith("Arrow")) return;
  event.preventDefault();
});
reach(found[0]);

// finding: of presets whose names lack a word only a trace is left
part("find").addEventListener("input", (event) => {
  const words = event.target.value.toLowerCase().split(/\s+/).filter(Boolean);
  const has = (preset) => words.every((word) => preset.name.toLowerCase().includes(word));
  found = shown.presets.filter(has);
  for (const preset of shown.presets) preset.dot.classList.toggle("out", !has(preset));
  part("found").textContent = words.length ? `${found.length} of ${shown.presets.length}` : "";
  point(null);
  reach(found[0]);
});
part("find").addEventListener("keydown", (event) => { if (event.key === "Enter") found[0]?.dot.focus(); });
