from flowsynth.training.plan import Plan


def require_gpu():
    """Stop before data are rendered for a training on this machine that needs a GPU, if there is none."""
    budgets = {
        job.wildcards.budget
        for job in workflow.dag.needrun_jobs()
        if job.rule.name == "train"
    }
    for name in sorted(budgets):
        accelerator = config["budgets"][name]["accelerator"]
        if accelerator == "gpu" and workflow.is_main_process and workflow.local_exec:
            from flowsynth.training.accelerator import select_device

            try:
                select_device(accelerator)
            except ValueError as error:
                stop(f"config.budgets.{name}: {error}")


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
