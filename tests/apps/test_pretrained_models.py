"""Applications on the pretrained model of each synthesizer: OSC, explorer, and banks that it can load."""

import io
from pathlib import Path

import numpy as np
import pytest
import soundfile

from flowsynth.apps.explorer.server import create_app
from flowsynth.apps.explorer.service import Explorer
from flowsynth.apps.latent_controller import LatentController
from flowsynth.apps.osc_server import Server
from flowsynth.data import presets
from flowsynth.inference.exported_model import ExportedModel
from flowsynth.inference.model_index import find_model, open_model, pretrained_models
from flowsynth.models.autoencoders.base import LatentModel
from flowsynth.rendering.render import render

SYNTHS = sorted({entry.synth for entry in pretrained_models()})


@pytest.fixture(scope="module", params=SYNTHS)
def controller(request: pytest.FixtureRequest) -> LatentController:
    return LatentController(open_model(find_model(kind=LatentModel, synth=request.param)))


def test_a_dx7_has_a_pretrained_model():
    assert SYNTHS == ["amsynth", "dexed"]


def test_the_osc_server_plays_what_it_says(controller: LatentController, tmp_path: Path):
    with Server(controller, "127.0.0.1", 0, tmp_path) as server:
        messages = {name: message.handler for name, message in server.messages.items()}
        assert messages["/names"](controller) == [("/names", list(controller.names))]
        identifier = controller.presets.index[3]
        _, (_, pairs) = messages["/load_preset"](controller, identifier)
        assert pairs[::2] == list(controller.names)
        ((_, (path,)),) = messages["/play"](controller, "sound")
        messages["/macro"](controller, 0, 1.5)
        ((_, (changed,)),) = messages["/play"](controller, "changed")
    played, other = (soundfile.read(name, dtype="float32")[0] for name in (path, changed))
    values = controller.find_preset(identifier)[1]
    full = controller.trained.synth.expand(np.asarray(values)[None], controller.names)
    (rendered,) = render(controller.trained.synth, controller.trained.note, full, 20)
    assert np.array_equal(played, rendered.audio)
    assert not np.array_equal(played, other)


def test_the_explorer_saves_a_bank_with_the_sound_that_it_plays(controller: LatentController, tmp_path: Path):
    explorer = Explorer(controller)
    client = create_app(explorer).test_client()
    synth = controller.trained.synth
    position = {"between": list(controller.presets.index[:2]), "t": 0.4, "through": "sounds"}
    played, _ = soundfile.read(io.BytesIO(client.post("/sound", json=position).data), dtype="float32")
    path = tmp_path / f"mine{presets.bank_suffix(synth)}"
    path.write_bytes(client.post("/bank", json={**position, "name": "mine"}).data)
    table, _ = presets.collect(synth.with_banks(str(path)), synth.names)
    (rendered,) = render(synth, controller.trained.note, table[list(synth.names)].to_numpy(np.float32)[:1], 20)
    assert np.array_equal(rendered.audio, played)
    sound = io.BytesIO()
    soundfile.write(sound, played, controller.trained.note.sample_rate, format="WAV", subtype="FLOAT")
    match = client.post("/match", data=sound.getvalue()).json
    assert len(match["z"]) == controller.model.latent
    explorer.close()


def test_its_card_says_what_it_was_trained_on(controller: LatentController):
    trained = controller.trained
    assert isinstance(trained, ExportedModel)
    card = trained.card
    assert card["dataset"].startswith(trained.synth.name)
    assert card["items"]["train"] == len(trained.train_values)
    assert {"mean", "nearest", trained.name} <= card["scores"].keys()
