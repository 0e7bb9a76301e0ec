"""Features: against a loop that calls librosa for each sound, on one core and on all."""

import os
import statistics
import time

import librosa
import numpy as np
import torch
from report import row

from flowsynth.data.features import BATCH, Mel

ROUNDS, SOUNDS = 7, 200


def ours(mel: Mel, audio: torch.Tensor) -> None:
    for start in range(0, len(audio), BATCH):
        mel.log(mel(audio[start : start + BATCH]))


def theirs(audio: np.ndarray) -> None:
    for sound in audio:
        power = librosa.feature.melspectrogram(
            y=sound, sr=22050, n_fft=2048, hop_length=1024, n_mels=64, fmin=30, fmax=11000
        )
        np.log(power[:, :80] + 1e-3)


def main() -> None:
    audio = np.random.default_rng(0).uniform(-0.5, 0.5, (SOUNDS, 88200)).astype(np.float32)
    tensor, mel = torch.from_numpy(audio), Mel(22050)
    threads = {"one_core": 1, "all_cores": os.cpu_count() or 1}
    taken = {name: [] for name in (*threads, "librosa")}
    ours(mel, tensor)
    theirs(audio[:2])  # it compiles and imports at its first call
    for _ in range(ROUNDS):
        for name, count in threads.items():
            torch.set_num_threads(count)
            start = time.perf_counter()
            ours(mel, tensor)
            taken[name].append((time.perf_counter() - start) / SOUNDS)
        start = time.perf_counter()
        theirs(audio)
        taken["librosa"].append((time.perf_counter() - start) / SOUNDS)
    row("features_librosa_loop", statistics.median(taken["librosa"]), "s/sound", "", None)
    for name in threads:
        ratio = statistics.median(b / a for a, b in zip(taken[name], taken["librosa"], strict=True))
        row(f"features_{name}", statistics.median(taken[name]), "s/sound", "features_librosa_loop", ratio)


if __name__ == "__main__":
    main()
