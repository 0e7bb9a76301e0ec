"""A damaged result is never read: every stage verifies all files that it reads, and the remedy of its message works."""

import base64
import json
import os
import re
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from project import Project

from flowsynth.core import integrity

CNN = "grouped/fold0/cnn"
TEMPORARY = re.compile(r"\.(.+)\.[0-9a-f]{8}\.tmp")


def jobs(project: Project) -> dict[str, dict[str, Any]]:
    """Return Snakemake's records of finished jobs, by output file."""
    records = [path for path in (project.folder / ".snakemake" / "metadata").rglob("*") if path.is_file()]
    return {base64.urlsafe_b64decode(path.name).decode(): json.loads(path.read_text()) for path in records}


def test_stages_read_their_declared_inputs_only(finished: Project):
    """What a job declares is verified before it starts; a file that it read beside would not be."""
    records, rules = jobs(finished), set()
    for path in (finished.folder / "reads").iterdir():
        reads = [Path(name) for name in json.loads(path.read_text())]
        written = [str(name.with_name(match[1])) for name in reads if (match := TEMPORARY.fullmatch(name.name))]
        outputs = [name for name in written if name in records]
        if not outputs:  # a process of a rendering
            assert not [name for name in reads if name.suffix in integrity.KINDS]
            continue
        declared = {*outputs, *records[outputs[0]]["input"]}
        undeclared = [str(name) for name in reads if name.suffix in integrity.KINDS and str(name) not in declared]
        rule = records[outputs[0]]["rule"]
        assert undeclared == [], rule
        rules.add(rule)
    assert rules == {record["rule"] for record in records.values()}


def flip(path: Path) -> None:
    """Change one bit in the middle."""
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 4
    path.write_bytes(content)


def cut(path: Path) -> None:
    os.truncate(path, path.stat().st_size // 2)


def empty(path: Path) -> None:
    os.truncate(path, 0)


def lose_checksum(path: Path) -> None:
    integrity.checksum_path(path).unlink()


def swap(path: Path) -> None:
    """Put another file of the run in its place, with its checksum."""
    other = next(file for file in sorted(path.parents[2].rglob(f"*{path.suffix}")) if file != path)
    for source, target in ((other, path), (integrity.checksum_path(other), integrity.checksum_path(path))):
        shutil.copyfile(source, target)


DAMAGES = {damage.__name__: damage for damage in (flip, cut, empty, lose_checksum, swap)}


def apply(damage: Callable[[Path], None], path: Path) -> None:
    """Damage a file, but keep its time stamps, as a bad disk does."""
    status = path.stat()
    damage(path)
    os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))


@pytest.mark.parametrize("name", DAMAGES)
def test_every_damaged_input_of_every_stage_is_named(copy: Project, name: str, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.chdir(copy.folder)
    by_rule: dict[str, set[Path]] = {}
    for record in jobs(copy).values():
        by_rule.setdefault(record["rule"], set()).update(map(Path, record["input"]))
    inputs = {path for paths in by_rule.values() for path in paths if path.suffix in integrity.KINDS}
    damaged = sorted(path for path in inputs if path.parts[0] == "results")
    assert {path.suffix for path in damaged} == set(integrity.KINDS)
    for path in damaged:
        files = (path, integrity.checksum_path(path))
        saved = [(file, file.read_bytes(), file.stat()) for file in files]
        apply(DAMAGES[name], path)
        for rule, paths in by_rule.items():
            if path in paths:
                integrity._digests.clear()
                with pytest.raises((ValueError, FileNotFoundError), match=rf"{path} .*[Dd]elete"):
                    integrity.verify_inputs(paths)
                    pytest.fail(f"{rule} accepts {path}")
        for file, content, status in saved:
            file.write_bytes(content)
            os.utime(file, ns=(status.st_atime_ns, status.st_mtime_ns))
    integrity._digests.clear()
    for paths in by_rule.values():
        integrity.verify_inputs(paths)


@pytest.mark.parametrize(
    ("damage", "path", "rule", "target"),
    [
        (cut, "presets.csv", "render", "audio/1.h5"),
        (flip, "audio/1.h5", "features", "features/1.h5"),
        (flip, "features/0.h5", "split", "split/grouped.csv"),
        (cut, "split/grouped.csv", "train", f"{CNN}/checkpoint.pt"),
        (flip, f"{CNN}/checkpoint.pt", "predict", f"{CNN}/scores.csv"),
        (swap, f"{CNN}/scores.csv", "select_examples", f"{CNN}/selection.csv"),
        (lose_checksum, "scores.csv", "summarise_scores", "tables/scores.csv"),
        (empty, f"{CNN}/predictions.h5", "symmetry", "tables/symmetry.csv"),
    ],
)
def test_damage_stops_a_run_and_its_remedy_works(
    copy: Project, finished: Project, damage: Callable[[Path], None], path: str, rule: str, target: str
):
    relative = copy.results.relative_to(copy.folder)
    apply(damage, copy.results / path)
    run = copy.snakemake(str(relative / target), "--forcerun", rule)
    assert run.returncode != 0, run.stdout
    assert f"error: {relative / path} " in run.stdout
    assert "Traceback" not in run.stdout
    (copy.results / path).unlink()
    run = copy.snakemake(str(relative / target))
    assert run.returncode == 0, run.stdout
    for name in (path, target):
        assert (copy.results / name).read_bytes() == (finished.results / name).read_bytes()
