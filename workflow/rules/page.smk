# The page of sounds: snakemake -c2 page
PAGE = f"results/{{budget}}/{{dataset}}/{config['split']}/fold0"

TEXTS = {
    "reconstruction": "<p>Sounds of the test part, and what each model makes of them: a model hears the sound, answers with "
    "parameters, and the synthesizer plays them. Strokes on the parameters are those of the original preset.</p>",
    "macro_controls": f"<p>Each dimension of the latent space of <code>{SHOWN}</code> in turn. Whether such dimensions act more "
    "smoothly on the sound than the synthesizer's own parameters is measured: see the figure of smoothness.</p>",
    "interpolation": f"<p>Between two sounds, in the latent space of <code>{SHOWN}</code> and straight from one set of "
    "parameters to the other; and the neighbourhoods of both.</p>",
}


rule page:
    input:
        expand(
            "results/{budget}/{dataset}/page/index.html",
            budget=config["budget"],
            dataset=BUDGET["datasets"],
        ),


rule build_page:
    input:
        code=code("page/build", "page/sections", "page/sounds"),
        templates=[
            str(PACKAGE / "page" / name)
            for name in ("index.html.j2", "page.css", "player.js")
        ],
        selection=f"{PAGE}/{SHOWN}/selection.csv",
        presets="results/{budget}/{dataset}/presets.csv",
        targets=shards("audio"),
        scores="results/{budget}/{dataset}/scores.csv",
        table="results/{budget}/{dataset}/tables/scores.csv",
        answers=expand(f"{PAGE}/{{model}}/predictions.h5", model=HEARD, allow_missing=True),
        audio=expand(f"{PAGE}/{{model}}/audio.h5", model=HEARD, allow_missing=True),
        explored=expand(f"{PAGE}/{SHOWN}/explore/{{kind}}.h5", kind=EXPLORED, allow_missing=True),
        heard=expand(f"{PAGE}/{SHOWN}/explore/audio/{{kind}}.h5", kind=EXPLORED, allow_missing=True),
        figures=lambda wildcards: [
            f"results/{wildcards.budget}/{path.format(dataset=wildcards.dataset)}.png"
            for path in PICTURES.values()
        ],
    output:
        index="results/{budget}/{dataset}/page/index.html",
    log:
        "results/{budget}/{dataset}/logs/page.log",
    benchmark:
        "results/{budget}/{dataset}/benchmarks/page.tsv"
    conda:
        "../../envs/environment.yaml"
    threads: 1
    resources:
        mem_mb=by_attempt(4000),
        runtime=by_attempt(20),
    params:
        models=HEARD,
        texts=TEXTS,
        captions=list(PICTURES),
        sample_rate=config["render"]["sample_rate"],
    script:
        "../scripts/page.py"
