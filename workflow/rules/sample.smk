# Only the features of the synthetic presets are stored: their audio would fill a disk.
rule augment_presets:
    input:
        synth=lambda wildcards: synth_of(wildcards.dataset),
        presets="results/{budget}/{dataset}/presets.csv",
        split="results/{budget}/{dataset}/split/{split}.csv",
        features=shards("features"),  # of the people's presets, to stay away from those that are held out
    output:
        features="results/{budget}/{dataset}/{split}/fold{fold}/sampled/{shard}.h5",
        checksum="results/{budget}/{dataset}/{split}/fold{fold}/sampled/{shard}.h5.sha256",
    log:
        "results/{budget}/{dataset}/logs/{split}/fold{fold}/sampled/{shard}.log",
    benchmark:
        "results/{budget}/{dataset}/benchmarks/{split}/fold{fold}/sampled/{shard}.tsv"
    conda:
        "../../envs/environment.yaml"
    threads: 1
    resources:
        mem_mb=by_attempt(4000),
        runtime=by_attempt(60),
    params:
        code=code("augment_presets"),
        presets=lambda wildcards: min(
            SAMPLED_IN_A_JOB,
            budget(wildcards)["sampled"] - int(wildcards.shard) * SAMPLED_IN_A_JOB,
        ),
        seed=config["seed"],
        render=RENDER,
        features=config["features"],
    script:
        "../scripts/augment_presets.py"
