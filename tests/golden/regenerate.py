"""Golden values: what presets, splits, renderings, features and metrics are today. Run this file to write them anew."""

import hashlib
import json
import sys
from pathlib import Path

import numpy as np

from flowsynth import presets, synths
from flowsynth.rendering.host import Note
from flowsynth.rendering.render import render

PATH = Path(__file__).with_name("values.json")
NOTE = Note(22050, 512, 60, 100, 3.0, 4.0)


def digest(texts: list[str]) -> str:
    return hashlib.sha256("\n".join(texts).encode()).hexdigest()


def compute() -> dict:
    """All golden values, computed now."""
    found: dict = {"presets": {}, "split": {}, "render": {}, "metrics": {}}
    for name in ("amsynth16", "amsynth30", "amsynth41"):
        synth, names = synths.dataset(name)
        table, counts = presets.collect(synth, names)
        found["presets"][name] = {"ids": digest(table["id"].tolist()), **counts}
    chosen, _ = presets.collect(synth, synth.names, limit=8, seed=1)
    results = list(render(synth, NOTE, chosen[list(synth.names)].to_numpy(), 20))  # before torch is imported

    from flowsynth.data.features import Mel, numpy_mel
    from flowsynth.data.splits import assign_parts
    from flowsynth.metrics import registry

    ids = table["id"].tolist()
    for fold in range(2):
        parts = assign_parts(ids, np.arange(len(ids)), 1, fold)
        found["split"][f"random{fold}"] = digest([i for i, part in zip(ids, parts, strict=True) if part == "test"])
    audio = np.stack([result.audio for result in results])
    power = numpy_mel(Mel(NOTE.sample_rate), audio)
    for name, log in zip(chosen["id"], np.log(power + 1e-3), strict=True):
        found["render"][name] = log.reshape(8, 8, 4, 20).mean(axis=(1, 3)).round(6).tolist()
    values = chosen[list(synth.names)].to_numpy(dtype=np.float32)
    pairs = {
        "parameters": (values, values[::-1]),
        "spectral": (power, power[::-1]),
        "audio": (audio, audio[::-1], NOTE.sample_rate),
    }
    for metric in registry().values():
        found["metrics"][metric.name] = metric.function(*pairs[metric.domain]).tolist()
    return found


if __name__ == "__main__":
    PATH.write_text(json.dumps(compute(), indent=1) + "\n")
    sys.exit(0)
