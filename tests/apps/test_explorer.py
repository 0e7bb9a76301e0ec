"""The explorer's requests: what is heard, what is written, and what is refused."""

import contextlib
import io
import json
import re
import threading
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import psutil
import pytest
import soundfile
import torch
from flask.testing import FlaskClient

from flowsynth.apps.explorer.server import EVERYWHERE, FILES, LARGEST, STATIC, app, serve
from flowsynth.apps.explorer.service import Explorer
from flowsynth.apps.latent_controller import Device
from flowsynth.data.presets import read_bank
from flowsynth.rendering.render import render
from flowsynth.rendering.worker import Rendered

RATE = 22050


@pytest.fixture(scope="module")
def explorer(device: Device) -> Iterator[Explorer]:
    with contextlib.closing(Explorer(device)) as made:
        yield made


@pytest.fixture(scope="module")
def client(explorer: Explorer) -> FlaskClient:
    return app(explorer).test_client()


def heard(client: FlaskClient, **asked) -> np.ndarray:
    answer = client.post("/sound", json=asked)
    assert answer.status_code == 200, answer.json
    assert answer.mimetype == "audio/wav"
    audio, rate = soundfile.read(io.BytesIO(answer.data), dtype="float32")
    assert (rate, audio.shape) == (RATE, (88200,))
    return audio


def wav(audio: np.ndarray) -> bytes:
    file = io.BytesIO()
    soundfile.write(file, audio, RATE, format="WAV")
    return file.getvalue()


def saw(seconds: float = 2.0) -> np.ndarray:
    return 0.3 * np.sign(np.sin(2 * np.pi * 220 * np.arange(int(seconds * RATE)) / RATE))


def test_a_preset_sounds_as_in_the_data_set(client: FlaskClient, device: Device):
    for number, name in enumerate(device.presets.index[:3]):
        full = device.trained.synth.expand(device._values[number][None], device.names)
        (played,) = render(device.trained.synth, device.trained.note, full, 20)
        found = heard(client, preset=name)
        assert np.abs(found).max() > 0.01
        assert np.abs(found - played.audio).max() < 1e-3  # what a bank says is rounded


@pytest.mark.parametrize("through", ["sounds", "parameters"])
def test_a_way_begins_and_ends_at_its_presets(explorer: Explorer, client: FlaskClient, device: Device, through: str):
    first, second = device.presets.index[:2]
    for t, end in ((0, first), (1, second)):
        found = heard(client, between=[first, second], t=t, through=through)
        assert np.array_equal(found, heard(client, preset=end))
    middle = explorer.place({"between": [first, second], "t": 0.5, "through": through})
    straight = device._values[:2].mean(axis=0)
    assert (np.abs(middle - straight).max() < 1e-6) == (through == "parameters")


def test_a_way_through_sounds_is_bent_as_the_answers_are(explorer: Explorer, device: Device):
    first, second = device.presets.index[:2]
    (z, values), (other_z, other) = device.known(first), device.known(second)
    bend = device.answer((z + other_z) / 2) - (device.answer(z) + device.answer(other_z)) / 2
    expected = np.clip((values + other) / 2 + bend, 0, 1)
    found = explorer.place({"between": [first, second], "t": 0.5, "through": "sounds"})
    assert found == pytest.approx(expected, abs=1e-5)


def test_a_macro_control_at_rest_changes_nothing_and_each_that_is_turned_something(
    explorer: Explorer, client: FlaskClient, device: Device
):
    name = device.presets.index[0]
    still = explorer.place({"preset": name})
    assert np.array_equal(explorer.place({"preset": name, "macros": [0] * 8}), still)
    for number in range(8):
        turned = [0.0] * number + [2.0]
        moved = torch.zeros(16)
        moved[device.order[number]] = 2
        assert explorer.place({"z": [0] * 16, "macros": turned}) == pytest.approx(device.answer(moved), abs=1e-5)
        assert not np.array_equal(explorer.place({"preset": name, "macros": turned}), still)
    assert not np.array_equal(heard(client, preset=name, macros=[2.5]), heard(client, preset=name))


def test_the_same_request_is_answered_by_the_same_bits_whatever_comes_between(client: FlaskClient, device: Device):
    asked = {"between": list(device.presets.index[:2]), "t": 0.3, "through": "sounds", "macros": [1, -1]}
    before = heard(client, **asked)
    client.post("/match", data=wav(saw()))
    heard(client, preset=device.presets.index[5])
    assert np.array_equal(heard(client, **asked), before)


def test_requests_that_come_at_once_are_each_answered_by_their_own_sound(client: FlaskClient, device: Device):
    names = list(device.presets.index[:6])
    alone = [heard(client, preset=name) for name in names]
    found: dict[str, np.ndarray] = {}
    other = client.application

    def ask(name: str) -> None:
        found[name] = heard(other.test_client(), preset=name)

    threads = [threading.Thread(target=ask, args=(name,)) for name in names]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert all(np.array_equal(found[name], audio) for name, audio in zip(names, alone, strict=True))


def test_a_saved_preset_is_what_was_heard_to_the_bit(client: FlaskClient, device: Device, tmp_path: Path):
    asked = {"between": list(device.presets.index[:2]), "t": 0.4, "through": "sounds", "macros": [0.7]}
    answer = client.post("/bank", json={**asked, "name": "A & B,\n<b>40</b> % \ud800" + "x" * 200})
    assert answer.status_code == 200
    (tmp_path / "a.bank").write_bytes(answer.data)
    synth = device.trained.synth
    (preset,) = read_bank(tmp_path / "a.bank", synth)
    assert preset.name.startswith("A & B, <b>40</b> % ?xxx")
    assert len(preset.name) <= 60
    full = np.array([[p.normalise(preset.values[p.name]) for p in synth.parameters]], dtype=np.float32)
    (played,) = render(synth, device.trained.note, full, 20)
    assert np.array_equal(heard(client, **asked), played.audio)


def test_a_sound_is_matched_by_where_the_device_hears_it(
    explorer: Explorer, client: FlaskClient, device: Device, tmp_path: Path
):
    (tmp_path / "a.wav").write_bytes(wav(saw(6.0)))
    answer = client.post("/match", data=(tmp_path / "a.wav").read_bytes()).json
    device.encode(tmp_path / "a.wav")
    assert answer["z"] == pytest.approx(device.z.tolist())
    assert answer["pitch"] == pytest.approx(57, abs=0.1)
    assert answer["shift"] == pytest.approx(3, abs=0.1)
    assert answer["note"] == "cut from 6.00 s"
    assert (answer["x"], answer["y"]) == pytest.approx(device.place(device.z))
    found = explorer.place({"z": answer["z"]})
    assert found == pytest.approx(device.values, abs=1e-5)


def test_presets_are_on_the_map_where_their_latents_are(device: Device):
    for name, row in device.presets.iloc[:5].iterrows():
        assert device.place(device.known(name)[0]) == pytest.approx((row["x"], row["y"]), abs=1e-4)


def refused(answer, status: int = 400) -> str:
    assert answer.status_code == status, answer.data
    assert set(answer.json) == {"what", "where", "do"}
    assert all(answer.json.values())
    return answer.json["what"]


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ("{", "no JSON"),
        ("", "no JSON"),
        ("[" * 20_000, "no JSON"),
        (b"\xff\xfe\x00", "no JSON"),
        ("[1]", "[1], expected an object"),
        ("{}", "{}, expected preset, or between"),
        ('{"preset": 1}', "expected preset"),
        ('{"preset": "nowhere"}', "there is no preset 'nowhere' among"),
        ('{"preset": "%s"}' % ("x" * 5000), "there is no preset 'xxx"),
        ('{"between": ["A", "B"], "t": NaN, "through": "sounds"}', "t = nan, expected a number from 0 to 1"),
        ('{"between": ["A", "B"], "t": 1.5, "through": "sounds"}', "t = 1.5"),
        ('{"between": ["A", "B"], "t": true, "through": "sounds"}', "t = True"),
        ('{"between": ["A", "B"], "through": "sounds"}', "t = None"),
        ('{"between": ["A", "x"], "t": 0.5, "through": "sounds"}', "there is no preset 'x'"),
        ('{"between": ["A"], "t": 0.5, "through": "sounds"}', "expected preset"),
        ('{"between": ["A", "B"], "t": 0.5, "through": "walls"}', "expected preset"),
        ('{"z": [0, 0, 0]}', "z of 16 coordinates"),
        ('{"z": [%s NaN]}' % ("0, " * 15), "15 = nan"),
        ('{"z": [%s 1e999]}' % ("0, " * 15), "15 = inf"),
        ('{"z": [%s 11]}' % ("0, " * 15), "15 = 11, expected a number from -10 to 10"),
        ('{"z": [%s "a"]}' % ("0, " * 15), "15 = 'a'"),
        ('{"preset": "A", "macros": {}}', "macros = {}, expected a list of up to 8"),
        ('{"preset": "A", "macros": [0, 0, 0, 0, 0, 0, 0, 0, 1]}', "expected a list of up to 8"),
        ('{"preset": "A", "macros": [NaN]}', "0 = nan"),
        ('{"preset": "A", "macros": [%s]}' % ("9" * 4000), "expected a number from -20 to 20"),
    ],
)  # fmt: skip
@pytest.mark.parametrize("address", ["/sound", "/bank"])
def test_bad_requests_are_answered(client: FlaskClient, device: Device, address: str, asked: str | bytes, said: str):
    if isinstance(asked, str):
        for letter, name in zip("AB", device.presets.index, strict=False):
            asked = asked.replace(f'"{letter}"', f'"{name}"')
    answer = client.post(address, data=asked)
    assert said in refused(answer)
    assert answer.json["where"] == f"POST {address}"


def broken() -> bytes:
    data = wav(saw())
    return data[:20] + b"\xff" * 20 + data[40:]


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"", "The sound can't be read"),
        (b"no sound", "The sound can't be read"),
        (broken(), "The sound can't be read"),
        (wav(np.zeros(RATE)), "The sound is silent: its peak is 0"),
        (wav(saw(0.01)), "The sound is too short: 0.010 s"),
        (wav(np.zeros(0)), "The sound has no samples"),
    ],
)
def test_bad_sounds_are_refused_in_plain_words(client: FlaskClient, data: bytes, said: str):
    answer = client.post("/match", data=data)
    assert said in refused(answer)
    assert "/tmp" not in answer.text
    assert "wav, flac" in answer.json["do"]


def test_too_much_is_refused(client: FlaskClient):
    answer = client.post("/match", data=b"x" * (LARGEST + 1))
    assert refused(answer, 413) == "The file is too large"
    assert "up to 64 MiB" in answer.json["do"]
    assert refused(client.post("/sound", data=" " * 2**17), 413)


@pytest.mark.parametrize(
    "address",
    [
        "/../../etc/passwd", "/..%2f..%2fetc%2fpasswd", "/%2e%2e/%2e%2e/etc/passwd", "/static/..%2fexplorer.py", "/static/",
        "//etc/passwd", "/explorer.css/../../explorer.py", "/explorer.css%2f..%2f..%2fexplorer.py", "/explorer.html.j2",
        "/build.py", "/explorer.css%00.py", "/..\\..\\explorer.py", "/page/page.css",
    ],
)  # fmt: skip
def test_no_other_file_is_served(client: FlaskClient, address: str):
    answer = client.get(address)
    assert answer.status_code in (400, 404, 308)  # //NAME is taken for a host
    assert "root:" not in answer.text
    assert "import" not in answer.text


def test_its_own_files_are_served(client: FlaskClient):
    for name in FILES:
        assert client.get(f"/{name}").status_code == 200
    text = client.get("/").text
    assert not re.search("https?:", text)
    asked = set(re.findall('(?:src|href)="([^"]*)"', text)) - {"data:,"}
    assert asked < set(FILES)
    imported = {name for file in FILES for name in re.findall(r'from "\./([^"]*)"', (STATIC / file).read_text())}
    assert asked | imported == set(FILES)


def test_names_can_not_leave_their_place_in_the_page(
    explorer: Explorer, device: Device, monkeypatch: pytest.MonkeyPatch
):
    hostile = "</script><script>alert(1)</script>&amp;\"'"
    monkeypatch.setattr(device, "presets", device.presets.assign(name=hostile))
    text = app(explorer).test_client().get("/").text
    assert "alert(1)</script>" not in text
    shown = json.loads(re.search('id="shown">(.*?)</script>', text)[1])
    assert {preset["name"] for preset in shown["presets"]} == {hostile}


@pytest.mark.parametrize("host", ["evil.example", "127.0.0.1.evil.example", "evil.example:1233", "0.0.0.0", ""])
def test_other_hosts_are_refused(client: FlaskClient, device: Device, host: str):
    for answer in (
        client.get("/", headers={"Host": host}),
        client.post("/sound", json={"preset": device.presets.index[0]}, headers={"Host": host}),
    ):
        refused(answer)
    assert client.get("/", headers={"Host": "127.0.0.1:1233"}).status_code == 200


@pytest.mark.parametrize(
    ("host", "status"),
    [("192.168.1.2:1233", 200), ("10.0.0.1", 200), ("evil.example", 400), ("0.0.0.0:1233", 400), ("1.2.3.4.evil", 400)],
)
def test_who_listens_everywhere_is_found_by_address_alone(explorer: Explorer, host: str, status: int):
    client = app(explorer, EVERYWHERE).test_client()
    assert client.get("/", headers={"Host": host}).status_code == status


@pytest.mark.parametrize("origin", ["http://evil.example", "null", "https://localhost", "http://localhost:8080"])
def test_other_origins_are_refused(client: FlaskClient, device: Device, origin: str):
    asked = {"preset": device.presets.index[0]}
    for address in ("/sound", "/bank", "/match"):
        assert "expected one from this page" in refused(client.post(address, json=asked, headers={"Origin": origin}))
    assert client.post("/sound", json=asked, headers={"Origin": "http://localhost"}).status_code == 200


def test_a_player_that_ends_is_started_again(client: FlaskClient, device: Device):
    before = heard(client, preset=device.presets.index[0])
    children = psutil.Process().children()
    players = [child for child in children if "flowsynth.rendering.worker" in " ".join(child.cmdline())]
    assert players
    for child in players:
        child.kill()
    assert np.array_equal(heard(client, preset=device.presets.index[0]), before)


def test_a_synthesizer_that_fails_is_told(client: FlaskClient, device: Device, monkeypatch: pytest.MonkeyPatch):
    failed = Rendered(np.zeros(88200, np.float32), "failed", "killed by SIGSEGV")
    monkeypatch.setitem(vars(device.trained), "player", lambda values: failed)
    answer = client.post("/sound", json={"preset": device.presets.index[0]})
    assert refused(answer) == "The preset can't be rendered: amsynth failed, killed by SIGSEGV"


def test_an_error_of_ours_is_told_and_ends_nothing(explorer: Explorer, device: Device, monkeypatch: pytest.MonkeyPatch):
    client = app(explorer).test_client()
    with monkeypatch.context() as patch:
        patch.setattr(device, "known", lambda name: 1 / 0)
        refused(client.post("/sound", json={"preset": "x"}), 500)
    assert client.get("/").status_code == 200


def test_it_listens_to_this_machine_alone(explorer: Explorer, request: pytest.FixtureRequest):
    server = serve(explorer, "127.0.0.1", 0)
    request.addfinalizer(server.close)
    assert server.effective_host == "127.0.0.1"
    assert server.socket.getsockname()[0] == "127.0.0.1"
    for host, port, said in (
        ("127.0.0.1", int(server.effective_port), "Address already in use.*; take another by --port"),
        ("127.0.0.1", 65536, "port 65536, expected 0 to 65535"),
        ("nowhere.invalid", 0, "port 0 at nowhere.invalid can't be listened at"),
    ):
        with pytest.raises(ValueError, match=said):
            serve(explorer, host, port)
