"""Draw what the models made of some sounds."""

from pathlib import Path

import pandas as pd
import torch

from flowsynth.core.progress import job
from flowsynth.evaluation.example_selection import QUANTILES
from flowsynth.figures.reconstruction import answer, draw, target
from flowsynth.figures.style import save
from flowsynth.synths.spec import dataset

with job(Path(snakemake.log[0])):
    torch.set_num_threads(snakemake.threads)
    given = snakemake.input
    chosen = pd.read_csv(given.selection, dtype={"item": str})
    chosen = chosen[chosen["role"].isin(QUANTILES)]
    ids = chosen["item"].tolist()
    predictions, audio = [Path(path) for path in given.predictions], [Path(path) for path in given.audio]
    original = target([Path(path) for path in given.targets], predictions[0], ids)
    models = zip(snakemake.params.models, predictions, audio, strict=True)
    answers = {model: answer(sounds, answered, ids) for model, answered, sounds in models}
    title = (
        f"{snakemake.wildcards.dataset}, budget {snakemake.wildcards.budget}. The items at best decile, median and "
        f"worst decile {chosen['reason'].iloc[0].split(' decile ')[1]}.\nStrokes: true parameters. Numbers: log-mel L1."
    )
    _, names = dataset(snakemake.wildcards.dataset)
    save(draw(original, answers, chosen, names, title), *map(Path, snakemake.output))
