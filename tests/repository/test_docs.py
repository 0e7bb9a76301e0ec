"""The documentation builds without a warning, loads nothing from other hosts, and agrees with the code."""

import math
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from browser import browser
from selenium.webdriver.common.by import By

from flowsynth.config.settings import PRESETS_PER_JOB
from flowsynth.models import registry

ROOT = Path(__file__).resolve().parents[2]
PAGES = {path.relative_to(ROOT / "docs").as_posix(): path.read_text() for path in (ROOT / "docs").rglob("*.md")}
SCALE = PAGES["tutorials/scale.md"]
PAPER = yaml.safe_load((ROOT / "config.yaml").read_text())["budgets"]["paper"]
EPOCHS = 20


def rows(name: str) -> list[list[str]]:
    """Cells of the table between its markers, without the header."""
    table = SCALE.split(f"<!-- {name}: begin -->\n")[1].split(f"<!-- {name}: end -->")[0]
    return [[cell.strip() for cell in line.strip("|\n ").split("|")] for line in table.splitlines()[2:]]


def unit_costs() -> dict[str, float]:
    return {cells[0]: float(cells[1].split()[0]) for cells in rows("unit costs")}


def test_plan_follows_from_the_unit_costs():
    kilobytes, seconds, gflop, tflops = unit_costs().values()
    folds = PAPER["folds"]
    expected = [
        [
            f"{presets:,}",
            f"{folds * math.ceil(presets / PRESETS_PER_JOB):,}",
            f"{folds * presets * kilobytes / 1e6:.1f}",
            f"{folds * presets * seconds / 3600:.1f}",
            f"{folds * presets * EPOCHS * gflop / (tflops * 1e3) / 3600:.1f}",
        ]
        for presets in (10_000, 100_000, 1_000_000)
    ]
    assert rows("plan") == expected


def test_every_model_is_described():
    missing = [
        name for name in registry.models() if f"| `{name}` |" not in PAGES["how/models.md"].replace("`, `", "` | `")
    ]
    assert missing == []


def test_named_paths_exist():
    text = "\n".join(PAGES.values())
    paths = set(re.findall(r"`((?:flowsynth|workflow|tests|envs|bench|slurm)/[A-Za-z0-9_./]*)`", text))
    assert len(paths) > 10
    assert [path for path in paths if not (ROOT / path).exists()] == []


def test_named_make_targets_exist():
    makefile = (ROOT / "Makefile").read_text()
    named = set(re.findall(r"`make ([a-z]+)`", "\n".join(PAGES.values())))
    assert {"reproduce", "docs"} <= named
    assert [target for target in named if not re.search(rf"^{target}:", makefile, re.MULTILINE)] == []


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("site")
    command = [sys.executable, "-m", "mkdocs", "build", "--strict", "--site-dir", folder]
    run = subprocess.run(
        command, cwd=ROOT, env={**os.environ, "PYTHONPATH": str(ROOT)}, text=True, capture_output=True, timeout=900
    )
    assert run.returncode == 0, run.stdout + run.stderr
    return folder


@pytest.mark.slow
def test_generated_parts_are_filled_in(site: Path):
    texts = {path.relative_to(site).as_posix(): path.read_text() for path in site.rglob("*.html")}
    assert "proxy_corrected16" in texts["results/leaderboards.html"]
    assert "synthetic_presets" in texts["reference/configuration.html"]
    assert "--renders" in texts["reference/command_line.html"]
    assert "TrainedModel" in texts["reference/python_trained_models.html"]
    assert [name for name, text in texts.items() if "<!-- generated" in text] == []


@pytest.mark.slow
def test_pages_load_nothing_from_other_hosts(site: Path):
    for path in site.rglob("*.html"):
        text = path.read_text()
        loaded = re.findall(r"<(?:script|img|iframe|audio|source)\b[^>]*\ssrc=[\"']?([^\"' >]+)", text)
        links = re.findall(r"<link\b[^>]*>", text)
        loaded += [link for link in links if not re.search(r"rel=[\"']?(?:canonical|next|prev)", link)]
        assert loaded
        assert [url for url in loaded if "//" in url] == [], path


@pytest.mark.slow
def test_a_click_on_a_head_sorts_the_table(site: Path, tmp_path: Path):
    with browser(tmp_path) as driver:
        driver.get((site / "results" / "leaderboards.html").as_uri())
        table = driver.find_element(By.CSS_SELECTOR, ".sortable table")
        heads = table.find_elements(By.CSS_SELECTOR, "th button")
        column = [head.text for head in heads].index("Mel MSE ↓")

        def click() -> list[float]:
            driver.execute_script("arguments[0].click()", heads[column])
            rows = driver.execute_script("return [...arguments[0].tBodies[0].rows].map((row) => row.innerText)", table)
            return [float(row.split("\t")[column].replace(",", "")) for row in rows]

        ascending, descending = click(), click()
        assert ascending == sorted(ascending)
        assert descending == ascending[::-1]
        assert ascending[0] < ascending[-1] > 1000  # "1,016" is a number
