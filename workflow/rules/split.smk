rule split:
    input:
        features=shards("features"),
        presets=lambda wildcards: (
            [f"results/{wildcards.budget}/{wildcards.dataset}/presets.csv"]
            if wildcards.split == "published"
            else []
        ),
    output:
        split="results/{budget}/{dataset}/split/{split}.csv",
        leaks="results/{budget}/{dataset}/split/{split}_leaks.csv",
    log:
        "results/{budget}/{dataset}/logs/split/{split}.log",
    benchmark:
        "results/{budget}/{dataset}/benchmarks/split/{split}.tsv"
    conda:
        "../../envs/environment.yaml"
    threads: 1
    resources:
        mem_mb=by_attempt(4000),
        runtime=by_attempt(30),
    params:
        code=code("split"),
        folds=lambda wildcards: budget(wildcards)["folds"],
        seed=config["seed"],
    script:
        "../scripts/split.py"
