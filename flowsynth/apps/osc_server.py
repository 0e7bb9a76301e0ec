"""The device as a server of Open Sound Control over UDP, bound to this machine alone unless it is told otherwise.

Each message is answered to where it came from: by what it asks for, or by ``/error ADDRESS WHY``; no message ends the
server but ``/stop``. What changes the sound is answered by ``/z`` (the latent) and ``/params`` (name, value, name, …; values
in 0 to 1), ready for the plugin. `MESSAGES` has them all.

References:
    Wright 2002, "The Open Sound Control 1.0 specification".
    Esling et al. 2020: the messages of the published server, some of which these are.
"""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from socketserver import BaseRequestHandler, UDPServer
from typing import Any

from pythonosc.osc_message_builder import OscMessageBuilder
from pythonosc.osc_packet import OscPacket, ParseError

from flowsynth.apps.latent_controller import Device
from flowsynth.core.progress import log

Reply = tuple[str, list[Any]]
BUNDLE, HEAD = b"#bundle\0", 16  # how one begins, and bytes until its first element
AT_ONCE = 40  # presets in one answer: a datagram has to hold them


@dataclass(frozen=True)
class Message:
    """A message that is understood.

    Attributes:
        takes: Types of its arguments, by name; the last may be repeated if its name ends with ``…``.
        text: What it does.
        act: Does it.
    """

    takes: dict[str, type]
    text: str
    act: Callable[..., list[Reply]]


def sounding(device: Device) -> list[Reply]:
    """Where the device is, and the parameters of that."""
    pairs = [part for name, value in zip(device.names, device.values.tolist(), strict=True) for part in (name, value)]
    return [("/z", device.z.tolist()), ("/params", pairs)]


def _state(device: Device) -> list[Reply]:
    trained = device.trained
    told = [str(trained.checkpoint.parent.name), trained.synth.name, len(device.names), device.model.latent]
    return [("/state", [*told, len(device.presets), len(device.path)])]


def _encode(device: Device, path: str) -> list[Reply]:
    heard = device.encode(Path(path))
    pitch = [("/target_pitch", [heard.pitch])] if heard.pitch is not None else []
    return [*pitch, *sounding(device)]


def _presets(device: Device, first: int) -> list[Reply]:
    if not 0 <= first < len(device.presets):
        raise ValueError(f"first = {first}, expected 0 to {len(device.presets) - 1}")
    rows = device.presets.iloc[first : first + AT_ONCE]
    return [("/preset", [name, row["name"], float(row["x"]), float(row["y"])]) for name, row in rows.iterrows()]


def _then(act: Callable[..., Any]) -> Callable[..., list[Reply]]:
    """Do something, and tell how it sounds then."""

    def done(device: Device, *arguments: Any) -> list[Reply]:
        act(device, *arguments)
        return sounding(device)

    return done


def _clear(device: Device) -> list[Reply]:
    device.path.clear()
    return [("/path", [0])]


MESSAGES: dict[str, Message] = {
    "/ping": Message({}, "Is anybody there? Answered by `/pong`.", lambda device: [("/pong", [])]),
    "/state": Message({}, "Answered by `/state model synthesizer parameters dimensions presets points`.", _state),
    "/names": Message({}, "Answered by `/names name…` of the parameters.", lambda d: [("/names", list(d.names))]),
    "/encode": Message({"path": str}, "Hears a sound file; its pitch is answered by `/target_pitch`.", _encode),
    "/z": Message({"coordinate…": float}, "Goes to a point of the latent space.", _then(lambda d, *z: d.move(z))),
    "/dimension": Message(
        {"number": int, "value": float}, "Sets one dimension.", _then(lambda d, number, value: d.set({number: value}))
    ),
    "/macro": Message(
        {"number": int, "value": float}, "Sets a macro-control; 0 is the strongest.", _then(Device.macro)
    ),
    "/decode": Message(
        {"x": float, "y": float, "first": int, "second": int},
        "Sets two dimensions at once.",
        _then(lambda d, x, y, first, second: d.set({first: x, second: y})),
    ),
    "/presets": Message({"first": int}, f"Answered by up to {AT_ONCE} of `/preset id name x y`.", _presets),
    "/load_preset": Message({"id": str}, "Goes to a preset.", _then(Device.preset)),
    "/clear_path": Message({}, "Forgets the path; answered by `/path 0`.", _clear),
    "/add_path": Message(
        {}, "Puts where we are at the end of the path; `/path points`.", lambda d: [("/path", [d.add()])]
    ),
    "/play_path": Message({"t": float}, "Goes along the path, through sounds; t from 0 to 1.", _then(Device.along)),
    "/morph_path": Message(
        {"t": float}, "Goes along the path, through parameters.", _then(lambda d, t: d.along(t, latent=False))
    ),
}


def checked(message: Message, arguments: list[Any]) -> list[Any]:
    """Arguments of their types; whole numbers do for fractions.

    Raises:
        ValueError: If there are too few or too many, or one is of another type; the message says which were expected.
    """
    kinds = list(message.takes.values())
    if message.takes and next(reversed(message.takes)).endswith("…"):
        kinds = [kinds[-1]] * max(1, len(arguments))
    wanted = " ".join(f"{name}:{kind.__name__}" for name, kind in message.takes.items()) or "none"
    if len(arguments) != len(kinds):
        raise ValueError(f"{len(arguments)} arguments, expected {wanted}")
    for given, kind in zip(arguments, kinds, strict=True):
        if isinstance(given, bool) or not (isinstance(given, kind) or (kind is float and isinstance(given, int))):
            raise ValueError(f"{given!r:.60}, expected {wanted}")
    return [kind(given) for given, kind in zip(arguments, kinds, strict=True)]


def require_whole(data: bytes) -> None:
    """Refuse a bundle whose elements are not where it says: who reads it might not come to its end.

    Raises:
        ValueError: If an element has no size that there can be.
    """
    at = HEAD
    while data.startswith(BUNDLE) and at < len(data):
        size = int.from_bytes(data[at : at + 4], "big", signed=True)
        if size <= 0 or size % 4 or at + 4 + size > len(data):
            raise ValueError(f"an element of {size} bytes at byte {at} of a bundle of {len(data)}")
        require_whole(data[at + 4 : at + 4 + size])
        at += 4 + size


class Server(UDPServer):
    """A server that answers every datagram.

    Args:
        device: That it plays.
        host: Address that it is bound to.
        port: Port; 0 takes a free one.
        out: Folder that ``/play NAME`` writes sounds into.

    Raises:
        ValueError: If there is no such port.
        OSError: If it can't be bound there.
    """

    def __init__(self, device: Device, host: str, port: int, out: Path):
        if not 0 <= port < 2**16:
            raise ValueError(f"port {port}, expected 0 to {2**16 - 1}")
        super().__init__((host, port), BaseRequestHandler)
        self.device, self.out, self.stopped = device, out, False
        played = Message({"name": str}, "Renders the sound into NAME.wav; `/played path`.", self._play)
        stop = Message({}, "Ends the server; answered by `/terminated`.", self._stop)
        self.messages = MESSAGES | {"/play": played, "/stop": stop}

    def finish_request(self, request: Any, client_address: Any) -> None:
        """Answer a datagram."""
        data, socket = request
        for address, arguments in self._answers(data):
            builder = OscMessageBuilder(address)
            for argument in arguments:
                builder.add_arg(argument)
            socket.sendto(builder.build().dgram, client_address)

    def run(self) -> None:
        """Serve until ``/stop``."""
        while not self.stopped:
            self.handle_request()

    def _answers(self, data: bytes) -> list[Reply]:
        try:
            require_whole(data)
            messages = [timed.message for timed in OscPacket(data).messages]
        except (ParseError, ValueError, IndexError, RecursionError) as error:
            return [("/error", ["", f"no Open Sound Control: {error}"])]
        replies = []
        for message in messages:
            try:
                known = self.messages.get(message.address)
                if known is None:
                    raise ValueError(f"unknown, expected one of {' '.join(self.messages)}")
                replies += known.act(self.device, *checked(known, list(message.params)))
            except Exception as error:  # whatever is wrong with one message, the next one is answered
                log.info("osc: %s: %s", message.address, error)
                replies.append(("/error", [message.address, f"{error}"[:300]]))
        return replies

    def _play(self, device: Device, name: str) -> list[Reply]:
        if not name.replace("_", "").replace("-", "").isalnum() or not name.isascii() or len(name) > 60:
            raise ValueError(f"name {name!r:.60}, expected letters, digits, - and _")
        self.out.mkdir(parents=True, exist_ok=True)
        path = self.out.absolute() / f"{name}.wav"
        device.play(path)
        return [("/played", [str(path)])]

    def _stop(self, device: Device) -> list[Reply]:
        self.stopped = True
        return [("/terminated", [])]


def table(server: Server) -> str:
    """The messages as a table in Markdown."""
    rows = [
        f"| `{' '.join([address, *message.takes])}` | {message.text} |" for address, message in server.messages.items()
    ]
    return "\n".join(["| Message | |", "| --- | --- |", *rows, ""])
