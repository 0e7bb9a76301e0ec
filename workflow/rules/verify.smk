# Render some presets of each data set again and compare every bit. Without an output, it runs whenever it is requested.
rule verify:
    input:
        audio=expand(
            "results/{budget}/{dataset}/audio/{shard}.h5",
            budget=config["budget"],
            dataset=DATASETS,
            shard=range(BUDGET["shards"]),
        ),
    log:
        "results/logs/verify.log",
    conda:
        "../../envs/environment.yaml"
    threads: 1
    resources:
        mem_mb=by_attempt(1000),
        runtime=by_attempt(30),
    params:
        render=RENDER,
        at_least=100,
    script:
        "../scripts/verify.py"
