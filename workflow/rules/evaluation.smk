# Score predictions that do not come from a single model: systems and submitted files.
rule score:
    input:
        synth=lambda wildcards: synth_of(wildcards.dataset),
        targets=shards("audio"),
        predictions="results/{budget}/{dataset}/{split}/fold{fold}/{model}/predictions.h5",
    output:
        audio="results/{budget}/{dataset}/{split}/fold{fold}/{model}/audio.h5",
        checksum="results/{budget}/{dataset}/{split}/fold{fold}/{model}/audio.h5.sha256",
        scores="results/{budget}/{dataset}/{split}/fold{fold}/{model}/scores.csv",
    log:
        "results/{budget}/{dataset}/logs/{split}/fold{fold}/{model}/score.log",
    benchmark:
        "results/{budget}/{dataset}/benchmarks/{split}/fold{fold}/{model}/score.tsv"
    conda:
        "../../envs/environment.yaml"
    threads: 1
    resources:
        mem_mb=by_attempt(4000),
        runtime=by_attempt(60),
    params:
        code=code("score"),
        render=RENDER,
    script:
        "../scripts/score.py"


ruleorder: predict_control > predict > score


rule collect_scores:
    input:
        scores=lambda wildcards: expand(
            "results/{budget}/{dataset}/{split}/fold{fold}/{model}/scores.csv",
            budget=wildcards.budget,
            dataset=wildcards.dataset,
            split=config["split"],
            fold=range(budget(wildcards)["folds"]),
            model=SYSTEMS,
        ),
    output:
        "results/{budget}/{dataset}/scores.csv",
    log:
        "results/{budget}/{dataset}/logs/collect_scores.log",
    benchmark:
        "results/{budget}/{dataset}/benchmarks/collect_scores.tsv"
    conda:
        "../../envs/environment.yaml"
    threads: 1
    resources:
        mem_mb=by_attempt(2000),
        runtime=by_attempt(10),
    params:
        code=code("collect_scores"),
    script:
        "../scripts/collect_scores.py"


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
    conda:
        "../../envs/environment.yaml"
    threads: 1
    resources:
        mem_mb=by_attempt(2000),
        runtime=by_attempt(10),
    params:
        code=code("summarise_scores"),
        models=SYSTEMS,
    script:
        "../scripts/summarise_scores.py"


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
    conda:
        "../../envs/environment.yaml"
    threads: 1
    resources:
        mem_mb=by_attempt(2000),
        runtime=by_attempt(10),
    params:
        code=code("statistics"),
        seed=config["seed"],
    script:
        "../scripts/statistics.py"


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
    conda:
        "../../envs/environment.yaml"
    threads: 1
    resources:
        mem_mb=by_attempt(2000),
        runtime=by_attempt(10),
    params:
        code=code("seed_variance"),
    script:
        "../scripts/seed_variance.py"


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
    conda:
        "../../envs/environment.yaml"
    threads: 1
    resources:
        mem_mb=by_attempt(2000),
        runtime=by_attempt(10),
    params:
        code=code("paper"),
    script:
        "../scripts/paper.py"


# For the first fold. Training times are those of the jobs, measured by Snakemake.
rule cost:
    input:
        checkpoints=expand(
            "results/{{budget}}/{{dataset}}/{split}/fold0/{model}/checkpoint.pt",
            split=config["split"],
            model=MODELS,
        ),
        timings=expand(
            "results/{{budget}}/{{dataset}}/benchmarks/{split}/fold0/{model}/train.tsv",
            split=config["split"],
            model=MODELS,
        ),
        features=shards("features"),
        split=f"results/{{budget}}/{{dataset}}/split/{config['split']}.csv",
    output:
        "results/{budget}/{dataset}/tables/cost.csv",
    log:
        "results/{budget}/{dataset}/logs/cost.log",
    conda:
        "../../envs/environment.yaml"
    threads: 1
    resources:
        mem_mb=by_attempt(4000),
        runtime=by_attempt(10),
    params:
        code=code("cost"),
        models=MODELS,
    script:
        "../scripts/cost.py"


rule leaks:
    input:
        expand(
            "results/{{budget}}/{{dataset}}/split/{split}_leaks.csv",
            split=["random", "grouped"]
            + ["published"] * (config["split"] == "published"),
        ),
    output:
        "results/{budget}/{dataset}/tables/leaks.csv",
    log:
        "results/{budget}/{dataset}/logs/leaks.log",
    benchmark:
        "results/{budget}/{dataset}/benchmarks/leaks.tsv"
    conda:
        "../../envs/environment.yaml"
    threads: 1
    resources:
        mem_mb=by_attempt(1000),
        runtime=by_attempt(10),
    script:
        "../scripts/leaks.py"


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
    conda:
        "../../envs/environment.yaml"
    threads: 1
    resources:
        mem_mb=by_attempt(4000),
        runtime=by_attempt(10),
    params:
        code=code("semantics"),
    script:
        "../scripts/semantics.py"


# Parameter errors without those that are inaudible.
rule symmetry:
    input:
        synth=lambda wildcards: synth_of(wildcards.dataset),
        predictions=lambda wildcards: expand(
            "results/{budget}/{dataset}/{split}/fold{fold}/{model}/predictions.h5",
            budget=wildcards.budget,
            dataset=wildcards.dataset,
            split=config["split"],
            fold=range(budget(wildcards)["folds"]),
            model=SYSTEMS,
        ),
    output:
        "results/{budget}/{dataset}/tables/symmetry.csv",
    log:
        "results/{budget}/{dataset}/logs/symmetry.log",
    benchmark:
        "results/{budget}/{dataset}/benchmarks/symmetry.tsv"
    conda:
        "../../envs/environment.yaml"
    threads: 1
    resources:
        mem_mb=by_attempt(2000),
        runtime=by_attempt(10),
    params:
        code=code("symmetry"),
    script:
        "../scripts/symmetry.py"


# The table in the layout of the paper: one row per model, columns by number of parameters.
rule complexity:
    input:
        scores=lambda wildcards: expand(
            "results/{budget}/{dataset}/scores.csv",
            budget=wildcards.budget,
            dataset=datasets(config, wildcards.budget),
        ),
    output:
        csv="results/{budget}/tables/complexity.csv",
        md="results/{budget}/tables/complexity.md",
        tex="results/{budget}/tables/complexity.tex",
    log:
        "results/{budget}/logs/complexity.log",
    benchmark:
        "results/{budget}/benchmarks/complexity.tsv"
    conda:
        "../../envs/environment.yaml"
    threads: 1
    resources:
        mem_mb=by_attempt(4000),
        runtime=by_attempt(10),
    params:
        code=code("complexity"),
        models=SYSTEMS,
    script:
        "../scripts/complexity.py"
