rule features:
    input:
        audio="results/{budget}/{dataset}/audio/{shard}.h5",
        checksum="results/{budget}/{dataset}/audio/{shard}.h5.sha256",
    output:
        features="results/{budget}/{dataset}/features/{shard}.h5",
        checksum="results/{budget}/{dataset}/features/{shard}.h5.sha256",
    log:
        "results/{budget}/{dataset}/logs/features/{shard}.log",
    benchmark:
        "results/{budget}/{dataset}/benchmarks/features/{shard}.tsv"
    conda:
        "../../envs/environment.yaml"
    threads: 1
    resources:
        mem_mb=by_attempt(2000),
        runtime=by_attempt(30),
    params:
        code=code("features"),
        features=config["features"],
    script:
        "../scripts/features.py"
