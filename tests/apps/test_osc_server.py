"""The device and its server: moves, paths, and messages of all kinds over a real socket."""

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

from flowsynth.apps.latent_controller import Device
from flowsynth.apps.osc_server import MESSAGES, Server, table
from flowsynth.inference.trained_model import open_model
from flowsynth.rendering.worker import Rendered

HEADING = b"#bundle\0" + bytes(8)
ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def server(device: Device, tmp_path: Path) -> Iterator[Server]:
    device.move([0.0] * 16)
    device.path.clear()
    with Server(device, "127.0.0.1", 0, tmp_path / "played") as made:
        thread = threading.Thread(target=made.run)
        thread.start()
        yield made
        ask(made, "/stop")
        thread.join(timeout=20)
        assert not thread.is_alive()


def message(address: str, *arguments) -> bytes:
    builder = OscMessageBuilder(address)
    for argument in arguments:
        builder.add_arg(argument)
    return builder.build().dgram


def exchange(server: Server, data: bytes, until: str | None = None) -> list[tuple[str, list]]:
    """Send a datagram; the answers that come, up to one of an address, or the first."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as client:
        client.settimeout(20)
        client.sendto(data, server.server_address)
        found: list[tuple[str, list]] = []
        while not found or (until and found[-1][0] not in (until, "/error")):
            (timed,) = OscPacket(client.recv(65536)).messages
            found.append((timed.message.address, list(timed.message.params)))
    return found


def ask(server: Server, address: str, *arguments, until: str | None = None) -> list[tuple[str, list]]:
    return exchange(server, message(address, *arguments), until)


def params(answers: list[tuple[str, list]]) -> dict[str, float]:
    address, pairs = answers[-1]
    assert address == "/params", answers
    return dict(zip(pairs[::2], pairs[1::2], strict=True))


def test_a_session(server: Server, device: Device, tmp_path: Path):
    assert ask(server, "/ping") == [("/pong", [])]
    (_, state) = ask(server, "/state")[0]
    assert state[:4] == ["flow_reg", "amsynth", 16, 16]
    (_, names) = ask(server, "/names")[0]
    assert names == list(device.names)

    origin = params(ask(server, "/z", *[0.0] * 16, until="/params"))
    assert list(origin) == names
    moved = params(ask(server, "/dimension", 3, 1.5, until="/params"))
    assert moved != origin
    assert params(ask(server, "/dimension", 3, 0, until="/params")) == origin  # a whole number does
    strongest = params(ask(server, "/macro", 0, 2.0, until="/params"))
    assert device.z[device.order[0]] == 2.0
    weakest = (
        params(ask(server, "/z", *[0.0] * 16, until="/params")),
        params(ask(server, "/macro", 15, 2.0, until="/params")),
    )
    change = [
        np.abs(np.subtract(list(found.values()), list(origin.values()))).mean() for found in (strongest, weakest[1])
    ]
    assert change[0] > change[1]
    ask(server, "/decode", 0.5, -0.5, 2, 7, until="/params")
    assert (device.z[2], device.z[7]) == (0.5, -0.5)

    presets = ask(server, "/presets", 0)
    identity = presets[0][1][0]
    loaded = params(ask(server, "/load_preset", identity, until="/params"))
    assert list(loaded.values()) == pytest.approx(device._values[0].tolist())
    assert ask(server, "/add_path") == [("/path", [1])]
    ask(server, "/load_preset", device.presets.index[1], until="/params")
    assert ask(server, "/add_path") == [("/path", [2])]
    start = params(ask(server, "/morph_path", 0.0, until="/params"))
    assert start == loaded
    middle = params(ask(server, "/morph_path", 0.5, until="/params"))
    assert list(middle.values()) == pytest.approx(device._values[:2].mean(axis=0).tolist(), abs=1e-6)
    halfway = device._latents[:2].clamp(-10, 10).mean(dim=0)
    assert device.z.tolist() == pytest.approx(halfway.tolist(), abs=1e-5)  # so that the next move goes on from there
    ask(server, "/play_path", 0.25, until="/params")
    assert device.z.tolist() == pytest.approx(torch.lerp(*device._latents[:2].clamp(-10, 10), 0.25).tolist(), abs=1e-5)
    assert ask(server, "/clear_path") == [("/path", [0])]

    time = np.arange(2 * 22050) / 22050
    soundfile.write(tmp_path / "a.wav", 0.3 * np.sign(np.sin(2 * np.pi * 220 * time)), 22050)
    heard = ask(server, "/encode", str(tmp_path / "a.wav"), until="/params")
    assert heard[0][0] == "/target_pitch"
    assert heard[0][1][0] == pytest.approx(57, abs=0.1)
    ((_, (path,)),) = ask(server, "/play", "sound_1")
    audio, rate = soundfile.read(path)
    assert (Path(path), rate, len(audio)) == (tmp_path / "played" / "sound_1.wav", 22050, 88200)


@pytest.mark.parametrize(
    ("address", "arguments", "said"),
    [
        ("/nothing", [], "unknown, expected one of /ping /state"),
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
        ("/load_preset", ["x"], "there is no preset 'x' among"),
        ("/presets", [10_000], "first = 10000"),
        ("/play_path", [0.5], "the path has 0 points, expected at least 2"),
        ("/play", ["../away"], "name '../away', expected letters, digits, - and _"),
        ("/ping", [True], "1 arguments, expected none"),
    ],
)
def test_bad_messages_are_answered_and_change_nothing(
    server: Server, device: Device, address: str, arguments: list, said: str
):
    before, z, values = ask(server, "/state"), device.z.clone(), device.values.copy()
    ((answer, (about, why)),) = ask(server, address, *arguments)
    assert (answer, about) == ("/error", address)
    assert said in why
    assert ask(server, "/state") == before
    assert torch.equal(device.z, z)
    assert np.array_equal(device.values, values)
    assert not server.out.exists()


def test_what_is_no_message_is_answered_too(server: Server):
    for data in (b"", b"nonsense", b"/ping", b"#bundle\0" + b"\xff" * 20, message("/ping")[:5]):
        assert exchange(server, data)[0][0] == "/error"
    for size in (-4, -8, 0, 3, 16, 2**31 - 4):  # who follows -4 comes back to where it stands, for ever
        inside = HEADING + size.to_bytes(4, "big", signed=True) + message("/ping")
        for data in (inside, HEADING + len(inside).to_bytes(4, "big") + inside):
            assert exchange(server, data)[0][0] == "/error"
    bundle = OscBundleBuilder(0)
    for address in ("/ping", "/nothing", "/ping"):
        bundle.add_content(OscMessageBuilder(address).build())
    found = exchange(server, bundle.build().dgram)
    assert found[0] == ("/pong", [])


def test_a_synthesizer_that_fails_is_told(server: Server, device: Device, monkeypatch: pytest.MonkeyPatch):
    failed = Rendered(np.zeros(88200, np.float32), "failed", "killed by SIGSEGV")
    monkeypatch.setitem(vars(device.trained), "player", lambda values: failed)
    ((_, (_, why)),) = ask(server, "/play", "sound_1")
    assert why == "can't be rendered: amsynth failed, killed by SIGSEGV"
    assert not list(server.out.iterdir())


def settled(client: socket.socket, server: Server, mark: str) -> None:
    """Read all answers up to that about an address no other message has: what was sent before is served then.

    Datagrams may be lost, so a server that says nothing is asked again.
    """
    for _ in range(60):
        client.settimeout(1)
        client.sendto(message(mark), server.server_address)
        with contextlib.suppress(TimeoutError):
            while OscPacket(client.recv(65536)).messages[0].message.params[:1] != [mark]:
                pass
            return
    raise AssertionError("the server is silent")


def test_ten_thousand_messages_of_chance_leave_it_alive_and_right(server: Server, device: Device):
    rng = random.Random(1)
    expected = params(ask(server, "/z", *[0.3] * 16, until="/params"))
    addresses = [name for name in server.messages if name not in ("/stop", "/play", "/encode")]

    def argument():
        return rng.choice(
            [
                rng.uniform(-20, 20), rng.randrange(-5, 40), rng.choice([0.0, float("nan"), float("inf"), -1e38]),
                "".join(chr(rng.randrange(1, 300)) for _ in range(rng.randrange(20))), True, None,
                bytes(rng.randrange(256) for _ in range(rng.randrange(1, 40))), 2**40, device.presets.index[0],
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
            if number % 10 == 0:  # no more at once than the queues of both sides hold
                settled(client, server, f"/served/{number}")
    assert params(ask(server, "/z", *[0.3] * 16, until="/params")) == expected
    assert (device.values >= 0).all() and (device.values <= 1).all()


def test_it_listens_to_this_machine_alone(server: Server, device: Device, tmp_path: Path):
    assert server.server_address[0] == "127.0.0.1"
    for port in (-1, 70_000):
        with pytest.raises(ValueError, match=f"port {port}, expected 0 to 65535"):
            Server(device, "127.0.0.1", port, tmp_path)


def test_a_model_without_a_latent_is_refused(device: Device):
    with pytest.raises(ValueError, match=r"CNN has no latent; take vae or flow_reg"):
        Device(open_model(device.trained.checkpoint.parents[1] / "cnn" / "checkpoint.pt"))


def test_the_documented_messages_are_those_that_there_are(server: Server):
    assert set(MESSAGES) < set(server.messages)
    text = (ROOT / "docs" / "live.md").read_text()
    assert table(server) in text, table(server)
