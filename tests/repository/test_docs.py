"""The plan in docs/scale.md follows from its unit costs."""

import math
from pathlib import Path

import yaml

from flowsynth.config.settings import PRESETS_PER_JOB

ROOT = Path(__file__).resolve().parents[2]
TEXT = (ROOT / "docs" / "scale.md").read_text()
PAPER = yaml.safe_load((ROOT / "config.yaml").read_text())["budgets"]["paper"]
EPOCHS = 20


def rows(name: str) -> list[list[str]]:
    """Cells of the table between its markers, without the header."""
    table = TEXT.split(f"<!-- {name}: begin -->\n")[1].split(f"<!-- {name}: end -->")[0]
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
