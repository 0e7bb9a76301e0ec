"""The page of the tiny benchmark: what is heard on it is what was scored."""

import re

import h5py
import numpy as np
import pandas as pd
import soundfile
from project import ROOT, TINY, Project


def test_sounds_and_presets_of_the_page_are_those_of_the_run(finished: Project):
    page = finished.results / "page"
    text = (page / "index.html").read_text()
    buttons = re.findall(r'data-file="(sounds/reconstruction/[^"]+)"', text)
    assert len(buttons) == 3 * 3  # three items: the original, mean and cnn
    chosen = _chosen(finished)
    for role, item in chosen.items():
        original, _ = soundfile.read(page / "sounds" / "reconstruction" / role / "original.mp3")
        answered, _ = soundfile.read(page / "sounds" / "reconstruction" / role / "cnn.mp3")
        assert _alike(original, _audio([finished.results / "audio" / f"{shard}.h5" for shard in range(2)], item))
        assert _alike(answered, _audio([finished.results / "grouped" / "fold0" / "cnn" / "audio.h5"], f"{item}/0"))


def test_the_page_is_small_and_needs_no_network(finished: Project):
    page = finished.results / "page"
    assert sum(path.stat().st_size for path in page.rglob("*") if path.is_file()) < 5e6
    assert not re.search(r'(?:href|src)="(?:https?:)?//', (page / "index.html").read_text())


def test_of_a_run_that_has_not_finished_there_is_a_page_with_the_places_of_what_is_missing(copy: Project):
    copy.configure(models=[*TINY["models"], "vae"])
    run = copy.snakemake("page_so_far")
    assert run.returncode == 0, run.stdout
    text = (copy.results / "page_so_far" / "index.html").read_text()
    assert "Missing in the first fold: vae." in text
    assert text.count("missing: was not run to its end") == 3  # a row in each of three groups
    assert "Missing: there is no exploration of <code>vae</code>." in text
    assert text.count("missing: what it is drawn from was not made") == 5  # the figures of a latent
    assert len(re.findall(r'data-file="sounds/reconstruction/[^"]+/cnn.mp3"', text)) == 3
    # it goes when a run ends with nothing missing
    copy.configure()
    (copy.results / "figures" / "scores.png").unlink()
    assert copy.snakemake().returncode == 0
    assert not (copy.results / "page_so_far").exists()


def test_the_report_has_the_figures_with_their_captions(copy: Project):
    run = copy.snakemake("--report", "report.html")
    assert run.returncode == 0, run.stdout
    text = (copy.folder / "report.html").read_text()
    for name in ("scores", "curves", "reconstruction"):
        first = (ROOT / "workflow" / "report" / f"{name}.rst").read_text().split(",")[0].split(".")[0]
        assert first in text, name
        assert f"figures/{name}.png" in text


def _chosen(project: Project) -> dict[str, str]:
    table = pd.read_csv(project.results / "grouped" / "fold0" / "cnn" / "selection.csv", dtype={"item": str})
    return table[table["role"] != "drawn"].set_index("role")["item"].to_dict()


def _audio(paths, item: str) -> np.ndarray:
    for path in paths:
        with h5py.File(path) as file:
            ids = file["id"].asstr()[:].tolist()
            if item in ids:
                return file["audio"][ids.index(item)]
    raise AssertionError(item)


def _alike(decoded: np.ndarray, stored: np.ndarray) -> bool:
    """Whether a compressed sound is this one, up to the level it was turned down to."""
    return len(decoded) == len(stored) and float(np.corrcoef(decoded, stored)[0, 1]) > 0.98
