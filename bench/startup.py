"""Start-up time of scripts: CPU seconds for their imports and for the first use of lazily loaded modules.

The baseline of a stage is the same start with the libraries that the package avoids: librosa for filter banks and windows,
torch for tables and figures. For training, which previously imported Lightning, it is the import of torch alone.
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
# by script: code run after the imports of the script, and additional code of the baseline
STAGES = {
    "training/train": ("from flowsynth.training import loop\n", None),
    "data/features": (USE, LIBROSA),
    "inference/predict": (USE, LIBROSA),
    "evaluation/score": (USE, LIBROSA),
    "data/render": ("", None),
    "evaluation/summarise_scores": ("", "import torch, librosa\n"),
    "figures/draw": ("import flowsynth.figures.scores\n", "import torch, librosa\n"),
}


def cpu_seconds(code: str) -> float:
    """Measure the CPU seconds of a Python process that runs the code."""
    process = subprocess.Popen([sys.executable, "-c", code], cwd=ROOT, env=os.environ | {"PYTHONPATH": str(ROOT)})
    _, status, usage = os.wait4(process.pid, 0)
    if status:
        sys.exit(f"error: exited with status {status}: {code}")
    return usage.ru_utime + usage.ru_stime


def main() -> None:
    programs: dict[str, str] = {"python": "", "torch": "import torch\n"}
    for stage, (first_use, baseline_code) in STAGES.items():
        imports = (
            (ROOT / "workflow" / "scripts" / f"{stage}.py").read_text(encoding="utf-8").partition("\nwith job(")[0]
        )
        programs[stage] = f"{imports}\n{first_use}"
        if baseline_code:
            programs[f"{stage} baseline"] = f"{imports}\n{first_use}{baseline_code}"
    times: dict[str, list[float]] = {name: [] for name in programs}
    for code in programs.values():
        cpu_seconds(code)
    for _ in range(ROUNDS):
        for name, code in programs.items():
            times[name].append(cpu_seconds(code))
    for stage, (_, baseline_code) in STAGES.items():
        baseline = f"{stage} baseline" if baseline_code else "torch"
        ratio = statistics.median(b / a for a, b in zip(times[stage], times[baseline], strict=True))
        name = "with librosa or torch" if baseline_code else "import torch"
        row(f"start_{Path(stage).name}", statistics.median(times[stage]), "CPU s", name, ratio)


if __name__ == "__main__":
    main()
