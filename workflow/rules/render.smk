rule render:
    input:
        synth=lambda wildcards: synth_of(wildcards.dataset),
        presets="results/{budget}/{dataset}/presets.csv",
    output:
        audio="results/{budget}/{dataset}/audio/{shard}.h5",
        checksum="results/{budget}/{dataset}/audio/{shard}.h5.sha256",
    log:
        "results/{budget}/{dataset}/logs/render/{shard}.log",
    benchmark:
        "results/{budget}/{dataset}/benchmarks/render/{shard}.tsv"
    conda:
        "../../envs/environment.yaml"
    threads: 1
    resources:
        mem_mb=by_attempt(1000),
        runtime=by_attempt(60),
    params:
        code=code("render"),
        shards=lambda wildcards: budget(wildcards)["shards"],
        render=RENDER,
    script:
        "../scripts/render.py"
