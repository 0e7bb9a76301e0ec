from glob import glob


rule presets:
    input:
        synth=lambda wildcards: synth_of(wildcards.dataset),
        banks=lambda wildcards: sorted(glob(synths.dataset(wildcards.dataset)[0].banks)),
    output:
        "results/{budget}/{dataset}/presets.csv",
    log:
        "results/{budget}/{dataset}/logs/presets.log",
    benchmark:
        "results/{budget}/{dataset}/benchmarks/presets.tsv"
    conda:
        "../../envs/environment.yaml"
    threads: 1
    resources:
        mem_mb=by_attempt(1000),
        runtime=by_attempt(10),
    params:
        code=code("presets"),
        limit=lambda wildcards: budget(wildcards)["presets"],
        seed=config["seed"],
    script:
        "../scripts/presets.py"
