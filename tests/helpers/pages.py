"""A small page with every element that a page can have, for tests of its files and in a browser."""

from pathlib import Path

import numpy as np
import pandas as pd
from PIL import Image

from flowsynth.report import html
from flowsynth.report.sections import Group, Sound
from flowsynth.synths import spec as synths

RATE = 22050
SYNTH, NAMES = synths.dataset("amsynth16")
FACTS = ("title", "run", "commands", "synth", "parameters", "selection", "missing")


def tone(pitch: float, level: float = 0.3, seconds: float = 4.0) -> np.ndarray:
    """A decaying sine."""
    time = np.arange(int(RATE * seconds)) / RATE
    return (level * np.sin(2 * np.pi * pitch * time) * np.exp(-time)).astype(np.float32)


def build(folder: Path) -> int:
    """Build a page: two sections, three groups, a missing model, a missing figure, and names that contain HTML."""
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
    steps = [Group("z0", "z0", "A line.", [sound(str(i), 200 + i) for i in range(3)], collapsed=True)]
    sections = [
        html.Section("reconstruction", "Audio reconstruction", "<p>Text</p>", groups),
        html.Section("macro_controls", "Macro-control learning", "<p>Text</p>", steps, "steps"),
    ]
    png = folder.parent / "figure.png"
    Image.new("RGB", (2000, 500), "white").save(png)
    png.with_suffix(".pdf").write_bytes(b"%PDF")
    figures = [html.Figure("A figure", "Dots <mean>.", path) for path in (png, folder.parent / "missing.png")]
    tables = {"Scores": pd.DataFrame({"Model": ["<script>cnn"], "MSE": ["1"]})}
    return html.build(folder, sections, tables, figures, SYNTH, NAMES, RATE, dict.fromkeys(FACTS, "fact"))
