"""Requests of the explorer: sounds, banks, matches, and invalid requests."""

import contextlib
import io
import json
import re
import signal
import threading
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import soundfile
import torch
from flask.testing import FlaskClient
from waiting import children, command_line, send_signal

from flowsynth.apps.explorer.server import ALL_ADDRESSES, FILES, MAX_FILE_SIZE, create_app, serve
from flowsynth.apps.explorer.service import Explorer
from flowsynth.apps.latent_controller import LatentController
from flowsynth.data.presets import read_bank
from flowsynth.rendering.render import render
from flowsynth.rendering.worker import Rendered

RATE = 22050


@pytest.fixture(scope="module")
def explorer(controller: LatentController) -> Iterator[Explorer]:
    with contextlib.closing(Explorer(controller)) as explorer:
        yield explorer


@pytest.fixture(scope="module")
def client(explorer: Explorer) -> FlaskClient:
    return create_app(explorer).test_client()


def render_position(client: FlaskClient, **position) -> np.ndarray:
    response = client.post("/sound", json=position)
    assert response.status_code == 200, response.json
    assert response.mimetype == "audio/wav"
    audio, rate = soundfile.read(io.BytesIO(response.data), dtype="float32")
    assert (rate, audio.shape) == (RATE, (88200,))
    return audio


def wav(audio: np.ndarray) -> bytes:
    file = io.BytesIO()
    soundfile.write(file, audio, RATE, format="WAV")
    return file.getvalue()


def saw(seconds: float = 2.0) -> np.ndarray:
    return 0.3 * np.sign(np.sin(2 * np.pi * 220 * np.arange(int(seconds * RATE)) / RATE))


def test_a_preset_sounds_as_in_the_data_set(client: FlaskClient, controller: LatentController):
    for number, name in enumerate(controller.presets.index[:3]):
        full = controller.trained.synth.expand(controller._preset_values[number][None], controller.names)
        (rendered,) = render(controller.trained.synth, controller.trained.note, full, 20)
        audio = render_position(client, preset=name)
        assert np.abs(audio).max() > 0.01
        assert np.abs(audio - rendered.audio).max() < 1e-3  # values in a bank are rounded


@pytest.mark.parametrize("through", ["sounds", "parameters"])
def test_an_interpolation_starts_and_ends_at_its_presets(
    explorer: Explorer, client: FlaskClient, controller: LatentController, through: str
):
    first, second = controller.presets.index[:2]
    for t, end in ((0, first), (1, second)):
        audio = render_position(client, between=[first, second], t=t, through=through)
        assert np.array_equal(audio, render_position(client, preset=end))
    middle = explorer.parameters({"between": [first, second], "t": 0.5, "through": through})
    linear = controller._preset_values[:2].mean(axis=0)
    assert (np.abs(middle - linear).max() < 1e-6) == (through == "parameters")


def test_sound_interpolation_follows_the_predictions(explorer: Explorer, controller: LatentController):
    first, second = controller.presets.index[:2]
    (z1, values1), (z2, values2) = controller.find_preset(first), controller.find_preset(second)
    deviation = controller.predict((z1 + z2) / 2) - (controller.predict(z1) + controller.predict(z2)) / 2
    expected = np.clip((values1 + values2) / 2 + deviation, 0, 1)
    values = explorer.parameters({"between": [first, second], "t": 0.5, "through": "sounds"})
    assert values == pytest.approx(expected, abs=1e-5)


def test_each_macro_control_changes_the_sound_unless_it_is_0(
    explorer: Explorer, client: FlaskClient, controller: LatentController
):
    name = controller.presets.index[0]
    unchanged = explorer.parameters({"preset": name})
    assert np.array_equal(explorer.parameters({"preset": name, "macros": [0] * 8}), unchanged)
    for number in range(8):
        macros = [0.0] * number + [2.0]
        z = torch.zeros(16)
        z[controller.macro_dimensions[number]] = 2
        assert explorer.parameters({"z": [0] * 16, "macros": macros}) == pytest.approx(controller.predict(z), abs=1e-5)
        assert not np.array_equal(explorer.parameters({"preset": name, "macros": macros}), unchanged)
    assert not np.array_equal(render_position(client, preset=name, macros=[2.5]), render_position(client, preset=name))


def test_equal_requests_are_rendered_bit_identically(client: FlaskClient, controller: LatentController):
    position = {"between": list(controller.presets.index[:2]), "t": 0.3, "through": "sounds", "macros": [1, -1]}
    before = render_position(client, **position)
    client.post("/match", data=wav(saw()))
    render_position(client, preset=controller.presets.index[5])
    assert np.array_equal(render_position(client, **position), before)


def test_concurrent_requests_get_their_own_sounds(client: FlaskClient, controller: LatentController):
    names = list(controller.presets.index[:6])
    expected = [render_position(client, preset=name) for name in names]
    sounds: dict[str, np.ndarray] = {}
    application = client.application

    def request_sound(name: str) -> None:
        sounds[name] = render_position(application.test_client(), preset=name)

    threads = [threading.Thread(target=request_sound, args=(name,)) for name in names]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert all(np.array_equal(sounds[name], audio) for name, audio in zip(names, expected, strict=True))


def test_a_saved_preset_renders_bit_identically(client: FlaskClient, controller: LatentController, tmp_path: Path):
    position = {"between": list(controller.presets.index[:2]), "t": 0.4, "through": "sounds", "macros": [0.7]}
    response = client.post("/bank", json={**position, "name": "A & B,\n<b>40</b> % \ud800" + "x" * 200})
    assert response.status_code == 200
    (tmp_path / "a.bank").write_bytes(response.data)
    synth = controller.trained.synth
    (preset,) = read_bank(tmp_path / "a.bank", synth)
    assert preset.name.startswith("A & B, <b>40</b> % ?xxx")
    assert len(preset.name) <= 60
    full = np.array([[p.normalise(preset.values[p.name]) for p in synth.parameters]], dtype=np.float32)
    (rendered,) = render(synth, controller.trained.note, full, 20)
    assert np.array_equal(render_position(client, **position), rendered.audio)


def test_a_match_is_the_latent_of_the_controller(
    explorer: Explorer, client: FlaskClient, controller: LatentController, tmp_path: Path
):
    (tmp_path / "a.wav").write_bytes(wav(saw(6.0)))
    response = client.post("/match", data=(tmp_path / "a.wav").read_bytes()).json
    controller.encode_file(tmp_path / "a.wav")
    assert response["z"] == pytest.approx(controller.z.tolist())
    assert response["pitch"] == pytest.approx(57, abs=0.1)
    assert response["shift"] == pytest.approx(3, abs=0.1)
    assert response["note"] == "cut from 6.00 s"
    assert (response["x"], response["y"]) == pytest.approx(controller.map_position(controller.z))
    values = explorer.parameters({"z": response["z"]})
    assert values == pytest.approx(controller.values, abs=1e-5)


def test_map_positions_of_presets_are_those_of_their_latents(controller: LatentController):
    for name, row in controller.presets.iloc[:5].iterrows():
        assert controller.map_position(controller.find_preset(name)[0]) == pytest.approx((row["x"], row["y"]), abs=1e-4)


def error_of(response, status: int = 400) -> str:
    assert response.status_code == status, response.data
    assert set(response.json) == {"error", "where", "advice"}
    assert all(response.json.values())
    return response.json["error"]


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ("{", "invalid JSON"),
        ("", "invalid JSON"),
        ("[" * 20_000, "invalid JSON"),
        (b"\xff\xfe\x00", "invalid JSON"),
        ("[1]", "[1], expected an object"),
        ("{}", "{}, expected preset, or between"),
        ('{"preset": 1}', "expected preset"),
        ('{"preset": "nowhere"}', "unknown preset 'nowhere'"),
        ('{"preset": "%s"}' % ("x" * 5000), "unknown preset 'xxx"),
        ('{"between": ["A", "B"], "t": NaN, "through": "sounds"}', "t = nan, expected a number from 0 to 1"),
        ('{"between": ["A", "B"], "t": 1.5, "through": "sounds"}', "t = 1.5"),
        ('{"between": ["A", "B"], "t": true, "through": "sounds"}', "t = True"),
        ('{"between": ["A", "B"], "through": "sounds"}', "t = None"),
        ('{"between": ["A", "x"], "t": 0.5, "through": "sounds"}', "unknown preset 'x'"),
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
def test_invalid_requests_are_errors(
    client: FlaskClient, controller: LatentController, address: str, body: str | bytes, expected: str
):
    if isinstance(body, str):
        for letter, name in zip("AB", controller.presets.index, strict=False):
            body = body.replace(f'"{letter}"', f'"{name}"')
    response = client.post(address, data=body)
    assert expected in error_of(response)
    assert response.json["where"] == f"POST {address}"


def damaged_wav() -> bytes:
    data = wav(saw())
    return data[:20] + b"\xff" * 20 + data[40:]


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (b"", "The sound can't be read"),
        (b"no sound", "The sound can't be read"),
        (damaged_wav(), "The sound can't be read"),
        (wav(np.zeros(RATE)), "The sound is silent: its peak is 0"),
        (wav(saw(0.01)), "The sound is too short: 0.010 s"),
        (wav(np.zeros(0)), "The sound has no samples"),
    ],
)
def test_unusable_sounds_are_errors(client: FlaskClient, data: bytes, expected: str):
    response = client.post("/match", data=data)
    assert expected in error_of(response)
    assert "/tmp" not in response.text
    assert response.json["advice"].startswith(("copy or export", "choose a"))


def test_too_large_requests_are_errors(client: FlaskClient):
    response = client.post("/match", data=b"x" * (MAX_FILE_SIZE + 1))
    assert error_of(response, 413) == "The file is too large"
    assert "up to 64 MiB" in response.json["advice"]
    assert error_of(client.post("/sound", data=" " * 2**17), 413)


@pytest.mark.parametrize(
    "address",
    [
        "/../../etc/passwd", "/..%2f..%2fetc%2fpasswd", "/%2e%2e/%2e%2e/etc/passwd", "/static/..%2fserver.py",
        "/static/", "//etc/passwd", "/explorer.css/../../server.py", "/explorer.css%2f..%2f..%2fserver.py",
        "/explorer.html.j2", "/server.py", "/explorer.css%00.py", "/..\\..\\server.py", "/static/page.css",
    ],
)  # fmt: skip
def test_no_other_file_is_served(client: FlaskClient, address: str):
    response = client.get(address)
    assert response.status_code in (400, 404, 308)  # //NAME is parsed as a host
    assert "root:" not in response.text
    assert "import" not in response.text


def test_its_own_files_are_served(client: FlaskClient):
    for name in FILES:
        assert client.get(f"/{name}").status_code == 200
    text = client.get("/").text
    assert not re.search("https?:", text)
    linked = set(re.findall('(?:src|href)="([^"]*)"', text)) - {"data:,"}
    assert linked < set(FILES)
    imported = {name for path in FILES.values() for name in re.findall(r'from "\./([^"]*)"', path.read_text())}
    assert linked | imported == set(FILES)


def test_html_in_names_is_escaped(explorer: Explorer, controller: LatentController, monkeypatch: pytest.MonkeyPatch):
    hostile = "</script><script>alert(1)</script>&amp;\"'"
    monkeypatch.setattr(controller, "presets", controller.presets.assign(name=hostile))
    text = create_app(explorer).test_client().get("/").text
    assert "alert(1)</script>" not in text
    data = json.loads(re.search('id="page-data">(.*?)</script>', text)[1])
    assert {preset["name"] for preset in data["presets"]} == {hostile}


@pytest.mark.parametrize("host", ["evil.example", "127.0.0.1.evil.example", "evil.example:1233", "0.0.0.0", ""])
def test_other_hosts_are_refused(client: FlaskClient, controller: LatentController, host: str):
    for response in (
        client.get("/", headers={"Host": host}),
        client.post("/sound", json={"preset": controller.presets.index[0]}, headers={"Host": host}),
    ):
        error_of(response)
    assert client.get("/", headers={"Host": "127.0.0.1:1233"}).status_code == 200


@pytest.mark.parametrize(
    ("host", "status"),
    [("192.168.1.2:1233", 200), ("10.0.0.1", 200), ("evil.example", 400), ("0.0.0.0:1233", 400), ("1.2.3.4.evil", 400)],
)
def test_on_all_addresses_only_ip_addresses_are_valid_hosts(explorer: Explorer, host: str, status: int):
    client = create_app(explorer, ALL_ADDRESSES).test_client()
    assert client.get("/", headers={"Host": host}).status_code == status


@pytest.mark.parametrize("origin", ["http://evil.example", "null", "https://localhost", "http://localhost:8080"])
def test_other_origins_are_refused(client: FlaskClient, controller: LatentController, origin: str):
    position = {"preset": controller.presets.index[0]}
    for address in ("/sound", "/bank", "/match"):
        assert origin in error_of(client.post(address, json=position, headers={"Origin": origin}))
    assert client.post("/sound", json=position, headers={"Origin": "http://localhost"}).status_code == 200


def test_a_killed_rendering_process_is_restarted(client: FlaskClient, controller: LatentController):
    before = render_position(client, preset=controller.presets.index[0])
    workers = [child for child in children() if "flowsynth.rendering.worker" in command_line(child)]
    assert workers
    for worker in workers:
        send_signal(worker, signal.SIGKILL)
    assert np.array_equal(render_position(client, preset=controller.presets.index[0]), before)


def test_a_synthesizer_failure_is_an_error(
    client: FlaskClient, controller: LatentController, monkeypatch: pytest.MonkeyPatch
):
    failed = Rendered(np.zeros(88200, np.float32), "failed", "killed by SIGSEGV")
    monkeypatch.setitem(vars(controller.trained), "renderer", lambda values: failed)
    response = client.post("/sound", json={"preset": controller.presets.index[0]})
    assert error_of(response) == "The preset can't be rendered: amsynth failed, killed by SIGSEGV"


def test_an_internal_error_does_not_stop_the_server(
    explorer: Explorer, controller: LatentController, monkeypatch: pytest.MonkeyPatch
):
    client = create_app(explorer).test_client()
    with monkeypatch.context() as patch:
        patch.setattr(controller, "find_preset", lambda name: 1 / 0)
        error_of(client.post("/sound", json={"preset": "x"}), 500)
    assert client.get("/").status_code == 200


def test_it_listens_locally_by_default(explorer: Explorer, request: pytest.FixtureRequest):
    server = serve(explorer, "127.0.0.1", 0)
    request.addfinalizer(server.close)
    assert server.effective_host == "127.0.0.1"
    assert server.socket.getsockname()[0] == "127.0.0.1"
    for host, port, message in (
        ("127.0.0.1", int(server.effective_port), "Address already in use"),
        ("127.0.0.1", 65536, "port 65536"),
        ("nowhere.invalid", 0, "port 0 of nowhere.invalid"),
    ):
        with pytest.raises(ValueError, match=message):
            serve(explorer, host, port)
