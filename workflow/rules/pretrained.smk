# Trained models, each with what applications need of its run in one file: snakemake -c2 exported
# Those of the budget pretrained belong to the package: make pretrained.
rule exported:
    input:
        expand(
            "results/{budget}/{dataset}/exported/{model}.{suffix}",
            budget=config["budget"],
            dataset=RUN.datasets,
            model=RUN.trained_models,
            suffix=["pt", "md"],
        ),


rule export_model:
    input:
        checkpoint=f"{FOLD}/{{model}}/checkpoint.pt",
        scores=f"{FOLD}/scores.csv",
        presets="results/{budget}/{dataset}/presets.csv",
        split=f"results/{{budget}}/{{dataset}}/split/{config['split']}.csv",
        audio=shards("audio"),
        features=shards("features"),
    output:
        model="results/{budget}/{dataset}/exported/{model}.pt",
        card="results/{budget}/{dataset}/exported/{model}.md",
    log:
        "results/{budget}/{dataset}/logs/exported/{model}.log",
    benchmark:
        "results/{budget}/{dataset}/benchmarks/exported/{model}.tsv"
    resources:
        **by_attempt(mem_mb=4000, runtime=20),
    params:
        code=code("evaluation/export_model"),
        synthetic=lambda wildcards: budget(wildcards)["synthetic_presets"],
        seed=config["seed"],
    script:
        "../scripts/evaluation/export_model.py"
