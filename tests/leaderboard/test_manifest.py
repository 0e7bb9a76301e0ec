"""Settings of baselines are compared with the configuration, whatever the keys were called when they were frozen."""

from pathlib import Path

import pytest
import yaml
from frozen import complete_baselines

from flowsynth.leaderboard.manifest import MANIFEST, changed_settings, why_incomparable

ROOT = Path(__file__).parents[2]
FROZEN = sorted((ROOT / "results" / "baselines").glob(f"*/{MANIFEST}"))


@pytest.mark.parametrize("manifest", FROZEN, ids=lambda path: path.parent.name)
def test_configuration_is_that_of_the_frozen_baselines(manifest: Path):
    config = yaml.safe_load((ROOT / "config.yaml").read_text())
    assert why_incomparable(manifest.parent, config, trained=True) == ""


def test_changed_settings_of_older_baselines_have_present_names(tmp_path: Path):
    frozen = {"sampled": 50000, "in_memory": 60000, "epochs": 8, "outside": {"renders": 100}}
    complete_baselines(tmp_path, maker=frozen)
    settings = {"synthetic_presets": 50000, "cache_items": 20000, "epochs": 8, "out_of_domain": {"render_budget": 20}}
    assert changed_settings(tmp_path, settings) == ["cache_items (20000, frozen 60000)"]
