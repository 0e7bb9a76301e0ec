# One rule per figure, which writes both formats; the targets are named after the keys of FIGURES:
#
#     snakemake -c2 figure_macro_controls
#     snakemake --list-target-rules | grep figure_
#
# Figures of a single fold show the first one; figures of a single model lie in the folder of that model.
# All rules share one script, which calls the function with the rule's name in a module of flowsynth.figures.


for name, (_, lacks) in FIGURES.items():

    rule:
        name:
            f"figure_{name}"
        input:
            (
                DRAWN[name]
                if name in DRAWN
                else lambda wildcards, name=name, lacks=lacks: refuse(
                    f"figure_{name} needs {lacks}: see config.yaml"
                )
            ),


rule draw_scores:
    input:
        style=str(PACKAGE / "figures/figures.mplstyle"),
        scores="results/{budget}/{dataset}/scores.csv",
    output:
        captioned("results/{budget}/{dataset}/figures/scores"),
    log:
        "results/{budget}/{dataset}/logs/figures/scores.log",
    benchmark:
        "results/{budget}/{dataset}/benchmarks/figures/scores.tsv"
    conda:
        "../../envs/environment.yaml"
    threads: 1
    resources:
        mem_mb=by_attempt(2000),
        runtime=by_attempt(10),
    params:
        code=code_of_figure("scores"),
        module="scores",
        models=SYSTEMS,
    script:
        "../scripts/draw.py"


rule draw_critical_difference:
    input:
        style=str(PACKAGE / "figures/figures.mplstyle"),
        scores="results/{budget}/{dataset}/scores.csv",
    output:
        captioned("results/{budget}/{dataset}/figures/critical_difference"),
    log:
        "results/{budget}/{dataset}/logs/figures/critical_difference.log",
    benchmark:
        "results/{budget}/{dataset}/benchmarks/figures/critical_difference.tsv"
    conda:
        "../../envs/environment.yaml"
    threads: 1
    resources:
        mem_mb=by_attempt(2000),
        runtime=by_attempt(10),
    params:
        code=code_of_figure("critical_difference"),
        module="critical_difference",
        models=SYSTEMS,
    script:
        "../scripts/draw.py"


rule draw_curves:
    input:
        style=str(PACKAGE / "figures/figures.mplstyle"),
        histories=lambda wildcards: expand(
            "results/{budget}/{dataset}/{split}/fold{fold}/{model}/history.csv",
            budget=wildcards.budget,
            dataset=wildcards.dataset,
            split=config["split"],
            fold=range(budget(wildcards)["folds"]),
            model=MODELS,
        ),
    output:
        captioned("results/{budget}/{dataset}/figures/curves"),
    log:
        "results/{budget}/{dataset}/logs/figures/curves.log",
    benchmark:
        "results/{budget}/{dataset}/benchmarks/figures/curves.tsv"
    conda:
        "../../envs/environment.yaml"
    threads: 1
    resources:
        mem_mb=by_attempt(2000),
        runtime=by_attempt(10),
    params:
        code=code_of_figure("curves"),
        module="curves",
    script:
        "../scripts/draw.py"


rule draw_reconstruction:
    input:
        style=str(PACKAGE / "figures/figures.mplstyle"),
        targets=shards("audio"),
        selection=f"{FOLD}/{SHOWN}/selection.csv",
        predictions=[f"{FOLD}/{model}/predictions.h5" for model in DISPLAYED_MODELS],
        audio=[f"{FOLD}/{model}/audio.h5" for model in DISPLAYED_MODELS],
    output:
        captioned("results/{budget}/{dataset}/figures/reconstruction"),
    log:
        "results/{budget}/{dataset}/logs/figures/reconstruction.log",
    benchmark:
        "results/{budget}/{dataset}/benchmarks/figures/reconstruction.tsv"
    conda:
        "../../envs/environment.yaml"
    threads: 1
    resources:
        mem_mb=by_attempt(4000),
        runtime=by_attempt(10),
    params:
        code=code_of_figure("reconstruction"),
        module="reconstruction",
        models=DISPLAYED_MODELS,
    script:
        "../scripts/draw.py"


# By default the dimension that changes parameters most; any other: figures/flow_reg/macro_controls_z5.pdf.
rule draw_macro_controls:
    input:
        style=str(PACKAGE / "figures/figures.mplstyle"),
        vectors=f"{FOLD}/{{model}}/explore/macro_controls.h5",
        audio=f"{FOLD}/{{model}}/explore/audio/macro_controls.h5",
    output:
        captioned(
            "results/{budget}/{dataset}/figures/{model}/macro_controls{dimension}"
        ),
    log:
        "results/{budget}/{dataset}/logs/figures/{model}/macro_controls{dimension}.log",
    benchmark:
        "results/{budget}/{dataset}/benchmarks/figures/{model}/macro_controls{dimension}.tsv"
    wildcard_constraints:
        dimension="|_z[0-9]+",
    conda:
        "../../envs/environment.yaml"
    threads: 1
    resources:
        mem_mb=by_attempt(2000),
        runtime=by_attempt(10),
    params:
        code=code_of_figure("macro_controls"),
        module="macro_controls",
    script:
        "../scripts/draw.py"


rule draw_neighbourhood:
    input:
        style=str(PACKAGE / "figures/figures.mplstyle"),
        vectors=f"{FOLD}/{{model}}/explore/neighbourhood.h5",
        audio=f"{FOLD}/{{model}}/explore/audio/neighbourhood.h5",
        space=f"{FOLD}/{{model}}/explore/space.h5",
    output:
        captioned("results/{budget}/{dataset}/figures/{model}/neighbourhood"),
    log:
        "results/{budget}/{dataset}/logs/figures/{model}/neighbourhood.log",
    benchmark:
        "results/{budget}/{dataset}/benchmarks/figures/{model}/neighbourhood.tsv"
    conda:
        "../../envs/environment.yaml"
    threads: 1
    resources:
        mem_mb=by_attempt(2000),
        runtime=by_attempt(10),
    params:
        code=code_of_figure("neighbourhood"),
        module="neighbourhood",
    script:
        "../scripts/draw.py"


rule draw_interpolation:
    input:
        style=str(PACKAGE / "figures/figures.mplstyle"),
        vectors=f"{FOLD}/{{model}}/explore/interpolation.h5",
        audio=f"{FOLD}/{{model}}/explore/audio/interpolation.h5",
    output:
        captioned("results/{budget}/{dataset}/figures/{model}/interpolation"),
    log:
        "results/{budget}/{dataset}/logs/figures/{model}/interpolation.log",
    benchmark:
        "results/{budget}/{dataset}/benchmarks/figures/{model}/interpolation.tsv"
    conda:
        "../../envs/environment.yaml"
    threads: 1
    resources:
        mem_mb=by_attempt(2000),
        runtime=by_attempt(10),
    params:
        code=code_of_figure("interpolation"),
        module="interpolation",
    script:
        "../scripts/draw.py"


rule draw_latent_space:
    input:
        style=str(PACKAGE / "figures/figures.mplstyle"),
        space=f"{FOLD}/{{model}}/explore/space.h5",
        features=shards("features"),
    output:
        captioned("results/{budget}/{dataset}/figures/{model}/latent_space"),
    log:
        "results/{budget}/{dataset}/logs/figures/{model}/latent_space.log",
    benchmark:
        "results/{budget}/{dataset}/benchmarks/figures/{model}/latent_space.tsv"
    conda:
        "../../envs/environment.yaml"
    threads: 1
    resources:
        mem_mb=by_attempt(2000),
        runtime=by_attempt(10),
    params:
        code=code_of_figure("latent_space"),
        module="latent_space",
    script:
        "../scripts/draw.py"


rule draw_smoothness:
    input:
        style=str(PACKAGE / "figures/figures.mplstyle"),
        lines="results/{budget}/{dataset}/tables/{model}/smoothness.csv",
        summary="results/{budget}/{dataset}/tables/{model}/smoothness_summary.csv",
    output:
        captioned("results/{budget}/{dataset}/figures/{model}/smoothness"),
    log:
        "results/{budget}/{dataset}/logs/figures/{model}/smoothness.log",
    benchmark:
        "results/{budget}/{dataset}/benchmarks/figures/{model}/smoothness.tsv"
    conda:
        "../../envs/environment.yaml"
    threads: 1
    resources:
        mem_mb=by_attempt(2000),
        runtime=by_attempt(10),
    params:
        code=code_of_figure("smoothness"),
        module="smoothness",
    script:
        "../scripts/draw.py"


rule draw_semantic:
    input:
        style=str(PACKAGE / "figures/figures.mplstyle"),
        before=f"{FOLD}/{PLAIN}/explore/space.h5",
        after=f"{FOLD}/{SEMANTIC}/explore/space.h5",
        vectors=f"{FOLD}/{SEMANTIC}/explore/semantic.h5",
        audio=f"{FOLD}/{SEMANTIC}/explore/audio/semantic.h5",
        features=shards("features"),
        thresholds="results/{budget}/{dataset}/tables/semantics.csv",
    output:
        captioned("results/{budget}/{dataset}/figures/semantic"),
    log:
        "results/{budget}/{dataset}/logs/figures/semantic.log",
    benchmark:
        "results/{budget}/{dataset}/benchmarks/figures/semantic.tsv"
    conda:
        "../../envs/environment.yaml"
    threads: 1
    resources:
        mem_mb=by_attempt(2000),
        runtime=by_attempt(10),
    params:
        code=code_of_figure("semantic"),
        module="semantic",
        models=[PLAIN, SEMANTIC],
    script:
        "../scripts/draw.py"


rule draw_complexity:
    input:
        style=str(PACKAGE / "figures/figures.mplstyle"),
        table="results/{budget}/tables/complexity.csv",
    output:
        captioned("results/{budget}/figures/complexity"),
    log:
        "results/{budget}/logs/figures/complexity.log",
    benchmark:
        "results/{budget}/benchmarks/figures/complexity.tsv"
    conda:
        "../../envs/environment.yaml"
    threads: 1
    resources:
        mem_mb=by_attempt(2000),
        runtime=by_attempt(10),
    params:
        code=code_of_figure("scaling"),
        module="scaling",
        models=SYSTEMS,
    script:
        "../scripts/draw.py"


rule draw_calibration:
    input:
        style=str(PACKAGE / "figures/figures.mplstyle"),
        table="results/{budget}/{dataset}/tables/calibration.csv",
        coverage="results/{budget}/{dataset}/tables/coverage.csv",
    output:
        captioned("results/{budget}/{dataset}/figures/calibration"),
    log:
        "results/{budget}/{dataset}/logs/figures/calibration.log",
    benchmark:
        "results/{budget}/{dataset}/benchmarks/figures/calibration.tsv"
    conda:
        "../../envs/environment.yaml"
    threads: 1
    resources:
        mem_mb=by_attempt(2000),
        runtime=by_attempt(10),
    params:
        code=code_of_figure("calibration"),
        module="calibration",
    script:
        "../scripts/draw.py"
