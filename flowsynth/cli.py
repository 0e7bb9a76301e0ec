"""Command line of flowsynth: ``flowsynth match SOUND… --out DIR``, ``flowsynth explore`` and ``flowsynth serve``."""

import argparse
import sys
import time
from collections.abc import Sequence
from pathlib import Path

SAMPLES, RENDERS = 16, 100
OSC_PORT, EXPLORER_PORT = 1232, 1233


def main(arguments: Sequence[str] | None = None) -> None:
    """Run a command."""
    parser = argparse.ArgumentParser("flowsynth", description="Predict synthesizer presets from sounds.")
    commands = parser.add_subparsers(dest="command", required=True)
    match = commands.add_parser("match", help="find presets that match sounds")
    match.add_argument("sounds", nargs="+", type=Path, metavar="SOUND", help="sound files, or folders of them")
    match.add_argument("--out", type=Path, required=True, help="folder for presets, sounds and figures")
    match.add_argument("--model", help="name of a trained model, or its checkpoint.pt (default: the best available)")
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
    match.set_defaults(run=_match)
    explore = commands.add_parser("explore", help="explore a latent space in the browser")
    explore.add_argument(
        "model",
        nargs="?",
        metavar="CHECKPOINT",
        help="checkpoint.pt or name of a trained model with a latent space (default: the best available)",
    )
    explore.add_argument("--host", default="127.0.0.1", help="address to listen on (default: 127.0.0.1, local only)")
    explore.add_argument(
        "--port", type=int, default=EXPLORER_PORT, help="port to listen on; 0: any free port (default: %(default)s)"
    )
    explore.set_defaults(run=_explore)
    serve = commands.add_parser("serve", help="control a latent space by Open Sound Control")
    serve.add_argument(
        "--model",
        help="name of a trained model with a latent space, or its checkpoint.pt (default: the best available)",
    )
    serve.add_argument("--host", default="127.0.0.1", help="address to listen on (default: 127.0.0.1, local only)")
    serve.add_argument(
        "--port", type=int, default=OSC_PORT, help="port to listen on; 0: any free port (default: %(default)s)"
    )
    serve.add_argument("--out", type=Path, default=Path("played"), help="folder for renderings (default: %(default)s)")
    serve.set_defaults(run=_serve)
    for command in (match, explore, serve):
        command.add_argument(
            "--results", type=Path, default=Path("results"), help="folder of runs (default: %(default)s)"
        )
        command.add_argument("--synth", help="synthesizer of the model, if there are models of several")
    args = parser.parse_args(arguments)
    try:
        args.run(args)
    except (ValueError, OSError, RuntimeError) as error:
        sys.exit(f"error: {error}")
    except KeyboardInterrupt:
        sys.exit("stopped")


def _match(args: argparse.Namespace) -> None:
    import pandas as pd

    from flowsynth.apps.match import MATCH_COLUMNS, find_sounds, match_all
    from flowsynth.core.progress import log, log_to_terminal
    from flowsynth.core.provenance import write_csv
    from flowsynth.inference.trained_model import find_checkpoint, open_model

    log_to_terminal()
    if args.samples < 1 or args.renders < 0:
        raise ValueError(
            f"--samples {args.samples} --renders {args.renders}: expected at least 1 sample and 0 renderings"
        )
    paths = find_sounds(args.sounds, args.out)
    checkpoint = find_checkpoint(args.results, args.model, synth=args.synth)
    trained = open_model(checkpoint)
    log.info("matching %d sounds with %s on %s", len(paths), checkpoint, trained.synth.name)
    args.out.mkdir(parents=True, exist_ok=True)
    rows, start = [], time.monotonic()
    try:
        for row in match_all(trained, paths, args.samples, args.renders, args.seed, args.out):
            rows.append(row)
            result = f"log-mel L1 {row['distance']:.2f}" if row["status"] == "ok" else f"refused, {row['note']}"
            remaining = (time.monotonic() - start) / len(rows) * (len(paths) - len(rows))
            log.info("%d of %d, %s: %s; %.0f s left", len(rows), len(paths), row["sound"], result, remaining)
    finally:  # keep the finished rows if interrupted
        table = pd.DataFrame(rows, columns=MATCH_COLUMNS).astype({"renderings": "Int64"})
        settings = {key: getattr(args, key) for key in ("samples", "renders", "seed")}
        write_csv(table, args.out / "matches.csv", checkpoint=str(checkpoint), **settings)
        matched = int((table["status"] == "ok").sum())
        log.info("%d of %d sounds matched: %s", matched, len(paths), args.out / "matches.csv")
    if not matched:
        raise ValueError("no sound could be matched")


def _explore(args: argparse.Namespace) -> None:
    from contextlib import closing

    from flowsynth.apps.explorer.server import ALL_ADDRESSES, serve
    from flowsynth.apps.explorer.service import Explorer
    from flowsynth.apps.latent_controller import LatentController
    from flowsynth.core.progress import log, log_to_terminal
    from flowsynth.inference.trained_model import find_checkpoint, open_model
    from flowsynth.models.autoencoders.base import LatentModel

    log_to_terminal()
    checkpoint = find_checkpoint(args.results, args.model, LatentModel, args.synth)
    with closing(Explorer(LatentController(open_model(checkpoint)))) as explorer:
        server = serve(explorer, args.host, args.port)
        host = "127.0.0.1" if args.host == ALL_ADDRESSES else server.effective_host
        log.info("exploring %s at http://%s:%s/ ; stop with Ctrl-C", checkpoint, host, server.effective_port)
        server.run()
    log.info("stopped")


def _serve(args: argparse.Namespace) -> None:
    from flowsynth.apps.latent_controller import LatentController
    from flowsynth.apps.osc_server import Server
    from flowsynth.core.progress import log, log_to_terminal
    from flowsynth.inference.trained_model import find_checkpoint, open_model
    from flowsynth.models.autoencoders.base import LatentModel

    log_to_terminal()
    checkpoint = find_checkpoint(args.results, args.model, LatentModel, args.synth)
    server = Server(LatentController(open_model(checkpoint)), args.host, args.port, args.out)
    host, port = server.server_address[:2]
    log.info("serving %s by Open Sound Control at %s, UDP port %s; stop with /stop or Ctrl-C", checkpoint, host, port)
    with server:
        try:
            server.run()
        except KeyboardInterrupt:
            log.info("stopped")
