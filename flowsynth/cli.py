"""Commands of flowsynth: ``flowsynth match SOUND… --out DIR``, ``flowsynth explore`` and ``flowsynth serve``."""

import argparse
import sys
import time
from collections.abc import Sequence
from pathlib import Path

SAMPLES, RENDERS, PORT, PAGE_PORT = 16, 100, 1232, 1233


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command that is asked for."""
    parser = argparse.ArgumentParser("flowsynth", description="Synthesizer presets from sounds.")
    commands = parser.add_subparsers(dest="command", required=True)
    match = commands.add_parser("match", help="find presets for sounds")
    match.add_argument("sounds", nargs="+", type=Path, metavar="SOUND", help="sound files, or folders of them")
    match.add_argument("--out", type=Path, required=True, help="folder for presets, sounds and pictures")
    match.add_argument("--model", help="name of a trained model, or its checkpoint.pt; the best there is, if not given")
    match.add_argument(
        "--samples", type=int, default=SAMPLES, help=f"answers of the model that are rendered ({SAMPLES})"
    )
    match.add_argument(
        "--renders", type=int, default=RENDERS, help=f"renderings of the search after them; 0: none ({RENDERS})"
    )
    match.add_argument("--seed", type=int, default=1, help="of answers and search (1)")
    match.set_defaults(run=_match)
    explore = commands.add_parser("explore", help="presets in the space of sounds, on a page in the browser")
    explore.add_argument(
        "model",
        nargs="?",
        metavar="CHECKPOINT",
        help="checkpoint.pt of a model with a latent, or the name of one that is trained; the best there is, if not given",
    )
    explore.add_argument("--host", default="127.0.0.1", help="address to listen at (127.0.0.1: this machine alone)")
    explore.add_argument(
        "--port", type=int, default=PAGE_PORT, help=f"port to listen at ({PAGE_PORT}; 0: any that is free)"
    )
    explore.set_defaults(run=_explore)
    serve = commands.add_parser("serve", help="play a latent space by Open Sound Control")
    serve.add_argument("--model", help="name of a trained model with a latent, or its checkpoint.pt; the best there is")
    serve.add_argument("--host", default="127.0.0.1", help="address to listen at (127.0.0.1: this machine alone)")
    serve.add_argument("--port", type=int, default=PORT, help=f"port to listen at ({PORT}; 0: any that is free)")
    serve.add_argument("--out", type=Path, default=Path("played"), help="folder of sounds that are rendered (played)")
    serve.set_defaults(run=_serve)
    for command in (match, explore, serve):
        command.add_argument("--results", type=Path, default=Path("results"), help="folder of the runs (results)")
        command.add_argument("--synth", help="synthesizer of the model, where there are models of several")
    asked = parser.parse_args(arguments)
    try:
        asked.run(asked)
    except (ValueError, OSError, RuntimeError) as error:
        sys.exit(f"error: {error}")
    except KeyboardInterrupt:
        sys.exit("stopped")


def _match(asked: argparse.Namespace) -> None:
    import pandas as pd

    from flowsynth.apps.match import COLUMNS, listed, match_all
    from flowsynth.core.progress import log, log_to_terminal
    from flowsynth.core.provenance import write_csv
    from flowsynth.inference.trained_model import find_checkpoint, open_model

    log_to_terminal()
    if asked.samples < 1 or asked.renders < 0:
        raise ValueError(f"--samples {asked.samples} --renders {asked.renders}: expected at least 1 and 0")
    paths = listed(asked.sounds, asked.out)
    checkpoint = find_checkpoint(asked.results, asked.model, synth=asked.synth)
    trained = open_model(checkpoint)
    log.info("%s hears, %s plays: %d sounds", checkpoint, trained.synth.name, len(paths))
    asked.out.mkdir(parents=True, exist_ok=True)
    rows, start = [], time.monotonic()
    try:
        for row in match_all(trained, paths, asked.samples, asked.renders, asked.seed, asked.out):
            rows.append(row)
            said = f"log-mel L1 {row['distance']:.2f}" if row["status"] == "ok" else f"refused, it {row['note']}"
            left = (time.monotonic() - start) / len(rows) * (len(paths) - len(rows))
            log.info("%d of %d, %s: %s; %.0f s left", len(rows), len(paths), row["sound"], said, left)
    finally:  # whatever stops it, what is done is told
        table = pd.DataFrame(rows, columns=COLUMNS).astype({"renderings": "Int64"})
        settings = {key: getattr(asked, key) for key in ("samples", "renders", "seed")}
        write_csv(table, asked.out / "matches.csv", checkpoint=str(checkpoint), **settings)
        done = int((table["status"] == "ok").sum())
        log.info("%d of %d sounds matched: %s", done, len(paths), asked.out / "matches.csv")
    if not done:
        raise ValueError("no sound could be matched")


def _explore(asked: argparse.Namespace) -> None:
    from contextlib import closing

    from flowsynth.apps.explorer.server import EVERYWHERE, serve
    from flowsynth.apps.explorer.service import Explorer
    from flowsynth.apps.latent_controller import Device
    from flowsynth.core.progress import log, log_to_terminal
    from flowsynth.inference.trained_model import find_checkpoint, open_model
    from flowsynth.models.autoencoders.base import LatentModel

    log_to_terminal()
    checkpoint = find_checkpoint(asked.results, asked.model, LatentModel, asked.synth)
    with closing(Explorer(Device(open_model(checkpoint)))) as explorer:
        server = serve(explorer, asked.host, asked.port)
        host = "127.0.0.1" if asked.host == EVERYWHERE else server.effective_host
        log.info("%s is at http://%s:%s/ ; Ctrl-C ends", checkpoint, host, server.effective_port)
        server.run()
    log.info("stopped")


def _serve(asked: argparse.Namespace) -> None:
    from flowsynth.apps.latent_controller import Device
    from flowsynth.apps.osc_server import Server
    from flowsynth.core.progress import log, log_to_terminal
    from flowsynth.inference.trained_model import find_checkpoint, open_model
    from flowsynth.models.autoencoders.base import LatentModel

    log_to_terminal()
    checkpoint = find_checkpoint(asked.results, asked.model, LatentModel, asked.synth)
    server = Server(Device(open_model(checkpoint)), asked.host, asked.port, asked.out)
    host, port = server.server_address[:2]
    log.info("%s plays; Open Sound Control at %s, UDP port %s; /stop or Ctrl-C ends", checkpoint, host, port)
    with server:
        try:
            server.run()
        except KeyboardInterrupt:
            log.info("stopped")
