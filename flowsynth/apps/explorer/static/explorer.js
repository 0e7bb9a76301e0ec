// Selection, controls, saving and matching. A position is what the server renders: {preset}, {between, t, through} or {z},
// optionally with macros. Pointing at a preset plays it; only the selected one is modified and saved.
import { data, drawMarkers, onSelect, setMapPosition } from "./explorer_map.js";
import { addPlayButton, clearStatus, element, fetchSound, play, post, showStatus, stop } from "./explorer_sound.js";

const between = element("between");
const state = { first: null, second: null, matched: null, lastMatch: null };

// selection
const sliders = [];
const resetSliders = () => { for (const slider of sliders) slider.value = 0; };
const hasMacros = () => sliders.some((slider) => Number(slider.value));
const basePosition = () => {
  if (state.matched) return { z: state.matched.z };
  if (!state.first) return null;
  if (!state.second) return { preset: state.first.id };
  const through = document.querySelector("input[name=through]:checked").value;
  return { between: [state.first.id, state.second.id], t: Number(between.value), through };
};
const position = () => {
  const macros = sliders.map((slider) => Number(slider.value));
  return macros.some(Boolean) ? { ...basePosition(), macros } : basePosition();
};
const selectionName = () => {
  const { first, second, matched } = state;
  const preset = second ? `${first.name} – ${second.name}, ${Math.round(between.value * 100)} %` : first?.name;
  return (matched ? `Match of ${matched.name}` : preset) + (hasMacros() ? ", modified" : "");
};
const update = () => {
  const { first, second } = state;
  const selected = Boolean(basePosition());
  element("name").textContent = selected ? selectionName() : "None";
  for (const id of ["play", "save-preset", "save-sound", "start-over"]) element(id).disabled = !selected;
  for (const slider of sliders) slider.disabled = !selected;
  element("reset").disabled = !hasMacros();
  between.disabled = !second;
  between.setAttribute("aria-valuetext", `${Math.round(between.value * 100)} % of B`);
  element("first").textContent = first ? `A: ${first.name}` : "A: click a dot";
  element("second").textContent = second ? `B: ${second.name}` : "B: click another";
  drawMarkers(state, Number(between.value));
};
const updateAndPlay = () => { update(); play(position(), element("play")); };
onSelect((preset) => {
  const { first, second } = state;
  if (first && !second && first !== preset) state.second = preset;
  else [state.first, state.second] = [preset, null];
  state.matched = null;
  between.value = 1;  // plays the preset that was clicked
  resetSliders();
  updateAndPlay();
});

// controls
data.macros.forEach((parameters, index) => {
  const label = document.createElement("label");
  const slider = Object.assign(document.createElement("input"), { type: "range", min: -data.macroLimit, max: data.macroLimit, step: 0.05 });
  slider.value = 0;
  slider.addEventListener("input", updateAndPlay);
  label.append(`${index + 1}. ${parameters}`, slider);
  element("macros").append(label);
  sliders.push(slider);
});
between.addEventListener("input", updateAndPlay);
for (const radio of document.querySelectorAll("input[name=through]")) {
  radio.addEventListener("change", () => { if (state.second) updateAndPlay(); });
}
element("reset").addEventListener("click", () => { resetSliders(); updateAndPlay(); });
element("start-over").addEventListener("click", () => {
  Object.assign(state, { first: null, second: null, matched: null });
  resetSliders();
  stop();
  update();
});
addPlayButton("play", position);
addPlayButton("target", () => ({ wav: state.lastMatch.wav }));
addPlayButton("prediction", () => ({ z: state.lastMatch.z }));

// saving
const download = (blob, suffix) => {
  const stem = selectionName().replace(/[^\p{L}\p{N}]+/gu, "_").slice(0, 60).replace(/^_|_$/g, "") || "sound";
  const link = Object.assign(document.createElement("a"), { href: URL.createObjectURL(blob), download: stem + suffix });
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
};
const addSaveButton = (id, createBlob, suffix) => element(id).addEventListener("click", async () => {
  try { download(await createBlob(), suffix); } catch (error) { showStatus(error.message, true); }
});
addSaveButton("save-preset", async () => (await post("bank", JSON.stringify({ ...position(), name: selectionName() }))).blob(), data.bankSuffix);
addSaveButton("save-sound", async () => new Blob([await fetchSound(position())], { type: "audio/wav" }), ".wav");

// matching
const NOTES = ["C", "C♯", "D", "E♭", "E", "F", "F♯", "G", "A♭", "A", "B♭", "B"];
const noteName = (pitch) => NOTES[pitch % 12] + (Math.floor(pitch / 12) - 1);
const matchFile = async (file) => {
  if (file.size > data.maxFileSize) {
    return showStatus(`${file.name} is too large. Please choose a file of up to ${data.maxFileSize / 2 ** 20} MiB.`, true);
  }
  try { await file.slice(0, 1).arrayBuffer(); } catch {
    return showStatus(`${file.name} can't be read. If it is a folder, please drop one of its files.`, true);
  }
  showStatus(`Matching ${file.name} …`);
  try {
    const matched = await (await post("match", file)).json();
    setMapPosition(matched);
    matched.name = file.name;
    matched.wav = Uint8Array.from(atob(matched.wav), (character) => character.charCodeAt(0)).buffer;
    Object.assign(state, { first: null, second: null, matched, lastMatch: matched });
    resetSliders();
    const direction = matched.shift < 0 ? "down" : "up";
    const pitch = matched.pitch === null ? "" : ` Estimated pitch ${noteName(Math.round(matched.pitch))}, shifted ${direction} by
      ${Math.abs(matched.shift).toFixed(1)} semitones to the rendered note.`;
    element("match-info").textContent = `${file.name}, preprocessed for the model, and its prediction.${pitch} ${matched.note && `Note: ${matched.note}.`}`;
    element("match-result").hidden = false;
    clearStatus();
    update();
    play({ z: matched.z }, element("prediction"));
  } catch (error) { showStatus(`${file.name}: ${error.message}`, true); }
};
element("file").addEventListener("change", (event) => {
  if (event.target.files.length) matchFile(event.target.files[0]);
  event.target.value = "";  // so that the same file can be chosen again
});
const setDragging = (dragging) => (event) => { event.preventDefault(); document.body.classList.toggle("dragging", dragging); };
document.addEventListener("dragover", setDragging(true));
document.addEventListener("dragleave", setDragging(false));
document.addEventListener("drop", (event) => {
  setDragging(false)(event);
  if (event.dataTransfer.files.length) matchFile(event.dataTransfer.files[0]);
});
update();
