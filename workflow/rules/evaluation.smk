# Score predictions that do not come from a single model: systems and submitted files.
rule score:
    input:
        synth=synth_of,
        targets=shards("audio"),
        predictions="results/{budget}/{dataset}/{split}/fold{fold}/{model}/predictions.h5",
    output:
        audio="results/{budget}/{dataset}/{split}/fold{fold}/{model}/audio.h5",
        scores="results/{budget}/{dataset}/{split}/fold{fold}/{model}/scores.csv",
    log:
        "results/{budget}/{dataset}/logs/{split}/fold{fold}/{model}/score.log",
    benchmark:
        "results/{budget}/{dataset}/benchmarks/{split}/fold{fold}/{model}/score.tsv"
    resources:
        **by_attempt(mem_mb=4000, runtime=60),
    params:
        code=code("evaluation/score"),
        render=RENDER,
    script:
        "../scripts/evaluation/score.py"


ruleorder: predict_control > predict > score


rule collect_scores:
    input:
        scores=lambda wildcards: expand(
            "results/{budget}/{dataset}/{split}/fold{fold}/{model}/scores.csv",
            budget=wildcards.budget,
            dataset=wildcards.dataset,
            split=config["split"],
            fold=range(budget(wildcards)["folds"]),
            model=RUN.systems,
        ),
    output:
        "results/{budget}/{dataset}/scores.csv",
    log:
        "results/{budget}/{dataset}/logs/collect_scores.log",
    benchmark:
        "results/{budget}/{dataset}/benchmarks/collect_scores.tsv"
    resources:
        **by_attempt(mem_mb=2000, runtime=10),
    params:
        code=code("evaluation/collect_scores"),
    script:
        "../scripts/evaluation/collect_scores.py"


rule summarise_scores:
    input:
        scores="results/{budget}/{dataset}/scores.csv",
    output:
        csv="results/{budget}/{dataset}/tables/scores.csv",
        md="results/{budget}/{dataset}/tables/scores.md",
        tex="results/{budget}/{dataset}/tables/scores.tex",
    log:
        "results/{budget}/{dataset}/logs/summarise_scores.log",
    benchmark:
        "results/{budget}/{dataset}/benchmarks/summarise_scores.tsv"
    resources:
        **by_attempt(mem_mb=2000, runtime=10),
    params:
        code=code("evaluation/summarise_scores"),
        models=RUN.systems,
    script:
        "../scripts/evaluation/summarise_scores.py"


rule statistics:
    input:
        scores="results/{budget}/{dataset}/scores.csv",
    output:
        anova="results/{budget}/{dataset}/tables/anova.csv",
        comparisons="results/{budget}/{dataset}/tables/comparisons.csv",
    log:
        "results/{budget}/{dataset}/logs/statistics.log",
    benchmark:
        "results/{budget}/{dataset}/benchmarks/statistics.tsv"
    resources:
        **by_attempt(mem_mb=2000, runtime=10),
    params:
        code=code("evaluation/statistics"),
        seed=config["seed"],
    script:
        "../scripts/evaluation/statistics.py"


# For models trained with several seeds: snakemake -c2 --config budget=seeds
rule seed_variance:
    input:
        scores="results/{budget}/{dataset}/scores.csv",
    output:
        "results/{budget}/{dataset}/tables/variance.csv",
    log:
        "results/{budget}/{dataset}/logs/seed_variance.log",
    benchmark:
        "results/{budget}/{dataset}/benchmarks/seed_variance.tsv"
    resources:
        **by_attempt(mem_mb=2000, runtime=10),
    params:
        code=code("evaluation/seed_variance"),
    script:
        "../scripts/evaluation/seed_variance.py"


rule paper:
    input:
        scores="results/{budget}/{dataset}/scores.csv",
        published=str(PACKAGE.parent / "workflow/data/esling2019.csv"),
        reasons=str(PACKAGE.parent / "workflow/data/reasons.csv"),
    output:
        csv="results/{budget}/{dataset}/tables/paper.csv",
        md="results/{budget}/{dataset}/tables/paper.md",
    log:
        "results/{budget}/{dataset}/logs/paper.log",
    benchmark:
        "results/{budget}/{dataset}/benchmarks/paper.tsv"
    resources:
        **by_attempt(mem_mb=2000, runtime=10),
    params:
        code=code("evaluation/compare_with_paper"),
    script:
        "../scripts/evaluation/compare_with_paper.py"


# For the first fold. Training times are those of the jobs, measured by Snakemake.
rule cost:
    input:
        checkpoints=expand(
            "results/{{budget}}/{{dataset}}/{split}/fold0/{model}/checkpoint.pt",
            split=config["split"],
            model=RUN.models,
        ),
        timings=expand(
            "results/{{budget}}/{{dataset}}/benchmarks/{split}/fold0/{model}/train.tsv",
            split=config["split"],
            model=RUN.models,
        ),
        features=shards("features"),
        split=f"results/{{budget}}/{{dataset}}/split/{config['split']}.csv",
    output:
        "results/{budget}/{dataset}/tables/cost.csv",
    log:
        "results/{budget}/{dataset}/logs/cost.log",
    resources:
        **by_attempt(mem_mb=4000, runtime=10),
    params:
        code=code("evaluation/cost"),
        models=RUN.models,
    script:
        "../scripts/evaluation/cost.py"


rule leaks:
    input:
        expand(
            "results/{{budget}}/{{dataset}}/split/{split}_leaks.csv",
            split=SPLITS,
        ),
    output:
        "results/{budget}/{dataset}/tables/leaks.csv",
    log:
        "results/{budget}/{dataset}/logs/leaks.log",
    benchmark:
        "results/{budget}/{dataset}/benchmarks/leaks.tsv"
    resources:
        **by_attempt(mem_mb=1000, runtime=10),
    script:
        "../scripts/evaluation/leaks.py"


# For the first fold, whose training set gives the thresholds.
rule semantics:
    input:
        features=shards("features"),
        split=f"results/{{budget}}/{{dataset}}/split/{config['split']}.csv",
        presets="results/{budget}/{dataset}/presets.csv",
    output:
        "results/{budget}/{dataset}/tables/semantics.csv",
    log:
        "results/{budget}/{dataset}/logs/semantics.log",
    benchmark:
        "results/{budget}/{dataset}/benchmarks/semantics.tsv"
    resources:
        **by_attempt(mem_mb=4000, runtime=10),
    params:
        code=code("evaluation/semantics"),
    script:
        "../scripts/evaluation/semantics.py"


# Parameter errors without those that are inaudible.
rule symmetry:
    input:
        synth=synth_of,
        predictions=lambda wildcards: expand(
            "results/{budget}/{dataset}/{split}/fold{fold}/{model}/predictions.h5",
            budget=wildcards.budget,
            dataset=wildcards.dataset,
            split=config["split"],
            fold=range(budget(wildcards)["folds"]),
            model=RUN.systems,
        ),
    output:
        "results/{budget}/{dataset}/tables/symmetry.csv",
    log:
        "results/{budget}/{dataset}/logs/symmetry.log",
    benchmark:
        "results/{budget}/{dataset}/benchmarks/symmetry.tsv"
    resources:
        **by_attempt(mem_mb=2000, runtime=10),
    params:
        code=code("evaluation/symmetry"),
    script:
        "../scripts/evaluation/symmetry.py"


# Distances that were fitted to listening tests; they cost too much for all sounds of a small budget.
rule perception:
    input:
        targets=shards("audio"),
        predictions=expand(
            "results/{budget}/{dataset}/{split}/fold{fold}/{model}/predictions.h5",
            model=RUN.systems,
            allow_missing=True,
        ),
        audio=expand(
            "results/{budget}/{dataset}/{split}/fold{fold}/{model}/audio.h5",
            model=RUN.systems,
            allow_missing=True,
        ),
        scores=expand(
            "results/{budget}/{dataset}/{split}/fold{fold}/{model}/scores.csv",
            model=RUN.systems[0],
            allow_missing=True,
        ),
    output:
        "results/{budget}/{dataset}/{split}/fold{fold}/perception.csv",
    log:
        "results/{budget}/{dataset}/logs/{split}/fold{fold}/perception.log",
    benchmark:
        "results/{budget}/{dataset}/benchmarks/{split}/fold{fold}/perception.tsv"
    resources:
        **by_attempt(mem_mb=2000, runtime=120),
    params:
        code=code("evaluation/perception"),
        number=lambda wildcards: budget(wildcards)["perception_items"],
        seed=config["seed"],
    script:
        "../scripts/evaluation/perception.py"


rule summarise_perception:
    input:
        distances=lambda wildcards: expand(
            "results/{budget}/{dataset}/{split}/fold{fold}/perception.csv",
            split=config["split"],
            fold=range(budget(wildcards)["folds"]),
            **wildcards,
        ),
        scores="results/{budget}/{dataset}/scores.csv",
    output:
        distances="results/{budget}/{dataset}/tables/perception.csv",
        agreement="results/{budget}/{dataset}/tables/perception_agreement.csv",
    log:
        "results/{budget}/{dataset}/logs/summarise_perception.log",
    benchmark:
        "results/{budget}/{dataset}/benchmarks/summarise_perception.tsv"
    resources:
        **by_attempt(mem_mb=2000, runtime=20),
    params:
        code=code("evaluation/summarise_perception"),
        seed=config["seed"],
    script:
        "../scripts/evaluation/summarise_perception.py"


# The table in the layout of the paper: one row per model, columns by number of parameters.
rule complexity:
    input:
        scores=lambda wildcards: expand(
            "results/{budget}/{dataset}/scores.csv",
            budget=wildcards.budget,
            dataset=settings.datasets(config, wildcards.budget),
        ),
    output:
        csv="results/{budget}/tables/complexity.csv",
        md="results/{budget}/tables/complexity.md",
        tex="results/{budget}/tables/complexity.tex",
    log:
        "results/{budget}/logs/complexity.log",
    benchmark:
        "results/{budget}/benchmarks/complexity.tsv"
    resources:
        **by_attempt(mem_mb=4000, runtime=10),
    params:
        code=code("evaluation/complexity"),
        models=RUN.systems,
    script:
        "../scripts/evaluation/complexity.py"


# Over all folds; the spread of the presets is that of the training set of the first fold.
rule calibration:
    input:
        features=shards("features"),
        split=f"results/{{budget}}/{{dataset}}/split/{config['split']}.csv",
        candidates=lambda wildcards: expand(
            "results/{budget}/{dataset}/{split}/fold{fold}/{system}/candidates.h5",
            budget=wildcards.budget,
            dataset=wildcards.dataset,
            split=config["split"],
            fold=range(budget(wildcards)["folds"]),
            system=RUN.density_systems,
        ),
    output:
        table="results/{budget}/{dataset}/tables/calibration.csv",
        coverage="results/{budget}/{dataset}/tables/coverage.csv",
    log:
        "results/{budget}/{dataset}/logs/calibration.log",
    benchmark:
        "results/{budget}/{dataset}/benchmarks/calibration.tsv"
    resources:
        **by_attempt(mem_mb=4000, runtime=10),
    params:
        code=code("evaluation/calibration"),
        systems=RUN.density_systems,
        seed=config["seed"],
    script:
        "../scripts/evaluation/calibration.py"


rule select_examples:
    input:
        scores="results/{budget}/{dataset}/{split}/fold{fold}/{model}/scores.csv",
    output:
        "results/{budget}/{dataset}/{split}/fold{fold}/{model}/selection.csv",
    log:
        "results/{budget}/{dataset}/logs/{split}/fold{fold}/{model}/select_examples.log",
    benchmark:
        "results/{budget}/{dataset}/benchmarks/{split}/fold{fold}/{model}/select_examples.tsv"
    resources:
        **by_attempt(mem_mb=1000, runtime=10),
    params:
        code=code("evaluation/select_examples"),
        seed=config["seed"],
    script:
        "../scripts/evaluation/select_examples.py"
