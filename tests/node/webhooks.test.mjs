// The endpoints API, which the npm package has from 7.19.0.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { OpenAI, collect, connectHooked } from './support.mjs';

const client = connectHooked();
const settings = { name: 'node', url: 'http://127.0.0.1:9/hook', event_types: ['batch.completed'] };

test('create, retrieve, update, delete', async () => {
  const made = await client.webhooks.create(settings);
  assert.equal(made.object, 'webhook_endpoint');
  assert.match(made.signing_secret, /^whsec_/);
  const found = await client.webhooks.retrieve(made.id);
  assert.equal(found.signing_secret, undefined);
  assert.ok('signing_secret_hint' in found);
  assert.deepEqual([found.name, found.url, found.event_types], Object.values(settings));
  assert.equal((await client.webhooks.update(made.id, { name: 'other' })).name, 'other');
  assert.equal((await client.webhooks.update(made.id, {})).name, 'other');
  const gone = await client.webhooks.delete(made.id);
  assert.deepEqual({ ...gone }, { id: made.id, object: 'webhook_endpoint.deleted', deleted: true });
  await assert.rejects(client.webhooks.retrieve(made.id), OpenAI.NotFoundError);
});

test('list pages', async () => {
  const made = [];
  for (let i = 0; i < 3; i++) made.push((await client.webhooks.create(settings)).id);
  const all = (await collect(client.webhooks.list({ limit: 2 }))).map((e) => e.id);
  assert.deepEqual(all.filter((id) => made.includes(id)), made.toReversed());
  for (const id of made) await client.webhooks.delete(id);
});

test('rotateSecret', async () => {
  const made = await client.webhooks.create(settings);
  for (const options of [undefined, { keep_old_secret_active_for_24_hours: true }]) {
    const rotated = await client.webhooks.rotateSecret(made.id, options);
    assert.match(rotated.signing_secret, /^whsec_/);
    assert.notEqual(rotated.signing_secret, made.signing_secret);
  }
  await client.webhooks.delete(made.id);
});

test('event types', async () => {
  const types = await client.webhooks.eventTypes.list();
  assert.equal(types.object, 'list');
  assert.ok(types.data.includes('batch.expired'));
});

test('test of a receiver that is not there is an error, sent once', async () => {
  let tries = 0;
  const retrying = connectHooked({ maxRetries: 2, fetch: (...args) => (tries++, fetch(...args)) });
  const made = await client.webhooks.create(settings);
  await assert.rejects(retrying.webhooks.test(made.id, { event_type: 'batch.completed' }), OpenAI.APIError);
  assert.equal(tries, 1);
  await client.webhooks.delete(made.id);
});
