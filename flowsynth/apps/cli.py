"""Command line of flowsynth: match sounds, explore and play a latent space, list and export models."""

import argparse
import json
import os
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from flowsynth import __version__
from flowsynth.core.environment import cache_environment

SAMPLES, RENDERS = 16, 100
OSC_PORT, EXPLORER_PORT = 1232, 1233
EXAMPLES = """\
examples:
  flowsynth match guitar.wav                      a preset for a sound, in matches/
  flowsynth match samples/ --out presets          for each sound in a folder
  flowsynth match guitar.wav --results results    with the best model of your own runs
  flowsynth explore                               a map of presets in the browser
  flowsynth serve                                 control by Open Sound Control
  flowsynth models                                the models there are, with their scores
"""


def main(arguments: Sequence[str] | None = None) -> None:
    """Run a command. Exit status: 0, 1 after an error, 2 for wrong usage, 130 if interrupted."""
    args = _parser().parse_args(arguments)
    os.environ.update(cache_environment())
    try:
        args.run(args)
    except (ValueError, OSError, RuntimeError) as error:
        sys.exit(f"error: {error}")
    except ModuleNotFoundError as error:
        if error.name and error.name.startswith("flowsynth"):
            raise
        sys.exit(f"error: {error.name} is not installed: pip install 'flowsynth[apps]'")
    except KeyboardInterrupt:
        print("interrupted", file=sys.stderr)
        sys.exit(130)


def _parser() -> argparse.ArgumentParser:
    def add(name: str, run: Callable[[argparse.Namespace], None], text: str) -> argparse.ArgumentParser:
        command = commands.add_parser(name, help=text, description=f"{text[0].upper()}{text[1:]}.")
        command.set_defaults(run=run)
        return command

    raw = argparse.RawDescriptionHelpFormatter
    parser = argparse.ArgumentParser(
        "flowsynth", description="Predict synthesizer presets from sounds.", epilog=EXAMPLES, formatter_class=raw
    )
    parser.add_argument("--version", action="version", version=f"flowsynth {__version__}")
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")

    match = add("match", _match, "find presets that match sounds")
    match.add_argument("sounds", nargs="+", type=Path, metavar="SOUND", help="sound files, or folders of them")
    match.add_argument(
        "--out",
        type=Path,
        default=Path("matches"),
        help="folder for presets, sounds and figures (default: %(default)s)",
    )
    match.add_argument(
        "--samples", type=int, default=SAMPLES, help="number of predictions to render (default: %(default)s)"
    )
    match.add_argument(
        "--renders",
        type=int,
        default=RENDERS,
        help="number of renderings of the subsequent search; 0: no search (default: %(default)s)",
    )
    match.add_argument("--seed", type=int, default=1, help="seed of predictions and search (default: %(default)s)")
    match.add_argument("--json", action="store_true", help="also print the table of matches as JSON")

    explore = add("explore", _explore, "explore a latent space in the browser")
    serve = add("serve", _serve, "control a latent space by Open Sound Control")
    for command, port in ((explore, EXPLORER_PORT), (serve, OSC_PORT)):
        command.add_argument(
            "--host", default="127.0.0.1", help="address to listen on (default: 127.0.0.1, local only)"
        )
        command.add_argument(
            "--port", type=int, default=port, help="port to listen on; 0: any free port (default: %(default)s)"
        )
    serve.add_argument("--out", type=Path, default=Path("played"), help="folder for renderings (default: %(default)s)")
    for command in (match, explore, serve):
        command.add_argument(
            "--model", help="name of a model, or path of its file (default: the one with the lowest error)"
        )
        command.add_argument(
            "--synth", help="synthesizer of the model (default: amsynth, or that of the models in --results)"
        )

    models = add("models", _models, "list pretrained models, and the trained models of runs")
    models.add_argument("--json", action="store_true", help="print JSON")
    export = add("export", _export, "write a trained model and what it needs of its run into one file")
    export.add_argument("checkpoint", type=Path, metavar="CHECKPOINT", help="checkpoint.pt of a run")
    export.add_argument("file", type=Path, metavar="FILE", help="file to write, such as mine.pt")
    for command in (match, explore, serve, models):
        command.add_argument(
            "--results", type=Path, help="folder of runs whose models are used, instead of pretrained ones"
        )
    return parser


def _match(args: argparse.Namespace) -> None:
    import pandas as pd
    from tqdm import tqdm
    from tqdm.contrib.logging import logging_redirect_tqdm

    from flowsynth.apps.match import CARTRIDGE, MATCH_COLUMNS, find_sounds, match_all, write_cartridge
    from flowsynth.core.progress import log, log_to_terminal
    from flowsynth.core.provenance import write_csv
    from flowsynth.data.presets import bank_suffix
    from flowsynth.inference.model_index import PRETRAINED, find_model, open_model
    from flowsynth.rendering.host import plugin_record

    log_to_terminal()
    if args.samples < 1 or args.renders < 0:
        raise ValueError(
            f"--samples {args.samples} --renders {args.renders}: expected at least 1 sample and 0 renderings"
        )
    paths = find_sounds(args.sounds, args.out)
    file = find_model(args.model, args.results, synth=args.synth)
    trained = open_model(file)
    log.info("%d sounds, model %s of %s", len(paths), trained.name, trained.synth.name)
    try:
        args.out.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise ValueError(f"{args.out} can't be made, {error.strerror}: choose another folder by --out") from error
    rows, renderings = [], args.samples + 1 + args.renders
    bar = tqdm(total=len(paths) * renderings, unit="rendering", disable=None, leave=False)  # in a terminal only
    try:
        with bar, logging_redirect_tqdm():
            for row in match_all(trained, paths, args.samples, args.renders, args.seed, args.out, bar.update):
                rows.append(row)
                bar.n = len(rows) * renderings  # of a refused sound too
                result = f"log-mel L1 {row['distance']:.2f}" if row["status"] == "ok" else f"refused, {row['note']}"
                log.info("%d of %d, %s: %s", len(rows), len(paths), row["sound"], result)
    finally:  # keep the finished rows if interrupted
        table = pd.DataFrame(rows, columns=MATCH_COLUMNS).astype({"renderings": "Int64"})
        settings = {key: getattr(args, key) for key in ("samples", "renders", "seed")}
        settings["plugin"] = {"of_training": dict(trained.plugin), "installed": plugin_record(trained.synth)}
        checkpoint = file.relative_to(PRETRAINED.parent) if PRETRAINED in file.parents else file
        write_csv(table, args.out / "matches.csv", checkpoint=str(checkpoint), **settings)
        matched = int((table["status"] == "ok").sum())
        log.info("%d of %d sounds matched: %s", matched, len(paths), args.out / "matches.csv")
        if matched > 1 and bank_suffix(trained.synth) == ".syx":
            write_cartridge(trained, [args.out / bank for bank in table["bank"].dropna()], args.out / CARTRIDGE)
            log.info("all of them in cartridges of 32: %s", args.out / CARTRIDGE)
    if args.json:
        print(table.to_json(orient="records", indent=2))
    refused = [f"{row['sound']} {row['note']}" for row in rows if row["status"] == "refused"]
    if refused:
        raise ValueError("\n".join([f"{len(refused)} of {len(paths)} sounds refused", *refused]))


def _explore(args: argparse.Namespace) -> None:
    from contextlib import closing

    from flowsynth.apps.explorer.server import ALL_ADDRESSES, serve
    from flowsynth.apps.explorer.service import Explorer
    from flowsynth.apps.latent_controller import LatentController
    from flowsynth.core.progress import log, log_to_terminal
    from flowsynth.inference.model_index import find_model, open_model
    from flowsynth.models.autoencoders.base import LatentModel

    log_to_terminal()
    trained = open_model(find_model(args.model, args.results, LatentModel, args.synth))
    with closing(Explorer(LatentController(trained))) as explorer:
        server = serve(explorer, args.host, args.port)
        host = "127.0.0.1" if args.host == ALL_ADDRESSES else server.effective_host
        log.info("exploring %s at http://%s:%s/ ; stop with Ctrl-C", trained.checkpoint, host, server.effective_port)
        server.run()
    log.info("stopped")


def _serve(args: argparse.Namespace) -> None:
    from flowsynth.apps.latent_controller import LatentController
    from flowsynth.apps.osc_server import Server
    from flowsynth.core.progress import log, log_to_terminal
    from flowsynth.inference.model_index import find_model, open_model
    from flowsynth.models.autoencoders.base import LatentModel

    log_to_terminal()
    trained = open_model(find_model(args.model, args.results, LatentModel, args.synth))
    server = Server(LatentController(trained), args.host, args.port, args.out)
    host, port = server.server_address[:2]
    log.info(
        "serving %s by Open Sound Control at %s, UDP port %s; stop with /stop or Ctrl-C", trained.checkpoint, host, port
    )
    with server:
        try:
            server.run()
        except KeyboardInterrupt:
            log.info("stopped")


def _models(args: argparse.Namespace) -> None:
    from dataclasses import asdict

    from flowsynth.inference.model_index import pretrained_models, run_models

    entries = [*pretrained_models(), *(run_models(args.results) if args.results else ())]
    if args.json:
        print(json.dumps([asdict(entry) | {"path": str(entry.path)} for entry in entries], indent=2))
        return
    rows = [("model", "data set", "kind", "log-mel L1", "file")]
    for entry in entries:
        distance = "" if entry.log_mel_l1 is None else f"{entry.log_mel_l1:.3f}"
        rows.append((entry.name, entry.dataset, entry.kind, distance, str(entry.path)))
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    for row in rows:
        print("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip())


def _export(args: argparse.Namespace) -> None:
    from flowsynth.inference.exported_model import export
    from flowsynth.inference.run_model import open_run_model

    export(open_run_model(args.checkpoint), {}, args.file)
    print(args.file)
