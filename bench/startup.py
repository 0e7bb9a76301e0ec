"""Start-up: CPU seconds until the script of a stage has imported what it needs, and first used what loads late.

The baseline of a stage is the same start with the libraries that it once imported and is kept from by code of our own:
librosa for filter banks and windows. That of a training, which once imported Lightning, is torch alone.
"""

import os
import statistics
import subprocess
import sys
from pathlib import Path

from report import row

ROOT = Path(__file__).resolve().parents[1]
ROUNDS = 3
LIBROSA = "import librosa; librosa.filters.mel(sr=22050, n_fft=2048); librosa.filters.get_window('hann', 2048)\n"
USE = "from flowsynth.data.features import Mel; Mel(22050)\n"
# by stage: what the script uses first beside its imports, and what the baseline has beside that
STAGES = {
    "train": ("from flowsynth.training import loop\n", None),
    "features": (USE, LIBROSA),
    "infer": (USE, LIBROSA),
    "score": (USE, LIBROSA),
    "render": ("", None),
    "tables": ("", "import torch, librosa\n"),
    "draw": ("import flowsynth.figures.scores\n", "import torch, librosa\n"),
}


def cpu(code: str) -> float:
    """CPU seconds of a Python process that runs some code."""
    process = subprocess.Popen([sys.executable, "-c", code], cwd=ROOT, env=os.environ | {"PYTHONPATH": str(ROOT)})
    _, status, usage = os.wait4(process.pid, 0)
    if status:
        sys.exit(f"error: ended with status {status}: {code}")
    return usage.ru_utime + usage.ru_stime


def main() -> None:
    ways: dict[str, str] = {"python": "", "torch": "import torch\n"}
    for stage, (use, beside) in STAGES.items():
        imports = (ROOT / "workflow" / "scripts" / f"{stage}.py").read_text().partition("\nwith job(")[0]
        ways[stage] = f"{imports}\n{use}"
        if beside:
            ways[f"{stage} and before"] = f"{imports}\n{use}{beside}"
    taken: dict[str, list[float]] = {way: [] for way in ways}
    for code in ways.values():
        cpu(code)
    for _ in range(ROUNDS):
        for way, code in ways.items():
            taken[way].append(cpu(code))
    for stage, (_, beside) in STAGES.items():
        baseline = f"{stage} and before" if beside else "torch"
        ratio = statistics.median(b / a for a, b in zip(taken[stage], taken[baseline], strict=True))
        name = "with librosa or torch" if beside else "import torch"
        row(f"start_{stage}", statistics.median(taken[stage]), "CPU s", name, ratio)


if __name__ == "__main__":
    main()
