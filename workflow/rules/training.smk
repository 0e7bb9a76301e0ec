from flowsynth.training.plan import Plan


rule train:
    input:
        features=shards("features"),
        sampled=synthetic_features,
        split="results/{budget}/{dataset}/split/{split}.csv",
    output:
        checkpoint="results/{budget}/{dataset}/{split}/fold{fold}/{model}/checkpoint.pt",
        history="results/{budget}/{dataset}/{split}/fold{fold}/{model}/history.csv",
    log:
        "results/{budget}/{dataset}/logs/{split}/fold{fold}/{model}/train.log",
    benchmark:
        "results/{budget}/{dataset}/benchmarks/{split}/fold{fold}/{model}/train.tsv"
    wildcard_constraints:
        model=ANY_MODEL,
    threads: lambda wildcards: budget(wildcards)["threads"]
    resources:
        **by_attempt(mem_mb=8000, runtime=360),
    params:
        code=code_for_model("training/train"),
        budget=lambda wildcards: {
            key: budget(wildcards)[key]
            for key in (*Plan.__dataclass_fields__, "cache_items", "network")
        },
        seed=config["seed"],
    script:
        "../scripts/training/train.py"


# without a GPU
use rule train as train_control with:
    wildcard_constraints:
        model=CONTROLS,


ruleorder: train_control > train
