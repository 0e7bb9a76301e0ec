// Requests to the server, and playback of one sound at a time.
export const element = (id) => document.getElementById(id);
const [SILENCE_THRESHOLD, CACHE_SIZE] = [1e-3, 100];
const status = element("status");
const SOUND_DISABLED = status.textContent;  // shown while the browser blocks sound
export const showStatus = (text, isError = false) => { status.textContent = text; status.classList.toggle("error", isError); };

// requests
export const post = async (address, body) => {
  let response;
  try { response = await fetch(address, { method: "POST", body }); } catch {
    throw new Error("The server does not respond. Is flowsynth explore still running?");
  }
  if (response.ok) return response;
  const unknown = () => ({ error: `The server returned status ${response.status}`, advice: "try again" });
  const { error, advice } = await response.json().catch(unknown);
  throw new Error(`${error}. Please ${advice}.`);
};
const cache = new Map();  // sound files by position, the least recently used first
export const fetchSound = async (position) => {
  const key = JSON.stringify(position);
  const file = cache.get(key) ?? await (await post("sound", key)).arrayBuffer();
  cache.delete(key);
  cache.set(key, file);
  if (cache.size > CACHE_SIZE) cache.delete(cache.keys().next().value);
  return file;
};

// playback
let context = null, gain = null, source = null, activeButton = null;
const enableSound = () => {  // browsers block sound until the first click or key
  if (!navigator.userActivation.hasBeenActive) return false;
  if (!context) {
    context = new AudioContext();
    gain = new GainNode(context, { gain: Number(element("volume").value) });
    gain.connect(context.destination);
    if (status.textContent === SOUND_DISABLED) showStatus("");
  }
  context.resume();
  return true;
};
const setPressed = (pressed) => { if (activeButton) activeButton.setAttribute("aria-pressed", pressed); };
const stopSource = () => {
  if (source) { source.onended = null; source.stop(); }
  setPressed(false);
  source = activeButton = null;
};
const startSource = async (file, button) => {
  const buffer = await context.decodeAudioData(file.slice(0));
  stopSource();
  source = new AudioBufferSourceNode(context, { buffer });
  source.connect(gain);
  source.onended = stopSource;
  source.start();
  activeButton = button;
  setPressed(true);
  const silent = buffer.getChannelData(0).every((value) => Math.abs(value) < SILENCE_THRESHOLD);
  showStatus(silent ? "This preset is silent at the rendered note." : "");
};
let pending = null, busy = false;
export const play = async (position, button = null) => {  // of requests in quick succession only the last is played
  if (!enableSound()) return;
  pending = { position, button };
  if (busy) return;
  busy = true;
  while (pending) {
    const current = pending;
    pending = null;
    try {
      const file = current.position.wav ?? await fetchSound(current.position);
      if (!pending) await startSource(file, current.button);
    } catch (error) { stopSource(); showStatus(error.message, true); }
  }
  busy = false;
};
export const stop = () => { pending = null; stopSource(); };
export const addPlayButton = (id, getPosition) => element(id).addEventListener("click", () => {
  if (activeButton === element(id)) stop(); else play(getPosition(), element(id));
});
export const clearStatus = () => showStatus(enableSound() ? "" : SOUND_DISABLED);
element("volume").addEventListener("input", (event) => { if (gain) gain.gain.value = Number(event.target.value); });
for (const type of ["pointerup", "keyup"]) document.addEventListener(type, enableSound);
document.addEventListener("keydown", (event) => { if (event.key === "Escape") stop(); });
