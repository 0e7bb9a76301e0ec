rule infer:
    input:
        code=code("infer"),
        model=lambda wildcards: code_of(wildcards.model),
        features=shards("features"),
        split="results/{budget}/{dataset}/split/{split}.csv",
        checkpoint="results/{budget}/{dataset}/{split}/fold{fold}/{model}/checkpoint.pt",
    output:
        predictions="results/{budget}/{dataset}/{split}/fold{fold}/{model}/predictions.h5",
        checksum="results/{budget}/{dataset}/{split}/fold{fold}/{model}/predictions.h5.sha256",
    log:
        "results/{budget}/{dataset}/logs/{split}/fold{fold}/{model}/infer.log",
    benchmark:
        "results/{budget}/{dataset}/benchmarks/{split}/fold{fold}/{model}/infer.tsv"
    wildcard_constraints:
        model=ANY_MODEL,
    conda:
        "../../envs/environment.yaml"
    threads: 1
    resources:
        mem_mb=by_attempt(4000),
        runtime=by_attempt(60),
    params:
        samples=lambda wildcards: budget(wildcards)["samples"],
        accelerator=lambda wildcards: budget(wildcards)["accelerator"],
        seed=config["seed"],
    script:
        "../scripts/infer.py"


# needs no GPU
use rule infer as infer_control with:
    wildcard_constraints:
        model=CONTROLS,


ruleorder: infer_control > infer
