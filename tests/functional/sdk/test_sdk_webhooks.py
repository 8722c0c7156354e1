"""The webhook endpoints API, and real deliveries unwrapped by the SDK."""

import itertools
import json
import time

import harness
import openai
import pytest
from harness import eventually
from openai.types.webhooks import (
    BatchCancelledWebhookEvent,
    BatchCompletedWebhookEvent,
    BatchFailedWebhookEvent,
)

BATCH_EVENTS = ["batch.completed", "batch.failed", "batch.expired", "batch.cancelled"]
numbers = itertools.count()


@pytest.fixture(scope="session")
def hook_client(connect, hooked):
    return connect(hooked.server)


@pytest.fixture
def endpoint(hook_client, hooked):
    """An endpoint for all batch events with a path of its own at the receiver."""
    path = f"/hook-{next(numbers)}"
    made = hook_client.webhooks.create(
        name="mine", url=hooked.receiver.url + path, event_types=BATCH_EVENTS
    )
    made.path = path
    yield made
    try:
        hook_client.webhooks.delete(made.id)
    except openai.NotFoundError:
        pass


def test_create_and_retrieve(hook_client, endpoint):
    assert endpoint.object == "webhook_endpoint" and endpoint.id.startswith("whe_")
    assert endpoint.signing_secret.startswith("whsec_") and endpoint.signing_secret_hint
    assert endpoint.signing_secret not in endpoint.signing_secret_hint
    assert endpoint.updated_at == endpoint.created_at and endpoint.event_types == BATCH_EVENTS
    found = hook_client.webhooks.retrieve(endpoint.id)
    assert (found.id, found.name, found.url) == (endpoint.id, "mine", endpoint.url)
    assert "signing_secret" not in found.to_dict()


def test_update(hook_client, endpoint):
    same = hook_client.webhooks.update(endpoint.id)
    assert same.updated_at == endpoint.updated_at and same.name == "mine"
    changed = hook_client.webhooks.update(endpoint.id, name="other", event_types=["batch.failed"])
    assert changed.name == "other" and changed.event_types == ["batch.failed"]
    assert changed.url == endpoint.url and changed.updated_at >= endpoint.updated_at
    assert hook_client.webhooks.retrieve(endpoint.id) == changed


def test_list_newest_first_with_auto_paging(hook_client, hooked):
    made = [
        hook_client.webhooks.create(
            name=f"n{i}", url=hooked.receiver.url + "/unused", event_types=["batch.failed"]
        ).id
        for i in range(5)
    ]
    mine = [w.id for w in hook_client.webhooks.list(limit=2) if w.id in made]
    assert mine == made[::-1]
    page = hook_client.webhooks.list(limit=2, after=made[3])
    assert [w.id for w in page.data] == [made[2], made[1]]
    for each in made:
        gone = hook_client.webhooks.delete(each)
        assert (gone.id, gone.object, gone.deleted) == (each, "webhook_endpoint.deleted", True)
    assert not {w.id for w in hook_client.webhooks.list()} & set(made)


def test_event_types(hook_client):
    types = hook_client.webhooks.event_types.list()
    assert types.object == "list" and set(BATCH_EVENTS) <= set(types.data)


def test_rotate_secret(hook_client, endpoint):
    rotated = hook_client.webhooks.rotate_secret(endpoint.id)
    assert rotated.id == endpoint.id and rotated.signing_secret != endpoint.signing_secret


@pytest.mark.parametrize("kept", [True, False])
def test_after_a_rotation(hook_client, hooked, endpoint, kept):
    new = hook_client.webhooks.rotate_secret(
        endpoint.id, keep_old_secret_active_for_24_hours=kept
    ).signing_secret
    hook_client.webhooks.test(endpoint.id, event_type="batch.completed")
    headers, body = hooked.receiver.first(endpoint.path)[0]
    assert len(headers["webhook-signature"].split(" ")) == (2 if kept else 1)
    unwrap(hooked, body, headers, new)
    if kept:
        unwrap(hooked, body, headers, endpoint.signing_secret)
    else:
        with pytest.raises(openai.InvalidWebhookSignatureError):
            unwrap(hooked, body, headers, endpoint.signing_secret)


def unwrap(hooked, body, headers, secret):
    return hooked.server.client().webhooks.unwrap(body, headers, secret=secret)


def test_test(hook_client, hooked, endpoint):
    result = hook_client.webhooks.test(endpoint.id, event_type="batch.failed")
    assert result.success is True and result.status_code == 200
    assert (result.webhook_endpoint_id, result.event_type) == (endpoint.id, "batch.failed")
    headers, body = hooked.receiver.first(endpoint.path)[0]
    event = unwrap(hooked, body, headers, endpoint.signing_secret)
    assert event.type == "batch.failed" and event.data.id


def test_test_of_a_receiver_that_refuses(hook_client, hooked, endpoint):
    hooked.receiver.answers[endpoint.path] = [500]
    result = hook_client.webhooks.test(endpoint.id, event_type="batch.completed")
    assert result.success is True and result.status_code == 500


def test_test_of_a_receiver_that_is_not_there(hook_client):
    url = f"http://127.0.0.1:{harness.free_port()}/nobody"
    made = hook_client.webhooks.create(name="x", url=url, event_types=["batch.failed"])
    with pytest.raises(openai.APIStatusError) as caught:
        hook_client.webhooks.test(made.id, event_type="batch.failed")
    assert caught.value.status_code in (400, 502)
    assert caught.value.response.headers["x-should-retry"] == "false"
    hook_client.webhooks.delete(made.id)


@pytest.mark.parametrize(
    "changes,param",
    [
        ({"event_types": ["batch.nonsense"]}, "event_types[0]"),
        ({"event_types": []}, "event_types"),
        ({"url": "not a url"}, "url"),
        ({"url": "ftp://example.org/x"}, "url"),
        ({"name": 7}, "name"),
    ],
)
def test_refused_settings(hook_client, changes, param):
    settings = {"name": "x", "url": "https://example.org/x", "event_types": ["batch.failed"]}
    with pytest.raises(openai.BadRequestError) as caught:
        hook_client.webhooks.create(**settings | changes)
    assert caught.value.param == param


def test_unknown_endpoint(hook_client):
    calls = (
        lambda: hook_client.webhooks.retrieve("whe_nope"),
        lambda: hook_client.webhooks.update("whe_nope", name="x"),
        lambda: hook_client.webhooks.delete("whe_nope"),
        lambda: hook_client.webhooks.rotate_secret("whe_nope"),
        lambda: hook_client.webhooks.test("whe_nope", event_type="batch.failed"),
    )
    for call in calls:
        with pytest.raises(openai.NotFoundError):
            call()


def end_batch(server, how):
    if how == "completed":
        return server.run(harness.batch_rows(2))
    if how == "failed":
        return server.run(harness.jsonl([{"custom_id": "x"}]))
    batch = server.submit(harness.batch_rows(100, model="slow-model"))
    server.client().batches.cancel(batch.id)
    return server.wait(batch)


EVENTS = {
    "completed": BatchCompletedWebhookEvent,
    "failed": BatchFailedWebhookEvent,
    "cancelled": BatchCancelledWebhookEvent,
}


@pytest.mark.parametrize("how", EVENTS)
def test_a_real_delivery_unwraps(hook_client, hooked, endpoint, how):
    batch = end_batch(hooked.server, how)
    assert batch.status == how
    headers, body = hooked.receiver.first(endpoint.path)[0]
    event = unwrap(hooked, body, headers, endpoint.signing_secret)
    assert isinstance(event, EVENTS[how]) and event.id.startswith("evt_")
    assert event.data.id == batch.id and event.object == "event"
    assert set(json.loads(body)["data"]) == {"id"}
    assert headers["content-type"].startswith("application/json")
    assert headers["webhook-id"].startswith("wh_")
    assert abs(int(headers["webhook-timestamp"]) - time.time()) < 60
    with pytest.raises(openai.InvalidWebhookSignatureError):
        unwrap(hooked, body + b" ", headers, endpoint.signing_secret)


def test_async_unwrap(hooked, endpoint):
    end_batch(hooked.server, "completed")
    headers, body = hooked.receiver.first(endpoint.path)[0]
    client = hooked.server.async_client(webhook_secret=endpoint.signing_secret)
    assert client.webhooks.unwrap(body, headers).type == "batch.completed"
    client.webhooks.verify_signature(body, headers)


def test_a_redelivery_has_the_same_id_and_a_fresh_signature(hooked):
    client, made = hooked.server.client(), {}
    for answer in (500, 302):
        path = f"/again-{answer}"
        hooked.receiver.answers[path] = [answer]
        made[path] = client.webhooks.create(
            name="x", url=hooked.receiver.url + path, event_types=BATCH_EVENTS
        )
    end_batch(hooked.server, "completed")
    for path, endpoint in made.items():
        (first, body), (second, again) = hooked.receiver.first(path, 2, 20)
        assert first["webhook-id"] == second["webhook-id"] and body == again
        assert int(second["webhook-timestamp"]) > int(first["webhook-timestamp"])
        assert second["webhook-signature"] != first["webhook-signature"]
        unwrap(hooked, again, second, endpoint.signing_secret)
        client.webhooks.delete(endpoint.id)
    assert not hooked.receiver.at("/elsewhere"), "redirects are not followed"


def test_only_the_subscribed_events_come(hook_client, hooked, endpoint):
    hook_client.webhooks.update(endpoint.id, event_types=["batch.failed"])
    end_batch(hooked.server, "completed")
    end_batch(hooked.server, "failed")
    _, body = hooked.receiver.first(endpoint.path)[0]
    assert json.loads(body)["type"] == "batch.failed"
    eventually(lambda: len(hooked.receiver.at(endpoint.path)) == 1, 1)


def test_private_targets_need_a_setting(world):
    """Without `webhooks: {allow_private_targets: true}` this machine is out of reach."""
    with pytest.raises(openai.BadRequestError) as caught:
        world.server.client().webhooks.create(
            name="x", url="https://127.0.0.1/x", event_types=["batch.failed"]
        )
    assert caught.value.param == "url"
    with pytest.raises(openai.BadRequestError):
        world.server.client().webhooks.create(
            name="x", url="http://example.org/x", event_types=["batch.failed"]
        )
