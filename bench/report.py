"""Output format of a benchmark, read by bench/run.py."""


def row(name: str, value: float, unit: str, baseline: str, ratio: float | None) -> None:
    """Print a row of the table; `ratio` is relative to the named baseline."""
    print("row", name, f"{value:.4g}", unit, baseline, "" if ratio is None else f"{ratio:.2f}", sep="\t", flush=True)
