// A place is what the server is asked for: {preset}, {between, t, through} or {z}, and with it the macro-controls.
// One sound plays at a time. Pointing at a preset lets it be heard, choosing it makes it what is changed and saved.
(() => {
  const shown = JSON.parse(document.getElementById("shown").textContent);
  const part = (id) => document.getElementById(id);
  const map = part("map"), between = part("between"), told = part("told");
  const [WIDTH, HEIGHT, EDGE, NEAR, SILENT, KEPT] = [1000, 760, 40, 45, 1e-3, 100];
  const state = { first: null, second: null, matched: null };
  const MUTE = told.textContent;  // what is said while browsers let nothing be heard
  const tell = (text, bad = false) => { told.textContent = text; told.classList.toggle("bad", bad); };

  // asking the server
  const post = async (address, body) => {
    let answer;
    try { answer = await fetch(address, { method: "POST", body }); } catch {
      throw new Error("The server does not answer. Is flowsynth explore still running?");
    }
    if (answer.ok) return answer;
    const { what, do: advice } = await answer.json().catch(() => ({ what: `The server answers ${answer.status}`, do: "try again" }));
    throw new Error(`${what}. What to do: ${advice}.`);
  };
  const kept = new Map();  // files of sounds by place, the oldest first
  const sound = async (place) => {
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
  const hear = async (place, from = null) => {  // of places that are wanted quickly one after another, only the last is heard
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
  const silence = () => { wanted = null; stop(); };

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
    const { first, second, matched } = state;
    const some = Boolean(base());
    part("name").textContent = some ? name() : "Nothing yet";
    for (const id of ["play", "save-preset", "save-sound", "over"]) part(id).disabled = !some;
    for (const slider of sliders) slider.disabled = !some;
    part("reset").disabled = !sliders.some((slider) => Number(slider.value));
    between.disabled = !second;
    between.setAttribute("aria-valuetext", `${Math.round(between.value * 100)} % of B`);
    part("first").textContent = first ? `A: ${first.name}` : "A: click a dot";
    part("second").textContent = second ? `B: ${second.name}` : "B: click another";
    for (const preset of shown.presets) {
      preset.dot.classList.toggle("chosen", preset === first || preset === second);
      preset.dot.setAttribute("aria-pressed", preset === first || preset === second);
    }
    marks.replaceChildren();
    const mark = (kind, given, text = "") => {
      const made = marks.appendChild(drawn(kind, given));
      made.textContent = text;
    };
    const letter = (preset, text) => mark("text", { x: preset.left, y: preset.top + (preset.top < 60 ? 45 : -20) }, text);
    if (second) {
      const t = Number(between.value);
      const mix = (side) => (1 - t) * first[side] + t * second[side];
      mark("line", { x1: first.left, y1: first.top, x2: second.left, y2: second.top });
      mark("circle", { class: "here", r: 18, cx: mix("left"), cy: mix("top") });
      letter(second, "B");
    }
    if (first) letter(first, "A");
    if (matched) {
      mark("circle", { class: "here", r: 18, cx: matched.left, cy: matched.top });
      letter(matched, "your sound");
    }
  };
  const changed = () => { show(); hear(place(), part("play")); };
  const choose = (preset) => {
    const { first, second } = state;
    if (first && !second && first !== preset) state.second = preset;
    else [state.first, state.second] = [preset, null];
    state.matched = null;
    between.value = 1;  // what was clicked is heard
    for (const slider of sliders) slider.value = 0;
    changed();
  };

  // the map
  const drawn = (kind, given) => {
    const made = document.createElementNS("http://www.w3.org/2000/svg", kind);
    for (const [key, value] of Object.entries(given)) made.setAttribute(key, value);
    return made;
  };
  const range = (axis) => [Math.min(...shown.presets.map((p) => p[axis])), Math.max(...shown.presets.map((p) => p[axis]))];
  const [[west, east], [south, north]] = [range("x"), range("y")];
  const locate = (thing) => {
    const inside = (value, size) => EDGE + Math.min(1, Math.max(0, value)) * (size - 2 * EDGE);
    thing.left = inside((thing.x - west) / (east - west || 1), WIDTH);
    thing.top = inside((north - thing.y) / (north - south || 1), HEIGHT);
  };
  const marks = drawn("g", {});
  for (const preset of shown.presets) {
    preset.name = preset.name.trim() || "without a name";
    locate(preset);
    preset.dot = drawn("circle", { cx: preset.left, cy: preset.top, r: 9, tabindex: -1, role: "button", "aria-label": preset.name });
    preset.dot.addEventListener("focus", () => point(preset, true));
    map.append(preset.dot);
  }
  const above = map.appendChild(drawn("g", {}));  // dots hide one another: what is pointed at has a ring above all
  const ring = above.appendChild(drawn("circle", { class: "ring", r: 16, visibility: "hidden" }));
  map.append(marks);
  let pointed = null;
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
    for (const { dot } of shown.presets) dot.tabIndex = dot === preset.dot ? 0 : -1;
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
    const best = shown.presets.reduce((a, b) => (far(b) < far(a) ? b : a));
    return far(best) < Math.max(NEAR, 22 * scale) ? best : null;
  };
  const next = (from, key) => {
    const [across, down] = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] }[key] ?? [0, 0];
    const paged = { PageDown: 1, PageUp: -1 }[key];
    const all = shown.presets;
    if (paged) return all[(all.indexOf(from) + paged + all.length) % all.length];
    let best = null, least = Infinity;
    for (const preset of all) {
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
  if (shown.presets.length) shown.presets[0].dot.tabIndex = 0;

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
  part("volume").addEventListener("input", (event) => { if (gain) gain.gain.value = Number(event.target.value); });
  const toggle = (id, what) => part(id).addEventListener("click", () => { button === part(id) ? silence() : hear(what(), part(id)); });
  toggle("play", place);
  toggle("original", () => ({ original: state.heard.wav }));
  toggle("matched", () => ({ z: state.heard.z }));
  for (const kind of ["pointerup", "keyup"]) document.addEventListener(kind, ready);
  document.addEventListener("keydown", (event) => { if (event.key === "Escape") silence(); });

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
      tell(ready() ? "" : MUTE);
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
})();
