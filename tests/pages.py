"""A small page with all that a page can have, for tests of its files and in a browser."""

from pathlib import Path

import numpy as np
import pandas as pd
from PIL import Image

from flowsynth.report import html
from flowsynth.report.sections import Group, Sound
from flowsynth.synths import spec as synths

RATE = 22050
SYNTH, NAMES = synths.dataset("amsynth16")


def tone(pitch: float, level: float = 0.3, seconds: float = 4.0) -> np.ndarray:
    """A sine that dies away."""
    time = np.arange(int(RATE * seconds)) / RATE
    return (level * np.sin(2 * np.pi * pitch * time) * np.exp(-time)).astype(np.float32)


def make(folder: Path) -> int:
    """Write a page of two sections, three groups, a missing model, two figures, one of them missing, and names with HTML."""
    rng = np.random.default_rng(0)

    def sound(label: str, pitch: float) -> Sound:
        return Sound(label, tone(pitch), rng.random(16).astype(np.float32), rng.random(16).astype(np.float32), 0.5)

    missing = Sound("mlp", None, missing="train: loss = <nan>")
    groups = [
        Group(
            key,
            f"“{key} <b onclick=alert(1)>”",
            "Why & what",
            [Sound("original", tone(220)), sound("cnn", 440), missing],
        )
        for key in "ab"
    ]
    steps = [Group("z0", "z0", "A line.", [sound(str(i), 200 + i) for i in range(3)], folded=True)]
    sections = [
        html.Section("reconstruction", "Audio reconstruction", "<p>Text</p>", groups),
        html.Section("macro_controls", "Macro-control learning", "<p>Text</p>", steps, "steps"),
    ]
    drawn = folder.parent / "drawn.png"
    Image.new("RGB", (2000, 500), "white").save(drawn)
    drawn.with_suffix(".pdf").write_bytes(b"%PDF")
    figures = [html.Figure("A figure", "Dots <mean>.", path) for path in (drawn, folder.parent / "not_drawn.png")]
    facts = dict.fromkeys(("title", "run", "commands", "synth", "parameters", "chosen", "missing"), "said")
    tables = {"Scores": pd.DataFrame({"Model": ["<script>cnn"], "MSE": ["1"]})}
    return html.build(folder, sections, tables, figures, SYNTH, NAMES, RATE, facts)
