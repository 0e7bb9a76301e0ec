"""Draw the learning curves."""

from pathlib import Path

import pandas as pd

from flowsynth.core.progress import job
from flowsynth.figures.curves import draw
from flowsynth.figures.style import save

with job(Path(snakemake.log[0])):
    histories: dict[str, list[pd.DataFrame]] = {}
    for path in map(Path, snakemake.input.histories):
        histories.setdefault(path.parent.name, []).append(pd.read_csv(path))
    title = (
        f"{snakemake.wildcards.dataset}, budget {snakemake.wildcards.budget}. Error of parameters: mean squared; nats a "
        "parameter where densities are learnt;\nof a velocity in flow_matching, of the sound in proxy (log-mel L1). "
        "Dark: validation part. Light: training part. A line a fold; dot: epoch kept."
    )
    save(draw(histories, title), *map(Path, snakemake.output))
