// What is chosen, changed, saved and matched. A place is what the server is asked for: {preset}, {between, t, through} or {z},
// and with it the macro-controls. Pointing at a preset lets it be heard, choosing it makes it what is changed and saved.
import { locate, mark, shown, whenChosen } from "./explorer_map.js";
import { hear, part, post, quiet, silence, sound, tell, toggle } from "./explorer_sound.js";

const between = part("between");
const state = { first: null, second: null, matched: null, heard: null };

// what is chosen
const sliders = [];
const base = () => {
  if (state.matched) return { z: state.matched.z };
  if (!state.first) return null;
  if (!state.second) return { preset: state.first.id };
  const through = document.querySelector("input[name=through]:checked").value;
  return { between: [state.first.id, state.second.id], t: Number(between.value), through };
};
const place = () => {
  const macros = sliders.map((slider) => Number(slider.value));
  return macros.some(Boolean) ? { ...base(), macros } : base();
};
const name = () => {
  const { first, second, matched } = state;
  const way = second ? `${first.name} – ${second.name}, ${Math.round(between.value * 100)} %` : first?.name;
  const changed = sliders.some((slider) => Number(slider.value)) ? ", changed" : "";
  return (matched ? `Like ${matched.name}` : way) + changed;
};
const show = () => {
  const { first, second } = state;
  const some = Boolean(base());
  part("name").textContent = some ? name() : "Nothing yet";
  for (const id of ["play", "save-preset", "save-sound", "over"]) part(id).disabled = !some;
  for (const slider of sliders) slider.disabled = !some;
  part("reset").disabled = !sliders.some((slider) => Number(slider.value));
  between.disabled = !second;
  between.setAttribute("aria-valuetext", `${Math.round(between.value * 100)} % of B`);
  part("first").textContent = first ? `A: ${first.name}` : "A: click a dot";
  part("second").textContent = second ? `B: ${second.name}` : "B: click another";
  mark(state, Number(between.value));
};
const changed = () => { show(); hear(place(), part("play")); };
whenChosen((preset) => {
  const { first, second } = state;
  if (first && !second && first !== preset) state.second = preset;
  else [state.first, state.second] = [preset, null];
  state.matched = null;
  between.value = 1;  // what was clicked is heard
  for (const slider of sliders) slider.value = 0;
  changed();
});

// the controls
shown.macros.forEach((moves, number) => {
  const label = document.createElement("label");
  const slider = Object.assign(document.createElement("input"), { type: "range", min: -shown.reach, max: shown.reach, step: 0.05 });
  slider.value = 0;
  slider.addEventListener("input", changed);
  label.append(`${number + 1}. ${moves}`, slider);
  part("macros").append(label);
  sliders.push(slider);
});
between.addEventListener("input", changed);
for (const choice of document.querySelectorAll("input[name=through]")) {
  choice.addEventListener("change", () => { if (state.second) changed(); });
}
part("reset").addEventListener("click", () => { for (const slider of sliders) slider.value = 0; changed(); });
part("over").addEventListener("click", () => {
  Object.assign(state, { first: null, second: null, matched: null });
  for (const slider of sliders) slider.value = 0;
  silence();
  show();
});
toggle("play", place);
toggle("original", () => ({ original: state.heard.wav }));
toggle("matched", () => ({ z: state.heard.z }));

// saving
const save = (blob, suffix) => {
  const file = name().replace(/[^\p{L}\p{N}]+/gu, "_").slice(0, 60).replace(/^_|_$/g, "") || "sound";
  const link = Object.assign(document.createElement("a"), { href: URL.createObjectURL(blob), download: file + suffix });
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
};
const saving = (id, made, suffix) => part(id).addEventListener("click", async () => {
  try { save(await made(), suffix); } catch (error) { tell(error.message, true); }
});
saving("save-preset", async () => (await post("bank", JSON.stringify({ ...place(), name: name() }))).blob(), ".bank");
saving("save-sound", async () => new Blob([await sound(place())], { type: "audio/wav" }), ".wav");

// matching
const match = async (file) => {
  if (file.size > shown.largest) return tell(`${file.name} is too large. Take a file of up to ${shown.largest / 2 ** 20} MiB.`, true);
  try { await file.slice(0, 1).arrayBuffer(); } catch {
    return tell(`${file.name} can't be read. If it is a folder, drop one of its files.`, true);
  }
  tell(`Listening to ${file.name} …`);
  try {
    const heard = await (await post("match", file)).json();
    locate(heard);
    heard.name = file.name;
    heard.wav = Uint8Array.from(atob(heard.wav), (letter) => letter.charCodeAt(0)).buffer;
    Object.assign(state, { first: null, second: null, matched: heard, heard });
    for (const slider of sliders) slider.value = 0;
    const octave = (pitch) => ["C", "C♯", "D", "E♭", "E", "F", "F♯", "G", "A♭", "A", "B♭", "B"][pitch % 12] + (Math.floor(pitch / 12) - 1);
    const way = heard.shift < 0 ? "down" : "up";
    const moved = heard.pitch === null ? "" : ` Its pitch is about ${octave(Math.round(heard.pitch))}; it was moved
      ${way} by ${Math.abs(heard.shift).toFixed(1)} semitones to the note that is played.`;
    part("heard").textContent = `${file.name}, as the model heard it, and what it answers.${moved} ${heard.note && `Note: ${heard.note}.`}`;
    part("answer").hidden = false;
    quiet();
    show();
    hear({ z: heard.z }, part("matched"));
  } catch (error) { tell(`${file.name}: ${error.message}`, true); }
};
part("file").addEventListener("change", (event) => {
  if (event.target.files.length) match(event.target.files[0]);
  event.target.value = "";  // the same file again is a change, too
});
const over = (on) => (event) => { event.preventDefault(); document.body.classList.toggle("over", on); };
document.addEventListener("dragover", over(true));
document.addEventListener("dragleave", over(false));
document.addEventListener("drop", (event) => {
  over(false)(event);
  if (event.dataTransfer.files.length) match(event.dataTransfer.files[0]);
});
show();
