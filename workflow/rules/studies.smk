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
