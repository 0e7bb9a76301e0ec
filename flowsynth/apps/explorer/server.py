"""The explorer as a page in the browser, served to this machine alone unless it is told otherwise.

Only requests that this page makes are met: of its own name and origin, of a bounded size, and for nothing but its own files.
Whatever is wrong with one is answered in JSON: ``what`` is wrong, ``where``, and what to ``do``; none ends the server.
"""

import json
import socket
from ipaddress import ip_address
from pathlib import Path
from threading import Lock
from typing import Any

import waitress
from flask import Flask, Response, render_template, request
from werkzeug.exceptions import HTTPException, RequestEntityTooLarge

from flowsynth.apps.explorer.service import Explorer, Refused
from flowsynth.core.progress import log
from flowsynth.data.out_of_domain.collections import SUFFIXES

STATIC = Path(__file__).parent / "static"
FILES = dict.fromkeys(("page.css", "explorer.css"), "text/css") | dict.fromkeys(
    ("explorer.js", "explorer_map.js", "explorer_sound.js"), "text/javascript"
)
EVERYWHERE = "0.0.0.0"  # all addresses of this machine
LARGEST = 2**26  # bytes of a sound file: a minute in the best quality that is usual
HEADERS = {
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; "
    "img-src data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cache-Control": "no-store",
    "X-Content-Type-Options": "nosniff",
}


def _json() -> dict[str, Any]:
    """The request's JSON; more of it than a page would send is not read."""
    request.max_content_length = 2**16
    try:
        asked = json.loads(request.get_data())
    except (ValueError, RecursionError) as error:
        raise Refused(f"no JSON: {error}", "load the page again") from error
    if not isinstance(asked, dict):
        raise Refused(f"{asked!r:.60}, expected an object", "load the page again")
    return asked


def _is_address(host: str) -> bool:
    """Whether it is no name: whose address another machine may change."""
    try:
        return not ip_address(host.rsplit(":", 1)[0]).is_unspecified
    except ValueError:
        return False


def app(explorer: Explorer, host: str = "127.0.0.1") -> Flask:
    """The page as a WSGI application.

    Args:
        explorer: That is asked.
        host: By which name, beside those of this machine, the page may be asked for; `EVERYWHERE`: by any address.
    """
    lock = Lock()  # the device is asked one thing at a time
    made = Flask(__name__, static_folder=None, template_folder=str(STATIC))
    made.jinja_env.autoescape = True
    trusted = None if host == EVERYWHERE else ["127.0.0.1", "localhost", host]
    made.config.update(TRUSTED_HOSTS=trusted, MAX_CONTENT_LENGTH=LARGEST)

    @made.before_request
    def own() -> None:
        if not trusted and not _is_address(request.host):
            raise Refused(
                f"a request for {request.host!r:.60}, expected one for an address", "open the page by its address"
            )
        origin = request.headers.get("Origin", request.host_url)
        if request.method == "POST" and origin.rstrip("/") != request.host_url.rstrip("/"):
            raise Refused(f"a request from {origin!r:.60}, expected one from this page", "open the page by its address")

    @made.after_request
    def guarded(response: Response) -> Response:
        response.headers.update(HEADERS)
        return response

    @made.errorhandler(Exception)
    def failed(error: Exception) -> tuple[dict[str, str], int]:
        match error:
            case Refused():
                code, what, do = 400, str(error), error.do
            case RequestEntityTooLarge():
                code, what, do = 413, "The file is too large", f"take one of up to {LARGEST // 2**20} MiB"
            case HTTPException():
                code, what, do = error.code or 500, error.description or error.name, "open the page by its address"
            case _:
                log.exception("web: %s %s", request.method, request.path)
                code, what, do = 500, "an error of the server", "look at what it says where it was started"
        return {"what": what, "where": f"{request.method} {request.path}"[:200], "do": do}, code

    @made.get("/")
    def page() -> str:
        trained, shown = explorer.trained, explorer.shown()
        told = {"model": trained.checkpoint.parent.name, "synth": trained.synth.name, "count": len(shown["presets"])}
        return render_template(
            "explorer.html.j2", shown=shown | {"largest": LARGEST}, suffixes=",".join(SUFFIXES), **told
        )

    @made.get("/<any({}):name>".format(", ".join(f"'{name}'" for name in FILES)))
    def file(name: str) -> Response:
        return Response((STATIC / name).read_bytes(), mimetype=FILES[name])

    @made.post("/sound")
    def sound() -> Response:
        asked = _json()
        with lock:
            return Response(explorer.written("sound", explorer.place(asked))[1], mimetype="audio/wav")

    @made.post("/bank")
    def bank() -> Response:
        asked = _json()
        with lock:
            written, _ = explorer.written(str(asked.get("name", "preset")), explorer.place(asked))
        return Response(written, mimetype="text/plain")

    @made.post("/match")
    def match() -> dict[str, Any]:
        with lock:
            return explorer.heard(request.get_data())

    return made


def serve(explorer: Explorer, host: str, port: int) -> Any:
    """A server of the page, bound but not yet running: ``run()`` serves until Ctrl-C.

    Args:
        explorer: That is asked.
        host: Address that it is bound to.
        port: Port; 0 takes a free one.

    Returns:
        A server of waitress, with its ``effective_host`` and ``effective_port``.

    Raises:
        ValueError: If it can't be bound there.
    """
    if not 0 <= port < 2**16:
        raise ValueError(f"port {port}, expected 0 to {2**16 - 1}")
    # what is a little too long is refused in words, what is longer is cut off as it comes
    limits = {"threads": 4, "max_request_body_size": 2 * LARGEST}
    page = app(explorer, host)
    try:
        listening = socket.create_server((host, port))
    except OSError as error:
        raise ValueError(f"port {port} at {host} can't be listened at: {error}; take another by --port") from error
    return waitress.create_server(page, sockets=[listening], ident=None, **limits)
