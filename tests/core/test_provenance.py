"""Files have a provenance and are written atomically."""

import json
import subprocess
from collections.abc import Callable, Iterator
from importlib.metadata import version
from pathlib import Path

import pandas as pd
import pytest

import flowsynth
from flowsynth.core import provenance


@pytest.fixture
def clear_cache() -> Iterator[None]:
    """Clear the cached commit before and after a test."""
    provenance.commit.cache_clear()
    yield
    provenance.commit.cache_clear()


@pytest.fixture
def checkout(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, clear_cache: None) -> tuple[Path, Callable[..., str]]:
    """A source file in a repository of one commit that the code appears to come from, and git in it."""
    source = tmp_path / "checkout" / "flowsynth" / "core" / "provenance.py"
    source.parent.mkdir(parents=True)
    source.write_text("x = 1\n")
    (tmp_path / "checkout" / "README.md").write_text("one\n")
    monkeypatch.setattr(provenance, "__file__", str(source))
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", "/dev/null")

    def git(*arguments: str) -> str:
        identity = ["-c", "user.name=a", "-c", "user.email=a@b.c"]
        command = ["git", *identity, "-C", str(source.parents[2]), *arguments]
        return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()

    git("init", "--quiet")
    git("add", "flowsynth/core/provenance.py", "README.md")
    git("commit", "--quiet", "--message", "first")
    return source, git


def file_names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_commit_is_that_of_the_code(checkout):
    _, git = checkout
    assert provenance.commit() == git("rev-parse", "HEAD")


def test_modified_code_makes_the_commit_dirty(checkout):
    source, git = checkout
    source.write_text("x = 2\n")
    assert provenance.commit() == git("rev-parse", "HEAD") + "-dirty"


def test_irrelevant_files_keep_the_commit_clean(checkout):
    source, git = checkout
    (source.parents[2] / "notes.txt").write_text("")
    (source.parents[2] / "README.md").write_text("other\n")
    assert provenance.commit() == git("rev-parse", "HEAD")


@pytest.mark.parametrize("name", ["flowsynth/new.py", "workflow/rules/new.smk", "envs/more.txt"])
def test_untracked_code_makes_the_commit_dirty(checkout, name: str):
    source, git = checkout
    (source.parents[2] / name).parent.mkdir(parents=True, exist_ok=True)
    (source.parents[2] / name).write_text("")
    assert provenance.commit() == git("rev-parse", "HEAD") + "-dirty"


def test_checkout_of_another_user_is_explained(
    checkout, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
):
    monkeypatch.setenv("GIT_TEST_ASSUME_DIFFERENT_OWNER", "1")
    assert provenance.commit() == "unknown"
    assert "dubious ownership" in caplog.text
    assert "git config --global --add safe.directory" in caplog.text


def test_commit_is_unknown_outside_a_checkout(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, clear_cache: None):
    monkeypatch.setattr(provenance, "__file__", str(tmp_path / "provenance.py"))
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path.parent))
    assert provenance.commit() == "unknown"


def test_commit_is_unknown_without_git(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, clear_cache: None):
    monkeypatch.setenv("PATH", str(tmp_path))
    assert provenance.commit() == "unknown"


def test_maker_has_versions_commit_and_settings():
    maker = provenance.maker(seed=3, kind="grouped")
    assert maker["flowsynth"] == flowsynth.__version__
    assert maker["commit"] == provenance.commit()
    assert maker["versions"]["numpy"] == version("numpy")
    assert set(maker["versions"]) == set(provenance.PACKAGES)
    assert (maker["seed"], maker["kind"]) == (3, "grouped")


def test_atomic_write_shows_only_the_complete_file(tmp_path: Path):
    path = tmp_path / "deep" / "er" / "file.txt"
    with provenance.atomic_write(path) as temporary:
        temporary.write_text("new")
        assert not path.exists()
        assert temporary.parent == path.parent  # a rename is atomic only within one file system
    assert path.read_text() == "new"
    assert file_names(path.parent) == ["file.txt"]


@pytest.mark.parametrize("error", [ValueError, KeyboardInterrupt])
def test_failed_atomic_write_keeps_the_old_file(tmp_path: Path, error: type[BaseException]):
    path = tmp_path / "file.txt"
    path.write_text("old")
    with pytest.raises(error), provenance.atomic_write(path) as temporary:
        temporary.write_text("half")
        raise error
    assert path.read_text() == "old"
    assert file_names(tmp_path) == ["file.txt"]


def test_text_is_replaced_as_utf8(tmp_path: Path):
    path = tmp_path / "table.md"
    provenance.write_text(path, "longer than what comes next")
    provenance.write_text(path, "0.1 ± 0.2 ↓\n")
    assert path.read_bytes() == "0.1 ± 0.2 ↓\n".encode()
    assert file_names(tmp_path) == ["table.md"]


def test_tables_have_no_index_and_a_provenance_file(tmp_path: Path):
    frame = pd.DataFrame({"id": ["0a", "1b"], "value": [0.1 + 0.2, None]}, index=[7, 9])
    provenance.write_csv(frame, tmp_path / "table.csv", seed=3)
    assert (tmp_path / "table.csv").read_text() == "id,value\n0a,0.30000000000000004\n1b,\n"
    assert json.loads((tmp_path / "table.csv.json").read_text()) == provenance.maker(seed=3)
    assert file_names(tmp_path) == ["table.csv", "table.csv.json"]


def test_tables_are_bit_identical(tmp_path: Path):
    frame = pd.DataFrame({"x": [1.5]})
    for folder in ("a", "b"):
        provenance.write_csv(frame, tmp_path / folder / "t.csv", b=1, a={"d": 2, "c": 3})
    for name in ("t.csv", "t.csv.json"):
        assert (tmp_path / "a" / name).read_bytes() == (tmp_path / "b" / name).read_bytes()


def test_a_table_without_provenance_is_not_written(tmp_path: Path):
    with pytest.raises(TypeError):
        provenance.write_csv(pd.DataFrame({"x": [1]}), tmp_path / "t.csv", path=tmp_path)
    assert file_names(tmp_path) == []
