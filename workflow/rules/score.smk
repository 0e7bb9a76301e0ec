# Score predictions that do not come from a single model: systems and submitted files.
rule score:
    input:
        synth=lambda wildcards: synth_of(wildcards.dataset),
        targets=shards("audio"),
        predictions="results/{budget}/{dataset}/{split}/fold{fold}/{model}/predictions.h5",
    output:
        audio="results/{budget}/{dataset}/{split}/fold{fold}/{model}/audio.h5",
        checksum="results/{budget}/{dataset}/{split}/fold{fold}/{model}/audio.h5.sha256",
        scores="results/{budget}/{dataset}/{split}/fold{fold}/{model}/scores.csv",
    log:
        "results/{budget}/{dataset}/logs/{split}/fold{fold}/{model}/score.log",
    benchmark:
        "results/{budget}/{dataset}/benchmarks/{split}/fold{fold}/{model}/score.tsv"
    conda:
        "../../envs/environment.yaml"
    threads: 1
    resources:
        mem_mb=by_attempt(4000),
        runtime=by_attempt(60),
    params:
        code=code("score"),
        render=RENDER,
    script:
        "../scripts/score.py"


ruleorder: predict_control > predict > score
