import assert from 'node:assert/strict';
import { test } from 'node:test';
import { OpenAI, collect, connect, connectThroughProxy, proxy, CHAT } from './support.mjs';

const client = connect();

async function failure(promise) {
  try {
    await promise;
  } catch (error) {
    return error;
  }
  return assert.fail('no error');
}

test('a bad request', async () => {
  const fields = { input_file_id: 'file-x', endpoint: '/v1/bad', completion_window: '24h' };
  const error = await failure(client.batches.create(fields));
  assert.ok(error instanceof OpenAI.BadRequestError);
  assert.deepEqual([error.code, error.param, error.type], ['invalid_value', 'endpoint', 'invalid_request_error']);
  assert.match(error.requestID, /^req_/);
  assert.match(error.message, /^400 Invalid value: '\/v1\/bad'\. Supported values are: /);
});

test('not found', async () => {
  const error = await failure(client.files.retrieve('file-x'));
  assert.ok(error instanceof OpenAI.NotFoundError);
  assert.equal(error.message, '404 No such File object: file-x');
  assert.equal(error.param, 'id');
  assert.ok((await failure(client.batches.retrieve('batch_x'))) instanceof OpenAI.NotFoundError);
});

test('a wrong key', async () => {
  const error = await failure(connect({ apiKey: 'sk-wrong' }).models.list());
  assert.ok(error instanceof OpenAI.AuthenticationError);
  assert.equal(error.code, 'invalid_api_key');
});

test('an unknown path', async () => {
  const error = await failure(client.get('/_stainless_unknown_path'));
  assert.ok(error instanceof OpenAI.NotFoundError);
  assert.equal(error.message, '404 Invalid URL (GET /v1/_stainless_unknown_path)');
});

test('reads are retried', async () => {
  const headers = { 'retry-after-ms': '20' };
  const actions = [429, 500, 503].map((status) => ({ status, headers }));
  for (const action of [...actions, 'refuse', 'lose']) {
    await proxy.script(action);
    const model = await connectThroughProxy().models.retrieve('sim-model');
    assert.equal(model.id, 'sim-model');
    assert.deepEqual(await proxy.retryCounts(), ['0', '1'], JSON.stringify(action));
  }
});

test('three tries in all', async () => {
  const action = { status: 500, headers: { 'retry-after-ms': '20' } };
  await proxy.script(action, action, action);
  const error = await failure(connectThroughProxy().models.retrieve('sim-model'));
  assert.ok(error instanceof OpenAI.InternalServerError);
  assert.equal(error.requestID, 'req_injected');
  assert.equal((await proxy.seen()).length, 3);
});

test('other refusals are not retried', async () => {
  for (const status of [400, 401, 403, 404, 413, 422]) {
    await proxy.script({ status });
    assert.equal((await failure(connectThroughProxy().models.retrieve('sim-model'))).status, status);
    assert.equal((await proxy.seen()).length, 1);
  }
});

test('timeout', async () => {
  await proxy.script('hang');
  const hasty = connectThroughProxy({ maxRetries: 0, timeout: 300 });
  const error = await failure(hasty.models.retrieve('sim-model'));
  assert.ok(error instanceof OpenAI.APIConnectionTimeoutError);
});

test('models', async () => {
  const ids = (await collect(client.models.list())).map((model) => model.id);
  for (const id of ['sim-model', 'org/name', 'org/name:ft@x y']) {
    assert.ok(ids.includes(id));
    assert.equal((await client.models.retrieve(id)).id, id);
  }
  assert.equal((await failure(client.models.retrieve('nope'))).code, 'model_not_found');
  assert.ok((await failure(client.models.delete('sim-model'))).status >= 400);
});

test('a batch needs its parameters', async () => {
  const error = await failure(client.batches.create({ endpoint: CHAT, completion_window: '24h' }));
  assert.equal(error.code, 'missing_required_parameter');
  assert.equal(error.param, 'input_file_id');
});
