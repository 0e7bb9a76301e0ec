"""Server of a latent controller by Open Sound Control over UDP, local by default.

The server replies to each message's sender with the result, or with ``/error ADDRESS REASON``; only ``/stop`` stops it.
The reply to a message that changes the sound is ``/z`` (the latent) and ``/params`` (name, value, name, …; values in
[0, 1]), which can be sent to the plugin. `MESSAGES` lists all messages.

References:
    Wright 2002, "The Open Sound Control 1.0 specification".
    Esling et al. 2020: the published server, which has some of the same messages.
"""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from socketserver import BaseRequestHandler, UDPServer
from typing import Any

from pythonosc.osc_message_builder import OscMessageBuilder
from pythonosc.osc_packet import OscPacket, ParseError

from flowsynth.apps.latent_controller import LatentController
from flowsynth.core.progress import log

Reply = tuple[str, list[Any]]
BUNDLE, HEADER_SIZE = b"#bundle\0", 16  # first bytes of a bundle; bytes before its first element
MAX_MESSAGES = 100  # in a bundle: the server replies to others only after all of them
PRESETS_PER_REPLY = 40  # limited by the size of a datagram


@dataclass(frozen=True)
class Message:
    """A supported message.

    Attributes:
        argument_types: Types of the arguments, by name; the last may be repeated if its name ends with ``…``.
        text: Description.
        handler: Function of the controller and the arguments that returns the replies.
    """

    argument_types: dict[str, type]
    text: str
    handler: Callable[..., list[Reply]]


def current_sound(controller: LatentController) -> list[Reply]:
    """Return the current latent and parameters as replies."""
    values = controller.values.tolist()
    pairs = [part for name, value in zip(controller.names, values, strict=True) for part in (name, value)]
    return [("/z", controller.z.tolist()), ("/params", pairs)]


def _state(controller: LatentController) -> list[Reply]:
    trained = controller.trained
    names = [trained.name, trained.synth.name]
    sizes = [len(controller.names), controller.model.latent, len(controller.presets), len(controller.path)]
    return [("/state", [*names, *sizes])]


def _encode(controller: LatentController, path: str) -> list[Reply]:
    sound = controller.encode_file(Path(path))
    pitch = [("/target_pitch", [sound.pitch])] if sound.pitch is not None else []
    return [*pitch, *current_sound(controller)]


def _presets(controller: LatentController, first: int) -> list[Reply]:
    if not 0 <= first < len(controller.presets):
        raise ValueError(f"first = {first}, expected 0 to {len(controller.presets) - 1}")
    rows = controller.presets.iloc[first : first + PRESETS_PER_REPLY]
    return [("/preset", [name, row["name"], float(row["x"]), float(row["y"])]) for name, row in rows.iterrows()]


def _report_sound_after(action: Callable[..., Any]) -> Callable[..., list[Reply]]:
    """Make a handler that performs an action and replies with the current sound."""

    def handler(controller: LatentController, *arguments: Any) -> list[Reply]:
        action(controller, *arguments)
        return current_sound(controller)

    return handler


def _clear_path(controller: LatentController) -> list[Reply]:
    controller.path.clear()
    return [("/path", [0])]


MESSAGES: dict[str, Message] = {
    "/ping": Message({}, "Liveness check; replies `/pong`.", lambda controller: [("/pong", [])]),
    "/state": Message({}, "Replies `/state model synthesizer parameters dimensions presets points`.", _state),
    "/names": Message(
        {}, "Replies `/names name…`, the names of the parameters.", lambda c: [("/names", list(c.names))]
    ),
    "/encode": Message(
        {"path": str},
        "Moves to the latent of a sound file; replies its pitch, `/target_pitch`, if it has one.",
        _encode,
    ),
    "/z": Message(
        {"coordinate…": float},
        "Moves to a point of the latent space.",
        _report_sound_after(lambda c, *z: c.move_to(z)),
    ),
    "/dimension": Message(
        {"number": int, "value": float},
        "Sets one dimension.",
        _report_sound_after(lambda c, number, value: c.set_coordinates({number: value})),
    ),
    "/macro": Message(
        {"number": int, "value": float},
        "Sets a macro-control; number 0 changes the parameters most.",
        _report_sound_after(LatentController.set_macro),
    ),
    "/decode": Message(
        {"x": float, "y": float, "first": int, "second": int},
        "Sets two dimensions at once.",
        _report_sound_after(lambda c, x, y, first, second: c.set_coordinates({first: x, second: y})),
    ),
    "/presets": Message({"first": int}, f"Replies up to {PRESETS_PER_REPLY} of `/preset id name x y`.", _presets),
    "/load_preset": Message({"id": str}, "Loads a preset.", _report_sound_after(LatentController.load_preset)),
    "/clear_path": Message({}, "Clears the path; replies `/path 0`.", _clear_path),
    "/add_path": Message(
        {},
        "Appends the current position to the path; replies `/path points`.",
        lambda c: [("/path", [c.add_to_path()])],
    ),
    "/play_path": Message(
        {"t": float},
        "Moves along the path, interpolating latents; t from 0 to 1.",
        _report_sound_after(LatentController.move_along_path),
    ),
    "/morph_path": Message(
        {"t": float},
        "Moves along the path, interpolating parameters; t from 0 to 1.",
        _report_sound_after(lambda c, t: c.move_along_path(t, latent=False)),
    ),
}


def convert_arguments(message: Message, arguments: list[Any]) -> list[Any]:
    """Convert arguments to their types; an integer is accepted as a float.

    Raises:
        ValueError: If the number or a type of the arguments is wrong.
    """
    types = list(message.argument_types.values())
    if message.argument_types and next(reversed(message.argument_types)).endswith("…"):
        types = [types[-1]] * max(1, len(arguments))
    expected = " ".join(f"{name}:{kind.__name__}" for name, kind in message.argument_types.items()) or "none"
    if len(arguments) != len(types):
        raise ValueError(f"{len(arguments)} arguments, expected {expected}")
    for argument, kind in zip(arguments, types, strict=True):
        is_number = isinstance(argument, kind) or (kind is float and isinstance(argument, int))
        if isinstance(argument, bool) or not is_number:
            raise ValueError(f"{argument!r:.60}, expected {expected}")
    return [kind(argument) for argument, kind in zip(arguments, types, strict=True)]


def check_bundle(data: bytes) -> None:
    """Check the sizes of a bundle's elements, as the parser may not terminate if they are wrong.

    Raises:
        ValueError: If the size of an element is impossible.
    """
    position = HEADER_SIZE
    while data.startswith(BUNDLE) and position < len(data):
        size = int.from_bytes(data[position : position + 4], "big", signed=True)
        if size <= 0 or size % 4 or position + 4 + size > len(data):
            raise ValueError(f"an element of {size} bytes at byte {position} of a bundle of {len(data)}")
        check_bundle(data[position + 4 : position + 4 + size])
        position += 4 + size


class Server(UDPServer):
    """UDP server that replies to every datagram.

    Args:
        controller: Latent controller.
        host: Address to listen on.
        port: Port; 0 selects a free one.
        out: Folder into which ``/play NAME`` writes sounds.

    Raises:
        ValueError: If the port is out of range.
        OSError: If the address or port is not available.
    """

    def __init__(self, controller: LatentController, host: str, port: int, out: Path):
        if not 0 <= port < 2**16:
            raise ValueError(f"port {port}, expected 0 to {2**16 - 1}")
        super().__init__((host, port), BaseRequestHandler)
        self.controller, self.out, self.stopped = controller, out, False
        play = Message({"name": str}, "Renders the current sound into NAME.wav; replies `/played path`.", self._play)
        stop = Message({}, "Stops the server; replies `/terminated`.", self._stop)
        self.messages = MESSAGES | {"/play": play, "/stop": stop}

    def finish_request(self, request: Any, client_address: Any) -> None:
        """Reply to a datagram."""
        data, socket = request
        for address, arguments in self._replies(data):
            builder = OscMessageBuilder(address)
            for argument in arguments:
                builder.add_arg(argument)
            socket.sendto(builder.build().dgram, client_address)

    def run(self) -> None:
        """Serve until ``/stop``."""
        while not self.stopped:
            self.handle_request()

    def _replies(self, data: bytes) -> list[Reply]:
        try:
            check_bundle(data)
            messages = [timed.message for timed in OscPacket(data).messages]
            if len(messages) > MAX_MESSAGES:
                raise ValueError(f"{len(messages)} messages, expected at most {MAX_MESSAGES}")
        except (ParseError, ValueError, IndexError, RecursionError) as error:
            return [("/error", ["", f"not an Open Sound Control packet: {error}"])]
        replies = []
        for message in messages:
            try:
                supported = self.messages.get(message.address)
                if supported is None:
                    raise ValueError(f"unknown address, expected one of {' '.join(self.messages)}")
                replies += supported.handler(self.controller, *convert_arguments(supported, list(message.params)))
            except Exception as error:  # a failed message must not affect the next one
                log.info("osc: %s: %s", message.address, error)
                replies.append(("/error", [message.address, f"{error}"[:300]]))
        return replies

    def _play(self, controller: LatentController, name: str) -> list[Reply]:
        if not name.replace("_", "").replace("-", "").isalnum() or not name.isascii() or len(name) > 60:
            raise ValueError(f"name {name!r:.60}, expected up to 60 letters, digits, - and _")
        self.out.mkdir(parents=True, exist_ok=True)
        path = self.out.absolute() / f"{name}.wav"
        controller.render(path)
        return [("/played", [str(path)])]

    def _stop(self, controller: LatentController) -> list[Reply]:
        self.stopped = True
        return [("/terminated", [])]


def format_table(server: Server) -> str:
    """Format the messages as a Markdown table."""
    rows = [
        f"| `{' '.join([address, *message.argument_types])}` | {message.text} |"
        for address, message in server.messages.items()
    ]
    return "\n".join(["| Message | |", "| --- | --- |", *rows, ""])
