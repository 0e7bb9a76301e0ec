# Series of budgets that differ in one setting: synthetic presets, or epochs.
import re

from flowsynth.config import first_difference

SCALES = {
    "drawn": {
        "target": "figure_amount",
        "setting": "sampled",
        "such": "drawn_0, drawn_10000",
        "label": "synthetic training presets",
        "title": "Synthetic training presets, with equal training steps",
    },
    "epochs": {
        "target": "results/epochs/amount.png",
        "setting": "epochs",
        "such": "epochs_8, epochs_64",
        "label": "epochs of training",
        "title": "Number of training epochs",
    },
}
AMOUNTS = {
    scale: {
        name: given
        for name, given in config["budgets"].items()
        if re.fullmatch(f"{scale}_[0-9]+", name)
    }
    for scale in SCALES
}
LEAST = {scale: next(iter(given.values()), None) for scale, given in AMOUNTS.items()}
LONGEST = max(
    AMOUNTS["epochs"], key=lambda name: AMOUNTS["epochs"][name]["epochs"], default=None
)
UNEQUAL = {
    scale: first_difference(given, SCALES[scale]["setting"])
    for scale, given in AMOUNTS.items()
}
AMOUNT_NEEDS = {
    scale: (
        f" that differ in {SCALES[scale]['setting']} alone, and {UNEQUAL[scale]}"
        if UNEQUAL[scale]
        else "" if AMOUNTS[scale] else f": {SCALES[scale]['such']} and so on"
    )
    for scale in SCALES
}


def amount_scores(scale, names):
    """Files of scores of a series of budgets, each on its first data set."""
    if AMOUNT_NEEDS[scale]:
        refuse(
            f"{SCALES[scale]['target']} needs budgets {scale}_N{AMOUNT_NEEDS[scale]}: see config.yaml"
        )
    return [
        f"results/{name}/{given['datasets'][0]}/{config['split']}/fold{fold}/{model}/scores.csv"
        for name, given in AMOUNTS[scale].items()
        if name in names
        for fold in range(given["folds"])
        for model in given.get("models", config["models"])
    ]
