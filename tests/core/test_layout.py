"""Paths of a run: what one file says of the others."""

from pathlib import Path

import pytest

from flowsynth.core.layout import RunPaths, SystemPaths, find_systems

RUN = RunPaths(Path("results/quick/amsynth16"))


@pytest.mark.parametrize("out_of_domain", [False, True])
@pytest.mark.parametrize("results", ["results", "/tmp/tests0/fold1/results", ".."])
def test_each_file_of_a_system_names_the_system(results: str, out_of_domain: bool):
    run = RunPaths(Path(results, "quick", "amsynth16"))
    system = run.system("grouped", 12, "npe_nsf_best16_refined8", out_of_domain)
    for path in (system.checkpoint, system.predictions, system.candidates, system.audio, system.scores):
        assert SystemPaths.parse(path) == system
    assert (system.run.budget, system.run.dataset) == ("quick", "amsynth16")


def test_files_lie_where_the_rules_write_them():
    system = RUN.system("grouped", 1, "cnn")
    assert system.scores == Path("results/quick/amsynth16/grouped/fold1/cnn/scores.csv")
    assert system.logs == Path("results/quick/amsynth16/logs/grouped/fold1/cnn")
    assert system.of("mlp").folder == system.fold_folder / "mlp"
    assert system.traversal_audio("z") == system.traversals("z").parent / "audio" / "z.h5"
    outside = RUN.system("grouped", 0, "cnn", out_of_domain=True)
    assert outside.audio == Path("results/quick/amsynth16/outside/grouped/fold0/cnn/audio.h5")
    assert outside.logs == Path("results/quick/amsynth16/logs/outside/grouped/fold0/cnn")
    assert RUN.baselines == Path("results/baselines/amsynth16")
    assert RUN.split("random") == Path("results/quick/amsynth16/split/random.csv")


@pytest.mark.parametrize("name", ["scores.csv", "presets.csv", "audio/0.h5", "tables/outside.csv", "page"])
def test_run_of_a_file(name: str):
    assert RunPaths.parse(RUN.folder / name) == RUN


@pytest.mark.parametrize(
    "path",
    [
        "scores.csv",
        "results/quick/amsynth16/scores.csv",
        "results/quick/amsynth16/grouped/fold0/scores.csv",
        "results/quick/amsynth16/grouped/foldx/cnn/scores.csv",
        "results/quick/amsynth16/logs/grouped/fold0/cnn/score.log",
        "results/quick/amsynth16/grouped/fold0/cnn/explore/z.h5",
        "results/quick/amsynth/grouped/fold0/cnn/scores.csv",
    ],
)
def test_other_files_belong_to_no_system(path: str):
    with pytest.raises(ValueError, match=f"{path} is not in a run: expected results/BUDGET/DATA/SPLIT/foldN/MODEL/"):
        SystemPaths.parse(Path(path))


@pytest.mark.parametrize("path", ["0.h5", "results/quick/tables/a.csv", "results/quick/amsynth16/grouped/fold0/cnn/x"])
def test_other_files_belong_to_no_run(path: str):
    with pytest.raises(ValueError, match=f"{path} is not in a run"):
        RunPaths.parse(Path(path))


def test_systems_with_checkpoints_are_found(tmp_path: Path):
    runs = [RunPaths(tmp_path / "quick" / name) for name in ("amsynth16", "faust32", "amsynth16_old")]
    systems = [run.system("grouped", fold, "cnn") for run in runs for fold in (0, 1)]
    for system in systems:
        system.folder.mkdir(parents=True)
        system.checkpoint.touch()
    assert list(find_systems(tmp_path)) == [systems[0], systems[2]]  # the copy has no name of a data set
