# The page of sounds: snakemake -c2 page
PAGE = f"results/{{budget}}/{{dataset}}/{config['split']}/fold0"

TEXTS = {
    "reconstruction": "<p>Sounds of the test part, and what each model makes of them: a model hears the sound, answers with "
    "parameters, and the synthesizer plays them. Strokes on the parameters are those of the original preset.</p>",
    "macro_controls": f"<p>Each dimension of the latent space of <code>{SHOWN}</code> in turn. Whether such dimensions act more "
    "smoothly on the sound than the synthesizer's own parameters is measured: see the figure of smoothness.</p>",
    "interpolation": f"<p>Between two sounds, in the latent space of <code>{SHOWN}</code> and straight from one set of "
    "parameters to the other; and the neighbourhoods of both.</p>",
    "vocal": "<p>Voices, and sung glides made by rule, through every model. They were trimmed, shifted to the note that is "
    "played, and made as loud as the synthesizer's sounds. <code>nearest</code> and <code>search</code> say what the synthesizer "
    "can reach.</p>",
    "outside": "<p>Instruments and recordings that the synthesizer did not make, treated in the same way.</p>",
}
VOCAL = ["voices", "hums"]  # collections that are sketched with the voice

# by name: what is said of it, in the order of the page
CAPTIONS = {
    "reconstruction": "Reconstruction: sounds and what every model made of them",
    "macro_controls": "Macro-controls: a dimension of the latent",
    "neighbourhood": "Neighbourhoods of two sounds",
    "interpolation": "Interpolation, through sounds and through parameters",
    "semantic": "A semantic dimension: dark to bright",
    "smoothness": "Smoothness: latent dimensions against parameters",
    "latent_space": "The latent space, coloured by descriptors",
    "complexity": "Number of parameters",
    "scores": "Scores",
    "curves": "Learning curves",
}
EXPLORED = (
    ["macro_controls", "interpolation", "neighbourhood"] if has_latent(SHOWN) else []
)


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
        answers=expand(
            f"{PAGE}/{{model}}/predictions.h5", model=HEARD, allow_missing=True
        ),
        audio=expand(f"{PAGE}/{{model}}/audio.h5", model=HEARD, allow_missing=True),
        explored=expand(
            f"{PAGE}/{SHOWN}/explore/{{kind}}.h5", kind=EXPLORED, allow_missing=True
        ),
        heard=expand(
            f"{PAGE}/{SHOWN}/explore/audio/{{kind}}.h5",
            kind=EXPLORED,
            allow_missing=True,
        ),
        manifests=expand(
            "results/{budget}/{dataset}/outside/sounds/{collection}.csv",
            collection=OUTSIDE,
            allow_missing=True,
        ),
        outside_scores=lambda wildcards: expand(
            "results/{budget}/{dataset}/outside/{split}/fold{fold}/{model}/scores.csv",
            budget=wildcards.budget,
            dataset=wildcards.dataset,
            split=config["split"],
            fold=0,
            model=(
                [
                    name
                    for name in answering(config, wildcards.budget)
                    if name != "random"
                ]
                if OUTSIDE
                else []
            ),
        ),
        outside_table="results/{budget}/{dataset}/tables/outside.csv" if OUTSIDE else [],
        figures=[
            f"results/{{budget}}/{FIGURES[name][0]}.png"
            for name in CAPTIONS
            if name in DRAWN
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
        judge=SHOWN,
        vocal=VOCAL,
        seed=config["seed"],
        texts=TEXTS,
        captions=[text for name, text in CAPTIONS.items() if name in DRAWN],
        sample_rate=config["render"]["sample_rate"],
    script:
        "../scripts/page.py"
