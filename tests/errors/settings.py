"""Settings of config.yaml that are refused."""

from pathlib import Path

import yaml
from bad_inputs import bad_input

from flowsynth.config.validation import check

ROOT = Path(__file__).parents[2]


def check_changed(**changes: object) -> None:
    config = yaml.safe_load((ROOT / "config.yaml").read_text())
    check(config | changes, ROOT / "workflow/schemas/config.schema.yaml")


@bad_input("Settings", "a misspelt key", "'sede'", "known keys: budget,")
def misspelt_key(folder: Path) -> None:
    check_changed(sede=1)


@bad_input("Settings", "a value of the wrong type", "config.seed", "'one'")
def wrong_type(folder: Path) -> None:
    check_changed(seed="one")
