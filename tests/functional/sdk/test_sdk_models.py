import openai
import pytest
from world import NAMES, STUB_MODELS

SIMULATED = ["sim-model", "mixed-model", "refusing-model", "slow-model"]


def test_list(client):
    models = list(client.models.list())
    assert {m.id for m in models} >= {*NAMES, *STUB_MODELS, *SIMULATED}
    assert all(m.object == "model" and m.created and m.owned_by for m in models)


@pytest.mark.parametrize("name", ["sim-model", *NAMES])
def test_retrieve(client, name):
    assert client.models.retrieve(name).id == name


@pytest.mark.parametrize("name", ["nope", "org/nope", "org%2Fname", "ünïcode/model"])
def test_unknown(client, name):
    with pytest.raises(openai.NotFoundError) as caught:
        client.models.retrieve(name)
    assert caught.value.code == "model_not_found"


def test_delete_is_an_error(client):
    """Models belong to the upstreams."""
    with pytest.raises(openai.APIStatusError) as caught:
        client.models.delete("sim-model")
    assert caught.value.status_code in (403, 404, 405)
    assert caught.value.type == "invalid_request_error"
    assert client.models.retrieve("sim-model").id == "sim-model"
