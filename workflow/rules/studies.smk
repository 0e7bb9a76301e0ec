# Scores against the number of synthetic training presets, at equal compute: snakemake -c2 figure_amount
# Scores against the number of epochs: snakemake -c2 results/epochs/amount.png
# Flows compared after the longest training: snakemake -c2 results/epochs/flow_question.csv
# Every budget drawn_N or epochs_N is run on its first data set.
SERIES = {name: settings.budget_series(config, name) for name in settings.SERIES}
LABELS = {"drawn": "synthetic training presets", "epochs": "epochs of training"}
TITLES = {
    "drawn": "Synthetic training presets, with equal training steps",
    "epochs": "Number of training epochs",
}


rule figure_amount:
    input:
        multiext("results/drawn/amount", ".csv", ".pdf", ".png"),


rule scaling:
    input:
        scores=lambda wildcards: required(
            sum(SERIES[wildcards.scale].scores.values(), []),
            SERIES[wildcards.scale].problem,
        ),
    output:
        "results/{scale,drawn|epochs}/amount.csv",
    log:
        "results/{scale}/logs/scaling.log",
    benchmark:
        "results/{scale}/benchmarks/scaling.tsv"
    resources:
        **by_attempt(mem_mb=2000, runtime=10),
    params:
        code=code("evaluation/scaling"),
        amounts=lambda wildcards: SERIES[wildcards.scale].amounts,
        seed=config["seed"],
    script:
        "../scripts/evaluation/scaling.py"


use rule draw_complexity as draw_amount with:
    input:
        style=STYLE,
        table="results/{scale}/amount.csv",
    output:
        captioned("results/{scale,drawn|epochs}/amount"),
    log:
        "results/{scale}/logs/figures/amount.log",
    benchmark:
        "results/{scale}/benchmarks/figures/amount.tsv"
    params:
        models=lambda wildcards: SERIES[wildcards.scale].systems,
        label=lambda wildcards: LABELS[wildcards.scale],
        title=lambda wildcards: TITLES[wildcards.scale],


rule compare_flows:
    input:
        scores=lambda wildcards: required(
            SERIES["epochs"].scores.get(SERIES["epochs"].largest),
            SERIES["epochs"].problem,
        ),
    output:
        "results/epochs/flow_question.csv",
    log:
        "results/epochs/logs/compare_flows.log",
    benchmark:
        "results/epochs/benchmarks/compare_flows.tsv"
    resources:
        **by_attempt(mem_mb=2000, runtime=10),
    params:
        code=code("evaluation/compare_flows"),
        epochs=lambda wildcards: SERIES["epochs"].amounts[SERIES["epochs"].largest],
        seed=config["seed"],
    script:
        "../scripts/evaluation/compare_flows.py"


# Select the parameters of the smaller data sets; not part of a run, as the parameter table holds the result.
rule select_parameters:
    input:
        table=str(PACKAGE / "synths/specs" / "{synth}.yaml"),
    output:
        "results/parameter_choice/{synth}.csv",
    log:
        "results/logs/parameter_choice/{synth}.log",
    benchmark:
        "results/benchmarks/parameter_choice/{synth}.tsv"
    resources:
        **by_attempt(mem_mb=4000, runtime=30),
    params:
        code=code("data/select_parameters"),
        render=RENDER,
        presets=100,
        seed=config["seed"],
    script:
        "../scripts/data/select_parameters.py"


# Whether the ranking of the models holds on other synthesizers, for all data sets of a budget: snakemake -c2 figure_transfer
rule figure_transfer:
    input:
        multiext(f"results/{config['budget']}/figures/transfer", ".pdf", ".png"),


rule transfer:
    input:
        scores=lambda wildcards: expand(
            "results/{budget}/{dataset}/scores.csv",
            budget=wildcards.budget,
            dataset=budget(wildcards)["datasets"],
        ),
    output:
        ranks="results/{budget}/tables/transfer.csv",
        correlations="results/{budget}/tables/transfer_correlations.csv",
    log:
        "results/{budget}/logs/transfer.log",
    benchmark:
        "results/{budget}/benchmarks/transfer.tsv"
    resources:
        **by_attempt(mem_mb=4000, runtime=20),
    params:
        code=code("evaluation/transfer"),
        metrics=["log_mel_l1", "spectral_convergence", "parameter_mse"],
        seed=config["seed"],
    script:
        "../scripts/evaluation/transfer.py"


use rule draw_complexity as draw_transfer with:
    input:
        style=STYLE,
        ranks="results/{budget}/tables/transfer.csv",
        correlations="results/{budget}/tables/transfer_correlations.csv",
    output:
        captioned("results/{budget}/figures/transfer"),
    log:
        "results/{budget}/logs/figures/transfer.log",
    benchmark:
        "results/{budget}/benchmarks/figures/transfer.tsv"
    params:
        code=code_of_figure("transfer"),
        module="transfer",


# Which decision rule suits which density, on validation sounds: snakemake -c2 results/quick/amsynth16/tables/decisions.csv
DENSITIES = [
    system
    for system in RUN.trained_models
    if draws_from_density(System.parse(system).model)
]
NO_DENSITY = settings.NEEDS.format(
    target="decisions.csv", needs="a model that samples a density, such as npe_nsf"
)
RULES = dict.fromkeys(DECISION_RULES, 64) | dict.fromkeys(SURROGATE_RULES, 256)


rule decision_study:
    input:
        synth=synth_of,
        features=shards("features"),
        split="results/{budget}/{dataset}/split/{split}.csv",
        checkpoints=lambda wildcards: required(
            expand(
                "results/{budget}/{dataset}/{split}/fold{fold}/{model}/checkpoint.pt",
                model=DENSITIES,
                **wildcards,
            ),
            "" if DENSITIES else NO_DENSITY,
        ),
        surrogate=f"results/{{budget}}/{{dataset}}/{{split}}/fold{{fold}}/{SURROGATE}/checkpoint.pt",
    output:
        "results/{budget}/{dataset}/{split}/fold{fold}/decisions.csv",
    log:
        "results/{budget}/{dataset}/logs/{split}/fold{fold}/decision_study.log",
    benchmark:
        "results/{budget}/{dataset}/benchmarks/{split}/fold{fold}/decision_study.tsv"
    resources:
        **by_attempt(mem_mb=4000, runtime=240),
    params:
        code=code("evaluation/decision_study", SURROGATE, *DENSITIES),
        models=DENSITIES,
        draws=RULES,
        render=RENDER,
        features=config["features"],
        seed=config["seed"],
    script:
        "../scripts/evaluation/decision_study.py"


rule summarise_decisions:
    input:
        lambda wildcards: expand(
            "results/{budget}/{dataset}/{split}/fold{fold}/decisions.csv",
            split=config["split"],
            fold=range(budget(wildcards)["folds"]),
            **wildcards,
        ),
    output:
        "results/{budget}/{dataset}/tables/decisions.csv",
    log:
        "results/{budget}/{dataset}/logs/summarise_decisions.log",
    benchmark:
        "results/{budget}/{dataset}/benchmarks/summarise_decisions.tsv"
    resources:
        **by_attempt(mem_mb=2000, runtime=10),
    params:
        code=code("evaluation/summarise_decisions"),
        seed=config["seed"],
    script:
        "../scripts/evaluation/summarise_decisions.py"
