rule resynthesise:
    input:
        code=code("resynthesise"),
        synth=lambda wildcards: synth_of(wildcards.dataset),
        predictions="results/{budget}/{dataset}/{split}/fold{fold}/{model}/predictions.h5",
    output:
        audio="results/{budget}/{dataset}/{split}/fold{fold}/{model}/audio.h5",
        checksum="results/{budget}/{dataset}/{split}/fold{fold}/{model}/audio.h5.sha256",
    log:
        "results/{budget}/{dataset}/logs/{split}/fold{fold}/{model}/resynthesise.log",
    benchmark:
        "results/{budget}/{dataset}/benchmarks/{split}/fold{fold}/{model}/resynthesise.tsv"
    conda:
        "../../envs/environment.yaml"
    threads: 1
    resources:
        mem_mb=by_attempt(1000),
        runtime=by_attempt(60),
    params:
        render=config["render"],
    script:
        "../scripts/resynthesise.py"
