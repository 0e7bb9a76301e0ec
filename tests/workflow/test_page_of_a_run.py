"""The page of the tiny benchmark: its audio is the scored audio."""

import re

import h5py
import numpy as np
import pandas as pd
import soundfile
from project import ROOT, TINY, Project


def test_audio_of_the_page_is_that_of_the_run(finished: Project):
    page = finished.results / "page"
    text = (page / "index.html").read_text()
    buttons = re.findall(r'data-file="(sounds/reconstruction/[^"]+)"', text)
    assert len(buttons) == 3 * 3  # three items: the original, mean and cnn
    for role, item in _selection(finished).items():
        folder = page / "sounds" / "reconstruction" / role
        shards = [finished.results / "audio" / f"{shard}.h5" for shard in range(2)]
        predictions = [finished.results / "grouped" / "fold0" / "cnn" / "audio.h5"]
        assert _is_same_sound(soundfile.read(folder / "original.mp3")[0], _audio(shards, item))
        assert _is_same_sound(soundfile.read(folder / "cnn.mp3")[0], _audio(predictions, f"{item}/0"))


def test_page_is_small_and_needs_no_network(finished: Project):
    page = finished.results / "page"
    assert sum(path.stat().st_size for path in page.rglob("*") if path.is_file()) < 5e6
    assert not re.search(r'(?:href|src)="(?:https?:)?//', (page / "index.html").read_text())


def test_page_of_an_incomplete_run_marks_what_is_missing(copy: Project):
    copy.configure(models=[*TINY["models"], "vae"])
    run = copy.snakemake("page_so_far")
    assert run.returncode == 0, run.stdout
    text = (copy.results / "page_so_far" / "index.html").read_text()
    assert "Missing in the first fold: vae." in text
    assert text.count('<td colspan="4" class="missing">missing: ') == 3  # a row in each of three groups
    assert re.search("<p class='missing'>Missing: .* <code>vae</code>", text)
    assert text.count('<p class="missing">missing: ') == 5  # the figures of the latent space
    assert len(re.findall(r'data-file="sounds/reconstruction/[^"]+/cnn.mp3"', text)) == 3
    # it is removed when a run completes
    copy.configure()
    (copy.results / "figures" / "scores.png").unlink()
    assert copy.snakemake().returncode == 0
    assert not (copy.results / "page_so_far").exists()


def test_snakemake_report_has_figures_and_captions(copy: Project):
    run = copy.snakemake("--report", "report.html")
    assert run.returncode == 0, run.stdout
    text = (copy.folder / "report.html").read_text()
    for name in ("scores", "curves", "reconstruction"):
        caption = (ROOT / "workflow" / "report" / f"{name}.rst").read_text().split(",")[0].split(".")[0]
        assert caption in text, name
        assert f"figures/{name}.png" in text


def _selection(project: Project) -> dict[str, str]:
    table = pd.read_csv(project.results / "grouped" / "fold0" / "cnn" / "selection.csv", dtype={"item": str})
    return table[table["role"] != "drawn"].set_index("role")["item"].to_dict()


def _audio(paths, item: str) -> np.ndarray:
    for path in paths:
        with h5py.File(path) as file:
            ids = file["id"].asstr()[:].tolist()
            if item in ids:
                return file["audio"][ids.index(item)]
    raise AssertionError(item)


def _is_same_sound(decoded: np.ndarray, stored: np.ndarray) -> bool:
    """Compare a decoded MP3 with stored audio, up to the level."""
    return len(decoded) == len(stored) and float(np.corrcoef(decoded, stored)[0, 1]) > 0.98
