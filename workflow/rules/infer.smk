# Predict, render the predictions and score them, in one process: each of the three takes seconds.
rule predict:
    input:
        synth=lambda wildcards: synth_of(wildcards.dataset),
        features=shards("features"),
        targets=shards("audio"),
        split="results/{budget}/{dataset}/split/{split}.csv",
        checkpoint="results/{budget}/{dataset}/{split}/fold{fold}/{model}/checkpoint.pt",
    output:
        predictions="results/{budget}/{dataset}/{split}/fold{fold}/{model}/predictions.h5",
        predictions_checksum="results/{budget}/{dataset}/{split}/fold{fold}/{model}/predictions.h5.sha256",
        audio="results/{budget}/{dataset}/{split}/fold{fold}/{model}/audio.h5",
        audio_checksum="results/{budget}/{dataset}/{split}/fold{fold}/{model}/audio.h5.sha256",
        scores="results/{budget}/{dataset}/{split}/fold{fold}/{model}/scores.csv",
    log:
        "results/{budget}/{dataset}/logs/{split}/fold{fold}/{model}/predict.log",
    benchmark:
        "results/{budget}/{dataset}/benchmarks/{split}/fold{fold}/{model}/predict.tsv"
    wildcard_constraints:
        model=ANY_MODEL,
    conda:
        "../../envs/environment.yaml"
    threads: 1
    resources:
        mem_mb=by_attempt(4000),
        runtime=by_attempt(60),
    params:
        code=code_for_model("predict"),
        samples=lambda wildcards: budget(wildcards)["samples"],
        accelerator=lambda wildcards: budget(wildcards)["accelerator"],
        render=RENDER,
        seed=config["seed"],
    script:
        "../scripts/predict.py"


# without a GPU
use rule predict as predict_control with:
    wildcard_constraints:
        model=CONTROLS,
