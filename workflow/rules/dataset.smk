# The data set as a folder that can be archived and cited: snakemake -c2 dataset
rule dataset:
    input:
        expand(
            "results/{budget}/{dataset}/dataset/SHA256SUMS",
            budget=config["budget"],
            dataset=RUN.datasets,
        ),


# The folder also has links to the inputs, other than the banks.
rule dataset_folder:
    input:
        synth=synth_of,
        banks=banks_of,
        presets="results/{budget}/{dataset}/presets.csv",
        splits=expand(
            "results/{{budget}}/{{dataset}}/split/{split}{table}.csv",
            split=SPLITS,
            table=["", "_leaks"],
        ),
        audio=shards("audio"),
        features=shards("features"),
    output:
        checksums="results/{budget}/{dataset}/dataset/SHA256SUMS",
        description="results/{budget}/{dataset}/dataset/croissant.json",
        card="results/{budget}/{dataset}/dataset/README.md",
    log:
        "results/{budget}/{dataset}/logs/dataset.log",
    benchmark:
        "results/{budget}/{dataset}/benchmarks/dataset.tsv"
    resources:
        **by_attempt(mem_mb=2000, runtime=30),
    params:
        code=code("data/dataset"),
    script:
        "../scripts/data/dataset.py"
