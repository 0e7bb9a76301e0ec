"""Latent controller and its OSC server: moves, paths, and valid and invalid messages over a real socket."""

import contextlib
import random
import socket
import threading
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import soundfile
import torch
from pythonosc.osc_bundle_builder import OscBundleBuilder
from pythonosc.osc_message_builder import OscMessageBuilder
from pythonosc.osc_packet import OscPacket
from waiting import DEADLINE, wait_until

from flowsynth.apps import latent_controller
from flowsynth.apps.latent_controller import LatentController
from flowsynth.apps.osc_server import MAX_MESSAGES, MESSAGES, Server, format_table
from flowsynth.inference.run_model import open_run_model
from flowsynth.rendering.worker import Rendered

HEADING = b"#bundle\0" + bytes(8)
ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def server(controller: LatentController, tmp_path: Path) -> Iterator[Server]:
    controller.move_to([0.0] * 16)
    controller.path.clear()
    with Server(controller, "127.0.0.1", 0, tmp_path / "played") as osc_server:
        thread = threading.Thread(target=osc_server.run)
        thread.start()
        yield osc_server
        send(osc_server, "/stop")
        thread.join(DEADLINE)
        assert not thread.is_alive()


def message(address: str, *arguments) -> bytes:
    builder = OscMessageBuilder(address)
    for argument in arguments:
        builder.add_arg(argument)
    return builder.build().dgram


def exchange(server: Server, data: bytes, until: str | None = None) -> list[tuple[str, list]]:
    """Send a datagram and return the replies up to one of an address, or the first."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as client:
        client.settimeout(DEADLINE)
        client.sendto(data, server.server_address)
        replies: list[tuple[str, list]] = []
        while not replies or (until and replies[-1][0] not in (until, "/error")):
            (timed,) = OscPacket(client.recv(65536)).messages
            replies.append((timed.message.address, list(timed.message.params)))
    return replies


def send(server: Server, address: str, *arguments, until: str | None = None) -> list[tuple[str, list]]:
    return exchange(server, message(address, *arguments), until)


def params(replies: list[tuple[str, list]]) -> dict[str, float]:
    address, pairs = replies[-1]
    assert address == "/params", replies
    return dict(zip(pairs[::2], pairs[1::2], strict=True))


def test_a_session(server: Server, controller: LatentController, tmp_path: Path):
    assert send(server, "/ping") == [("/pong", [])]
    (_, state) = send(server, "/state")[0]
    assert state[:4] == ["flow_reg", "amsynth", 16, 16]
    (_, names) = send(server, "/names")[0]
    assert names == list(controller.names)

    origin = params(send(server, "/z", *[0.0] * 16, until="/params"))
    assert list(origin) == names
    moved = params(send(server, "/dimension", 3, 1.5, until="/params"))
    assert moved != origin
    assert params(send(server, "/dimension", 3, 0, until="/params")) == origin  # an integer is accepted
    strongest = params(send(server, "/macro", 0, 2.0, until="/params"))
    assert controller.z[controller.macro_dimensions[0]] == 2.0
    send(server, "/z", *[0.0] * 16, until="/params")
    weakest = params(send(server, "/macro", 15, 2.0, until="/params"))
    change = [
        np.abs(np.subtract(list(values.values()), list(origin.values()))).mean() for values in (strongest, weakest)
    ]
    assert change[0] > change[1]
    send(server, "/decode", 0.5, -0.5, 2, 7, until="/params")
    assert (controller.z[2], controller.z[7]) == (0.5, -0.5)

    presets = send(server, "/presets", 0)
    identity = presets[0][1][0]
    loaded = params(send(server, "/load_preset", identity, until="/params"))
    assert list(loaded.values()) == pytest.approx(controller._preset_values[0].tolist())
    assert send(server, "/add_path") == [("/path", [1])]
    send(server, "/load_preset", controller.presets.index[1], until="/params")
    assert send(server, "/add_path") == [("/path", [2])]
    start = params(send(server, "/morph_path", 0.0, until="/params"))
    assert start == loaded
    middle = params(send(server, "/morph_path", 0.5, until="/params"))
    assert list(middle.values()) == pytest.approx(controller._preset_values[:2].mean(axis=0).tolist(), abs=1e-6)
    halfway = controller._preset_latents[:2].clamp(-10, 10).mean(dim=0)
    assert controller.z.tolist() == pytest.approx(halfway.tolist(), abs=1e-5)  # the next move starts from there
    send(server, "/play_path", 0.25, until="/params")
    assert controller.z.tolist() == pytest.approx(
        torch.lerp(*controller._preset_latents[:2].clamp(-10, 10), 0.25).tolist(), abs=1e-5
    )
    assert send(server, "/clear_path") == [("/path", [0])]

    time = np.arange(2 * 22050) / 22050
    soundfile.write(tmp_path / "a.wav", 0.3 * np.sign(np.sin(2 * np.pi * 220 * time)), 22050)
    replies = send(server, "/encode", str(tmp_path / "a.wav"), until="/params")
    assert replies[0][0] == "/target_pitch"
    assert replies[0][1][0] == pytest.approx(57, abs=0.1)
    ((_, (path,)),) = send(server, "/play", "sound_1")
    audio, rate = soundfile.read(path)
    assert (Path(path), rate, len(audio)) == (tmp_path / "played" / "sound_1.wav", 22050, 88200)


@pytest.mark.parametrize(
    ("address", "arguments", "expected"),
    [
        ("/nothing", [], "unknown address"),
        ("/z", [0.0] * 3, "3 coordinates, expected 16"),
        ("/z", [float("nan")] * 16, "expected within +-10"),
        ("/z", ["a"] * 16, "'a', expected coordinate…:float"),
        ("/dimension", [16, 0.0], "dimension 16, expected 0 to 15"),
        ("/dimension", [1.5, 0.0], "1.5, expected number:int value:float"),
        ("/dimension", [1, float("inf")], "expected within +-10"),
        ("/macro", [-1, 0.0], "macro-control -1"),
        ("/decode", [0.5, 0.5, 2, 99], "dimension 99, expected 0 to 15"),
        ("/decode", [0.5, 11.0, 2, 3], "expected within +-10"),
        ("/encode", ["/nowhere.wav"], "is not there"),
        ("/encode", ["/dev/zero"], "is no file"),
        ("/encode", [], "0 arguments, expected path:str"),
        ("/load_preset", ["x"], "unknown preset 'x'"),
        ("/presets", [10_000], "first = 10000"),
        ("/play_path", [0.5], "0 points"),
        ("/play", ["../away"], "name '../away'"),
        ("/ping", [True], "1 arguments, expected none"),
    ],
)
def test_invalid_messages_are_errors_and_change_nothing(
    server: Server, controller: LatentController, address: str, arguments: list, expected: str
):
    before, z, values = send(server, "/state"), controller.z.clone(), controller.values.copy()
    ((reply, (error_address, reason)),) = send(server, address, *arguments)
    assert (reply, error_address) == ("/error", address)
    assert expected in reason
    assert send(server, "/state") == before
    assert torch.equal(controller.z, z)
    assert np.array_equal(controller.values, values)
    assert not server.out.exists()


def test_invalid_datagrams_are_errors(server: Server):
    for data in (b"", b"nonsense", b"/ping", b"#bundle\0" + b"\xff" * 20, message("/ping")[:5]):
        assert exchange(server, data)[0][0] == "/error"
    for size in (-4, -8, 0, 3, 16, 2**31 - 4):  # a parser that follows -4 never terminates
        inside = HEADING + size.to_bytes(4, "big", signed=True) + message("/ping")
        for data in (inside, HEADING + len(inside).to_bytes(4, "big") + inside):
            assert exchange(server, data)[0][0] == "/error"
    bundle = OscBundleBuilder(0)
    for address in ("/ping", "/nothing", "/ping"):
        bundle.add_content(OscMessageBuilder(address).build())
    replies = exchange(server, bundle.build().dgram)
    assert replies[0] == ("/pong", [])
    for _ in range(MAX_MESSAGES):
        bundle.add_content(OscMessageBuilder("/ping").build())
    ((address, (_, reason)),) = exchange(server, bundle.build().dgram)
    assert address == "/error"
    assert "103 messages, expected at most 100" in reason


def test_a_path_has_a_limited_length(server: Server, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(latent_controller, "MAX_POINTS", 1)
    assert send(server, "/add_path") == [("/path", [1])]
    assert send(server, "/add_path")[0][0] == "/error"


def test_a_synthesizer_failure_is_an_error_reply(
    server: Server, controller: LatentController, monkeypatch: pytest.MonkeyPatch
):
    failed = Rendered(np.zeros(88200, np.float32), "failed", "killed by SIGSEGV")
    monkeypatch.setitem(vars(controller.trained), "renderer", lambda values: failed)
    ((_, (_, reason)),) = send(server, "/play", "sound_1")
    assert reason == "can't be rendered: amsynth failed, killed by SIGSEGV"
    assert not list(server.out.iterdir())


def drain_replies(client: socket.socket, server: Server, marker: str) -> None:
    """Read all replies up to that of a unique address, when all earlier messages have been handled.

    Datagrams may be lost, so the message is sent again if there is no reply.
    """
    client.settimeout(1)

    def reply() -> bool:
        client.sendto(message(marker), server.server_address)
        with contextlib.suppress(TimeoutError):
            while OscPacket(client.recv(65536)).messages[0].message.params[:1] != [marker]:
                pass
            return True
        return False

    wait_until(reply, "a reply from the server")


def test_ten_thousand_random_messages_leave_it_working(server: Server, controller: LatentController):
    rng = random.Random(1)
    expected = params(send(server, "/z", *[0.3] * 16, until="/params"))
    addresses = [name for name in server.messages if name not in ("/stop", "/play", "/encode")]

    def argument():
        return rng.choice(
            [
                rng.uniform(-20, 20), rng.randrange(-5, 40), rng.choice([0.0, float("nan"), float("inf"), -1e38]),
                "".join(chr(rng.randrange(1, 300)) for _ in range(rng.randrange(20))), True, None,
                bytes(rng.randrange(256) for _ in range(rng.randrange(1, 40))), 2**40, controller.presets.index[0],
            ]
        )  # fmt: skip

    def datagram() -> bytes:
        if rng.random() < 0.3:
            return rng.randbytes(rng.randrange(200))
        name = rng.choice([*addresses, "/" + "x" * rng.randrange(300), "/z/", "/*"])
        count = 16 if name == "/z" else rng.randrange(4)
        data = message(name, *(argument() for _ in range(count)))
        if rng.random() < 0.2:
            size = rng.choice([len(data), rng.randrange(-64, 64), rng.randrange(-(2**31), 2**31)])
            data = HEADING + size.to_bytes(4, "big", signed=True) + data + rng.randbytes(rng.choice([0, 0, 4, 7]))
        return data[: rng.randrange(len(data) + 1)] if rng.random() < 0.2 else data

    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as client:
        for number in range(1, 10_001):
            client.sendto(datagram(), server.server_address)
            if number % 10 == 0:  # limit the number of queued datagrams
                drain_replies(client, server, f"/served/{number}")
    assert params(send(server, "/z", *[0.3] * 16, until="/params")) == expected
    assert (controller.values >= 0).all() and (controller.values <= 1).all()


def test_it_listens_locally_by_default(server: Server, controller: LatentController, tmp_path: Path):
    assert server.server_address[0] == "127.0.0.1"
    for port in (-1, 70_000):
        with pytest.raises(ValueError, match=f"port {port}"):
            Server(controller, "127.0.0.1", port, tmp_path)


def test_a_model_without_a_latent_space_is_refused(controller: LatentController):
    with pytest.raises(ValueError, match="CNN has no latent"):
        LatentController(open_run_model(controller.trained.checkpoint.parents[1] / "cnn" / "checkpoint.pt"))


def test_the_documentation_lists_the_supported_messages(server: Server):
    assert set(MESSAGES) < set(server.messages)
    text = (ROOT / "docs" / "tutorials" / "osc.md").read_text()
    assert format_table(server) in text, format_table(server)
