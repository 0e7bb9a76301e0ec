# What more drawn presets bring, at equal work: snakemake -c2 figure_amount
# What longer training brings: snakemake -c2 results/epochs/amount.png
# What flows are after the longest: snakemake -c2 results/epochs/flows.csv
# Each budget drawn_N or epochs_N is run on its first data set.
import re

from flowsynth.config import unequal

SCALES = {
    "drawn": {
        "target": "figure_amount",
        "setting": "sampled",
        "such": "drawn_0, drawn_10000",
        "label": "presets drawn for training",
        "title": "Presets drawn for training, at equal work",
    },
    "epochs": {
        "target": "results/epochs/amount.png",
        "setting": "epochs",
        "such": "epochs_8, epochs_64",
        "label": "epochs of training",
        "title": "Longer training",
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
    scale: unequal(given, SCALES[scale]["setting"]) for scale, given in AMOUNTS.items()
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
    """Scores of all that budgets run, each on its first data set."""
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


rule figure_amount:
    input:
        multiext("results/drawn/amount", ".csv", ".pdf", ".png"),


rule amount:
    input:
        code=code("amount", "tables"),
        scores=lambda wildcards: amount_scores(
            wildcards.scale, AMOUNTS[wildcards.scale]
        ),
    output:
        "results/{scale,drawn|epochs}/amount.csv",
    log:
        "results/{scale}/logs/amount.log",
    benchmark:
        "results/{scale}/benchmarks/amount.tsv"
    conda:
        "../../envs/environment.yaml"
    threads: 1
    resources:
        mem_mb=by_attempt(2000),
        runtime=by_attempt(10),
    params:
        amounts=lambda wildcards: {
            name: given[SCALES[wildcards.scale]["setting"]]
            for name, given in AMOUNTS[wildcards.scale].items()
        },
        seed=config["seed"],
    script:
        "../scripts/amount.py"


rule draw_amount:
    input:
        code=code("figures/amount"),
        style=str(PACKAGE / "figures.mplstyle"),
        table="results/{scale}/amount.csv",
    output:
        captioned("results/{scale,drawn|epochs}/amount"),
    log:
        "results/{scale}/logs/figures/amount.log",
    benchmark:
        "results/{scale}/benchmarks/figures/amount.tsv"
    conda:
        "../../envs/environment.yaml"
    threads: 1
    resources:
        mem_mb=by_attempt(2000),
        runtime=by_attempt(10),
    params:
        models=lambda wildcards: LEAST[wildcards.scale].get("models", config["models"]),
        folds=lambda wildcards: LEAST[wildcards.scale]["folds"],
        label=lambda wildcards: SCALES[wildcards.scale]["label"],
        title=lambda wildcards: SCALES[wildcards.scale]["title"],
    script:
        "../scripts/draw_amount.py"


rule flows:
    input:
        code=code("flow_question", "tables"),
        scores=lambda wildcards: amount_scores("epochs", [LONGEST]),
    output:
        "results/epochs/flows.csv",
    log:
        "results/epochs/logs/flows.log",
    benchmark:
        "results/epochs/benchmarks/flows.tsv"
    conda:
        "../../envs/environment.yaml"
    threads: 1
    resources:
        mem_mb=by_attempt(2000),
        runtime=by_attempt(10),
    params:
        epochs=lambda wildcards: AMOUNTS["epochs"][LONGEST]["epochs"],
        seed=config["seed"],
    script:
        "../scripts/flows.py"
