rule presets:
    input:
        synth=synth_of,
        banks=banks_of,
    output:
        "results/{budget}/{dataset}/presets.csv",
    log:
        "results/{budget}/{dataset}/logs/presets.log",
    benchmark:
        "results/{budget}/{dataset}/benchmarks/presets.tsv"
    resources:
        **by_attempt(mem_mb=1000, runtime=10),
    params:
        code=code("data/presets"),
        banks=config.get("banks"),
        limit=lambda wildcards: budget(wildcards)["presets"],
        seed=config["seed"],
    script:
        "../scripts/data/presets.py"


rule render:
    input:
        synth=synth_of,
        presets="results/{budget}/{dataset}/presets.csv",
    output:
        audio="results/{budget}/{dataset}/audio/{shard}.h5",
    log:
        "results/{budget}/{dataset}/logs/render/{shard}.log",
    benchmark:
        "results/{budget}/{dataset}/benchmarks/render/{shard}.tsv"
    resources:
        **by_attempt(mem_mb=1000, runtime=60),
    params:
        code=code("data/render"),
        shards=lambda wildcards: budget(wildcards)["shards"],
        render=RENDER,
    script:
        "../scripts/data/render.py"


# Render some presets of each data set again and compare every bit. Without an output, it runs whenever it is requested.
rule verify:
    input:
        audio=expand(
            "results/{budget}/{dataset}/audio/{shard}.h5",
            budget=config["budget"],
            dataset=RUN.datasets,
            shard=range(RUN.budget["shards"]),
        ),
    log:
        "results/logs/verify.log",
    resources:
        **by_attempt(mem_mb=1000, runtime=30),
    params:
        render=RENDER,
        at_least=100,
    script:
        "../scripts/data/verify.py"


rule features:
    input:
        audio="results/{budget}/{dataset}/audio/{shard}.h5",
    output:
        features="results/{budget}/{dataset}/features/{shard}.h5",
    log:
        "results/{budget}/{dataset}/logs/features/{shard}.log",
    benchmark:
        "results/{budget}/{dataset}/benchmarks/features/{shard}.tsv"
    resources:
        **by_attempt(mem_mb=2000, runtime=30),
    params:
        code=code("data/features"),
        features=config["features"],
    script:
        "../scripts/data/features.py"


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
    resources:
        **by_attempt(mem_mb=4000, runtime=30),
    params:
        code=code("data/split"),
        folds=lambda wildcards: budget(wildcards)["folds"],
        same_parameters=lambda wildcards: synths.dataset(wildcards.dataset)[
            0
        ].same_parameters,
        seed=config["seed"],
    script:
        "../scripts/data/split.py"


# Only the features of the synthetic presets are stored: their audio would fill a disk.
rule augment_presets:
    input:
        synth=synth_of,
        presets="results/{budget}/{dataset}/presets.csv",
        split="results/{budget}/{dataset}/split/{split}.csv",
        features=shards("features"),  # of the people's presets, to stay away from those that are held out
    output:
        features="results/{budget}/{dataset}/{split}/fold{fold}/sampled/{shard}.h5",
    log:
        "results/{budget}/{dataset}/logs/{split}/fold{fold}/sampled/{shard}.log",
    benchmark:
        "results/{budget}/{dataset}/benchmarks/{split}/fold{fold}/sampled/{shard}.tsv"
    resources:
        **by_attempt(mem_mb=4000, runtime=60),
    params:
        code=code("data/augment_presets"),
        presets=lambda wildcards: settings.job_sizes(
            budget(wildcards)["synthetic_presets"]
        )[int(wildcards.shard)],
        seed=config["seed"],
        render=RENDER,
        features=config["features"],
    script:
        "../scripts/data/augment_presets.py"
