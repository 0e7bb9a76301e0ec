# Renders some presets of each data set again and compares every bit. It has no output, so it runs whenever it is asked for.
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
