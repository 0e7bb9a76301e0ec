"""Golden values of presets, splits, renderings, features and metrics. Run this file to regenerate them."""

import hashlib
import json
import sys
from pathlib import Path

import numpy as np

from flowsynth.data import presets
from flowsynth.rendering.host import Note
from flowsynth.rendering.render import render
from flowsynth.synths.spec import dataset

PATH = Path(__file__).with_name("values.json")
NOTE = Note(22050, 512, 60, 100, 3.0, 4.0)


def digest(texts: list[str]) -> str:
    return hashlib.sha256("\n".join(texts).encode()).hexdigest()


def compute() -> dict:
    """Compute all golden values."""
    golden: dict = {"presets": {}, "split": {}, "render": {}, "metrics": {}}
    for name in ("amsynth16", "amsynth30", "amsynth41"):
        synth, names = dataset(name)
        table, counts = presets.collect(synth, names)
        golden["presets"][name] = {"ids": digest(table["id"].tolist()), **counts}
    rendered, _ = presets.collect(synth, synth.names, limit=8, seed=1)
    results = list(render(synth, NOTE, rendered[list(synth.names)].to_numpy(), 20))  # before torch is imported

    from flowsynth.data.features import Mel, numpy_mel
    from flowsynth.data.splits import assign_parts
    from flowsynth.metrics import registry

    ids = table["id"].tolist()
    for fold in range(2):
        parts = assign_parts(ids, np.arange(len(ids)), 1, fold)
        golden["split"][f"random{fold}"] = digest([i for i, part in zip(ids, parts, strict=True) if part == "test"])
    audio = np.stack([result.audio for result in results])
    power = numpy_mel(Mel(NOTE.sample_rate), audio)
    for name, log_mel in zip(rendered["id"], np.log(power + 1e-3), strict=True):
        golden["render"][name] = log_mel.reshape(8, 8, 4, 20).mean(axis=(1, 3)).round(6).tolist()
    values = rendered[list(synth.names)].to_numpy(dtype=np.float32)
    pairs = {
        "parameters": (values, values[::-1]),
        "spectral": (power, power[::-1]),
        "audio": (audio, audio[::-1], NOTE.sample_rate),
    }
    for metric in registry().values():
        golden["metrics"][metric.name] = metric.function(*pairs[metric.domain]).tolist()
    return golden


if __name__ == "__main__":
    PATH.write_text(json.dumps(compute(), indent=1) + "\n")
    sys.exit(0)
