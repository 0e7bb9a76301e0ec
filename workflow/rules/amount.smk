# What more drawn presets bring: snakemake -c2 figure_amount. Each budget drawn_N is run on its first data set.
import re

from flowsynth.config import unequal

AMOUNTS = {
    name: given
    for name, given in config["budgets"].items()
    if re.fullmatch("drawn_[0-9]+", name)
}
LEAST = next(iter(AMOUNTS.values()), None)
UNEQUAL = unequal(AMOUNTS)
AMOUNT_NEEDS = (
    f" that differ in sampled alone, and {UNEQUAL}"
    if UNEQUAL
    else "" if AMOUNTS else ": drawn_0, drawn_10000 and so on"
)


rule figure_amount:
    input:
        multiext("results/drawn/amount", ".csv", ".pdf", ".png"),


rule amount:
    input:
        code=code("amount", "tables"),
        scores=(
            (
                lambda wildcards: refuse(
                    f"figure_amount needs budgets drawn_N{AMOUNT_NEEDS}: see config.yaml"
                )
            )
            if AMOUNT_NEEDS
            else [
                f"results/{name}/{given['datasets'][0]}/{config['split']}/fold{fold}/{model}/scores.csv"
                for name, given in AMOUNTS.items()
                for fold in range(given["folds"])
                for model in given.get("models", config["models"])
            ]
        ),
    output:
        "results/drawn/amount.csv",
    log:
        "results/drawn/logs/amount.log",
    benchmark:
        "results/drawn/benchmarks/amount.tsv"
    conda:
        "../../envs/environment.yaml"
    threads: 1
    resources:
        mem_mb=by_attempt(2000),
        runtime=by_attempt(10),
    params:
        drawn={name: given["sampled"] for name, given in AMOUNTS.items()},
        seed=config["seed"],
    script:
        "../scripts/amount.py"


rule draw_amount:
    input:
        code=code("figures/amount"),
        style=str(PACKAGE / "figures.mplstyle"),
        table="results/drawn/amount.csv",
    output:
        captioned("results/drawn/amount"),
    log:
        "results/drawn/logs/figures/amount.log",
    benchmark:
        "results/drawn/benchmarks/figures/amount.tsv"
    conda:
        "../../envs/environment.yaml"
    threads: 1
    resources:
        mem_mb=by_attempt(2000),
        runtime=by_attempt(10),
    params:
        models=LEAST.get("models", config["models"]) if LEAST else [],
        folds=LEAST["folds"] if LEAST else 0,
    script:
        "../scripts/draw_amount.py"
