"""Feature extraction on one and on all cores; baseline: a loop that calls librosa for each sound."""

import os
import statistics
import time

import librosa
import numpy as np
import torch
from report import row

from flowsynth.data.features import BATCH, Mel

ROUNDS, SOUNDS = 7, 200


def extract(mel: Mel, audio: torch.Tensor) -> None:
    for start in range(0, len(audio), BATCH):
        mel.log(mel(audio[start : start + BATCH]))


def extract_with_librosa(audio: np.ndarray) -> None:
    for sound in audio:
        power = librosa.feature.melspectrogram(
            y=sound, sr=22050, n_fft=2048, hop_length=1024, n_mels=64, fmin=30, fmax=11000
        )
        np.log(power[:, :80] + 1e-3)


def main() -> None:
    audio = np.random.default_rng(0).uniform(-0.5, 0.5, (SOUNDS, 88200)).astype(np.float32)
    tensor, mel = torch.from_numpy(audio), Mel(22050)
    threads = {"one_core": 1, "all_cores": os.cpu_count() or 1}
    times: dict[str, list[float]] = {name: [] for name in (*threads, "librosa")}
    extract(mel, tensor)
    extract_with_librosa(audio[:2])  # the first call imports and compiles
    for _ in range(ROUNDS):
        for name, count in threads.items():
            torch.set_num_threads(count)
            start = time.perf_counter()
            extract(mel, tensor)
            times[name].append((time.perf_counter() - start) / SOUNDS)
        start = time.perf_counter()
        extract_with_librosa(audio)
        times["librosa"].append((time.perf_counter() - start) / SOUNDS)
    row("features_librosa_loop", statistics.median(times["librosa"]), "s/sound", "", None)
    for name in threads:
        ratio = statistics.median(b / a for a, b in zip(times[name], times["librosa"], strict=True))
        row(f"features_{name}", statistics.median(times[name]), "s/sound", "features_librosa_loop", ratio)


if __name__ == "__main__":
    main()
