// Play one sound at a time. Within a group, another sound continues at the same position, at matched loudness.
(() => {
  const audio = new Audio();
  let playing = null;

  const show = (button, on) => {
    button.setAttribute("aria-pressed", on);
    const mel = button.closest("tr, li").querySelector(".mel");
    mel.style.setProperty("--on", on ? 0.9 : 0);
  };
  const stop = () => {
    audio.pause();
    if (playing) show(playing, false);
    playing = null;
  };
  const start = (button) => {
    const sameGroup = playing && playing.closest("details") === button.closest("details");
    const position = sameGroup ? audio.currentTime : 0;
    stop();
    audio.src = button.dataset.file;
    audio.volume = Number(button.dataset.volume);
    audio.currentTime = position;
    audio.play().catch((error) => { if (error.name !== "AbortError") { stop(); button.textContent = "playback failed"; } });
    playing = button;
    show(button, true);
  };
  const draw = () => {
    if (playing && audio.duration) {
      const mel = playing.closest("tr, li").querySelector(".mel");
      mel.style.setProperty("--at", audio.currentTime / audio.duration);
    }
    requestAnimationFrame(draw);
  };
  audio.addEventListener("ended", stop);
  document.addEventListener("click", (event) => {
    const button = event.target.closest("button.play");
    if (button) button === playing ? stop() : start(button);
  });
  document.addEventListener("keydown", (event) => {
    const step = { ArrowDown: 1, ArrowRight: 1, ArrowUp: -1, ArrowLeft: -1 }[event.key];
    const focused = document.activeElement.closest("button.play");
    if (!step || !focused) return;
    const buttons = [...focused.closest("details").querySelectorAll("button.play")];
    const next = buttons[buttons.indexOf(focused) + step];
    if (!next) return;
    event.preventDefault();
    next.focus();
    if (playing) start(next);
  });
  draw();
})();
