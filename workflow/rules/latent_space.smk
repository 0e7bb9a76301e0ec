rule traverse:
    input:
        features=shards("features"),
        split="results/{budget}/{dataset}/split/{split}.csv",
        checkpoint="results/{budget}/{dataset}/{split}/fold{fold}/{model}/checkpoint.pt",
        # kinds that do not start at single sounds need no selection
        selection=branch(
            lambda wildcards: wildcards.kind
            in ("space", "macro_controls", "semantic"),
            then=[],
            otherwise="results/{budget}/{dataset}/{split}/fold{fold}/{model}/selection.csv",
        ),
    output:
        vectors="results/{budget}/{dataset}/{split}/fold{fold}/{model}/explore/{kind}.h5",
    log:
        "results/{budget}/{dataset}/logs/{split}/fold{fold}/{model}/explore/{kind}.log",
    benchmark:
        "results/{budget}/{dataset}/benchmarks/{split}/fold{fold}/{model}/explore/{kind}.tsv"
    wildcard_constraints:
        kind="[a-z_]+",
    resources:
        **by_attempt(mem_mb=4000, runtime=30),
    params:
        code=code_for_model("latent_space/traverse"),
        seed=config["seed"],
    script:
        "../scripts/latent_space/traverse.py"


# The code that renders the predictions for the test set renders traversals too.
rule render_traversals:
    input:
        synth=synth_of,
        predictions="results/{budget}/{dataset}/{split}/fold{fold}/{model}/explore/{kind}.h5",
    output:
        audio="results/{budget}/{dataset}/{split}/fold{fold}/{model}/explore/audio/{kind}.h5",
    log:
        "results/{budget}/{dataset}/logs/{split}/fold{fold}/{model}/explore/audio/{kind}.log",
    benchmark:
        "results/{budget}/{dataset}/benchmarks/{split}/fold{fold}/{model}/explore/audio/{kind}.tsv"
    wildcard_constraints:
        kind="[a-z_]+",
    resources:
        **by_attempt(mem_mb=1000, runtime=60),
    params:
        code=code("latent_space/render_traversals"),
        render=RENDER,
    script:
        "../scripts/latent_space/render_traversals.py"


# For the first fold, like every output that shows single sounds.
rule smoothness:
    input:
        vectors=expand(
            "results/{{budget}}/{{dataset}}/{split}/fold0/{{model}}/explore/smoothness_{kind}.h5",
            split=config["split"],
            kind=["latent", "native"],
        ),
        audio=expand(
            "results/{{budget}}/{{dataset}}/{split}/fold0/{{model}}/explore/audio/smoothness_{kind}.h5",
            split=config["split"],
            kind=["latent", "native"],
        ),
    output:
        lines="results/{budget}/{dataset}/tables/{model}/smoothness.csv",
        summary="results/{budget}/{dataset}/tables/{model}/smoothness_summary.csv",
    log:
        "results/{budget}/{dataset}/logs/smoothness/{model}.log",
    benchmark:
        "results/{budget}/{dataset}/benchmarks/smoothness/{model}.tsv"
    resources:
        **by_attempt(mem_mb=4000, runtime=30),
    params:
        code=code("latent_space/smoothness"),
        seed=config["seed"],
    script:
        "../scripts/latent_space/smoothness.py"
