"""Web server of the explorer, local by default.

It accepts requests of its own page only: with its host name and origin, of limited size, and for its own files. Errors
are returned as JSON (``error``, ``where``, ``advice``) and do not stop the server.
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

from flowsynth.apps.explorer.service import Explorer, RequestError
from flowsynth.core.progress import log
from flowsynth.core.sound_files import SUFFIXES
from flowsynth.report.html import ASSETS

STATIC = Path(__file__).parent / "static"
FILES = {
    "page.css": ASSETS / "page.css",
    **{name: STATIC / name for name in ("explorer.css", "explorer.js", "explorer_map.js", "explorer_sound.js")},
}
MEDIA_TYPES = {".css": "text/css", ".js": "text/javascript"}
ALL_ADDRESSES = "0.0.0.0"  # of this machine
MAX_FILE_SIZE = 2**26  # bytes of a sound file: a minute in the best common quality
CONNECTIONS = 500
IDLE_TIMEOUT = 20  # seconds after which an idle connection, or a stalled request, is closed
HEADERS = {
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; "
    "img-src data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cache-Control": "no-store",
    "X-Content-Type-Options": "nosniff",
}


def _request_json() -> dict[str, Any]:
    """Parse the body of the request as a JSON object of limited size."""
    request.max_content_length = 2**16
    try:
        body = json.loads(request.get_data())
    except (ValueError, RecursionError) as error:
        raise RequestError(f"invalid JSON: {error}", "reload the page") from error
    if not isinstance(body, dict):
        raise RequestError(f"{body!r:.60}, expected an object", "reload the page")
    return body


def _is_address(host: str) -> bool:
    """Whether a host is an IP address, not a name that another machine may redirect."""
    try:
        return not ip_address(host.rsplit(":", 1)[0]).is_unspecified
    except ValueError:
        return False


def create_app(explorer: Explorer, host: str = "127.0.0.1") -> Flask:
    """Create the WSGI application.

    Args:
        explorer: Explorer.
        host: Accepted host name besides those of this machine; `ALL_ADDRESSES`: any IP address.
    """
    lock = Lock()  # the explorer is not thread-safe
    app = Flask(__name__, static_folder=None, template_folder=str(STATIC))
    app.jinja_env.autoescape = True
    trusted_hosts = None if host == ALL_ADDRESSES else ["127.0.0.1", "localhost", host]
    app.config.update(TRUSTED_HOSTS=trusted_hosts, MAX_CONTENT_LENGTH=MAX_FILE_SIZE)

    @app.before_request
    def check_origin() -> None:
        advice = "open the page by its address"
        if not trusted_hosts and not _is_address(request.host):
            raise RequestError(f"host {request.host!r:.60}, expected an IP address", advice)
        origin = request.headers.get("Origin", request.host_url)
        if request.method == "POST" and origin.rstrip("/") != request.host_url.rstrip("/"):
            raise RequestError(f"origin {origin!r:.60}, expected this page", advice)

    @app.after_request
    def add_headers(response: Response) -> Response:
        response.headers.update(HEADERS)
        return response

    @app.errorhandler(Exception)
    def error_response(error: Exception) -> tuple[dict[str, str], int]:
        match error:
            case RequestError():
                code, text, advice = 400, str(error), error.advice
            case RequestEntityTooLarge():
                limit = MAX_FILE_SIZE // 2**20
                code, text, advice = 413, "The file is too large", f"choose a file of up to {limit} MiB"
            case HTTPException():
                code, text, advice = error.code or 500, error.description or error.name, "open the page by its address"
            case _:
                log.exception("explorer: %s %s", request.method, request.path)
                code, text, advice = 500, "Internal server error", "see the server's log"
        return {"error": text, "where": f"{request.method} {request.path}"[:200], "advice": advice}, code

    @app.get("/")
    def page() -> str:
        data = explorer.page_data() | {"maxFileSize": MAX_FILE_SIZE}
        return render_template(
            "explorer.html.j2",
            data=data,
            suffixes=",".join(SUFFIXES),
            model=explorer.trained.name,
            synth=explorer.trained.synth.name,
            differences=explorer.trained.plugin_differences,
            count=len(data["presets"]),
        )

    @app.get("/<any({}):name>".format(", ".join(f"'{name}'" for name in FILES)))
    def file(name: str) -> Response:
        return Response(FILES[name].read_bytes(), mimetype=MEDIA_TYPES[FILES[name].suffix])

    @app.post("/sound")
    def sound() -> Response:
        position = _request_json()
        with lock:
            return Response(explorer.render("sound", explorer.parameters(position))[1], mimetype="audio/wav")

    @app.post("/bank")
    def bank() -> Response:
        position = _request_json()
        with lock:
            data, _ = explorer.render(str(position.get("name", "preset")), explorer.parameters(position))
        return Response(data, mimetype="text/plain")

    @app.post("/match")
    def match() -> dict[str, Any]:
        with lock:
            return explorer.encode_sound(request.get_data())

    return app


def serve(explorer: Explorer, host: str, port: int) -> Any:
    """Create a server that listens but does not run yet: ``run()`` serves until Ctrl-C.

    Args:
        explorer: Explorer.
        host: Address to listen on.
        port: Port; 0 selects a free one.

    Returns:
        A server of waitress, with ``effective_host`` and ``effective_port``.

    Raises:
        ValueError: If the address or port is invalid or not available.
    """
    if not 0 <= port < 2**16:
        raise ValueError(f"port {port}, expected 0 to {2**16 - 1}")
    limits = {
        "threads": 4,
        # up to twice the maximum size the application replies with an error; larger bodies are cut off
        "max_request_body_size": 2 * MAX_FILE_SIZE,
        # idle connections must neither keep others out, nor stay: file descriptors are limited, often to 1024
        "connection_limit": CONNECTIONS,
        "channel_timeout": IDLE_TIMEOUT,
        "cleanup_interval": IDLE_TIMEOUT // 2,
        "asyncore_use_poll": True,  # select can't watch descriptors from 1024
    }
    app = create_app(explorer, host)
    try:
        listener = socket.create_server((host, port))
    except OSError as error:
        raise ValueError(f"can't listen on port {port} of {host}: {error}; choose another --port") from error
    return waitress.create_server(app, sockets=[listener], ident=None, **limits)
