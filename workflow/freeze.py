"""Make the scores and answers of the campaign the fixed baselines: results/baselines/.

Refuses what was made by code that differs from a commit, and data other than those of the baselines there are.
"""

import sys
from pathlib import Path

import yaml

from flowsynth.baselines import freeze, hashes
from flowsynth.tables import gather

ROOT = Path(__file__).resolve().parents[1]
KEPT = ("seed", "split", "render", "features")  # of the configuration


def main(root: Path) -> None:
    """Freeze each data set of the campaign."""
    config = yaml.safe_load((root / "config.yaml").read_text())
    budget = config["baselines"]["budget"]
    given = config["budgets"][budget]
    systems = given.get("models", config["models"])
    for dataset in config["baselines"]["datasets"]:
        results = root / "results" / budget / dataset
        if not (results / "scores.csv").exists():
            sys.exit(f"error: there is no {results}/scores.csv; run: snakemake -c2 campaign --config budget={budget}")
        scores = gather([results / "scores.csv"]).query("sample == 0")
        keys = [(fold, system) for fold in range(given["folds"]) for system in systems]
        folder = results / config["split"]
        predictions = {key: folder / f"fold{key[0]}" / key[1] / "predictions.h5" for key in keys}
        tables = [results / "scores.csv", *(path.with_name("scores.csv") for path in predictions.values())]
        data = hashes(
            results / "presets.csv",
            results / "split" / f"{config['split']}.csv",
            [results / "audio" / f"{shard}.h5" for shard in range(given["shards"])],
        )
        settings = {"budget": budget, "dataset": dataset, **given, **{key: config[key] for key in KEPT}}
        try:
            freeze(root / "results" / "baselines" / dataset, scores, predictions, tables, data, settings)
        except ValueError as error:
            sys.exit(f"error: {error}")
        print(f"frozen: {dataset}, {len(systems)} systems, {given['folds']} folds")


if __name__ == "__main__":
    main(ROOT)
