rule score:
    input:
        code=code("score"),
        targets=shards("audio"),
        predictions="results/{budget}/{dataset}/{split}/fold{fold}/{model}/predictions.h5",
        audio="results/{budget}/{dataset}/{split}/fold{fold}/{model}/audio.h5",
    output:
        "results/{budget}/{dataset}/{split}/fold{fold}/{model}/scores.csv",
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
    script:
        "../scripts/score.py"
