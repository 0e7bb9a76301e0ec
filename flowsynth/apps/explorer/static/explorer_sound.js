// Asking the server, and playing what it answers: one sound at a time.
export const part = (id) => document.getElementById(id);
const [SILENT, KEPT] = [1e-3, 100];
const told = part("told");
const MUTE = told.textContent;  // what is said while browsers let nothing be heard
export const tell = (text, bad = false) => { told.textContent = text; told.classList.toggle("bad", bad); };

// asking
export const post = async (address, body) => {
  let answer;
  try { answer = await fetch(address, { method: "POST", body }); } catch {
    throw new Error("The server does not answer. Is flowsynth explore still running?");
  }
  if (answer.ok) return answer;
  const { what, do: advice } = await answer.json().catch(() => ({ what: `The server answers ${answer.status}`, do: "try again" }));
  throw new Error(`${what}. What to do: ${advice}.`);
};
const kept = new Map();  // files of sounds by place, the oldest first
export const sound = async (place) => {
  const key = JSON.stringify(place);
  const file = kept.get(key) ?? await (await post("sound", key)).arrayBuffer();
  kept.delete(key);
  kept.set(key, file);
  if (kept.size > KEPT) kept.delete(kept.keys().next().value);
  return file;
};

// playing
let context = null, gain = null, source = null, button = null;
const ready = () => {  // browsers are silent until somebody clicks or presses a key
  if (!navigator.userActivation.hasBeenActive) return false;
  if (!context) {
    context = new AudioContext();
    gain = new GainNode(context, { gain: Number(part("volume").value) });
    gain.connect(context.destination);
    if (told.textContent === MUTE) tell("");
  }
  context.resume();
  return true;
};
const press = (on) => { if (button) button.setAttribute("aria-pressed", on); };
const stop = () => {
  if (source) { source.onended = null; source.stop(); }
  press(false);
  source = button = null;
};
const start = async (file, from) => {
  const buffer = await context.decodeAudioData(file.slice(0));
  stop();
  source = new AudioBufferSourceNode(context, { buffer });
  source.connect(gain);
  source.onended = stop;
  source.start();
  button = from;
  press(true);
  const silent = buffer.getChannelData(0).every((value) => Math.abs(value) < SILENT);
  tell(silent ? "This makes no sound at the note that is played." : "");
};
let wanted = null, busy = false;
export const hear = async (place, from = null) => {  // of places wanted quickly one after another, only the last is heard
  if (!ready()) return;
  wanted = { place, from };
  if (busy) return;
  busy = true;
  while (wanted) {
    const now = wanted;
    wanted = null;
    try {
      const file = now.place.original ?? await sound(now.place);
      if (!wanted) await start(file, now.from);
    } catch (error) { stop(); tell(error.message, true); }
  }
  busy = false;
};
export const silence = () => { wanted = null; stop(); };
export const toggle = (id, what) => part(id).addEventListener("click", () => {
  if (button === part(id)) silence(); else hear(what(), part(id));
});
export const quiet = () => tell(ready() ? "" : MUTE);
part("volume").addEventListener("input", (event) => { if (gain) gain.gain.value = Number(event.target.value); });
for (const kind of ["pointerup", "keyup"]) document.addEventListener(kind, ready);
document.addEventListener("keydown", (event) => { if (event.key === "Escape") silence(); });
