import assert from 'node:assert/strict';
import { test } from 'node:test';
import { CHAT, OpenAI, collect, connect, connectThroughProxy, eventually, proxy, rows, toFile, unique, waitFor } from './support.mjs';

const client = connect();
const upload = async (text) =>
  client.files.create({ file: await toFile(Buffer.from(text), 'in.jsonl'), purpose: 'batch' });
const create = (input_file_id, changes = {}) =>
  client.batches.create({ input_file_id, endpoint: CHAT, completion_window: '24h', ...changes });

test('life of a batch', async () => {
  const file = await upload(rows(10));
  const first = await create(file.id, { metadata: { job: 'nightly' } });
  assert.equal(first.status, 'validating');
  const batch = await waitFor(client, first.id);
  assert.equal(batch.status, 'completed');
  assert.deepEqual(batch.request_counts, { total: 10, completed: 10, failed: 0 });
  assert.deepEqual(batch.metadata, { job: 'nightly' });
  assert.equal(batch.error_file_id, null);
  const text = await (await client.files.content(batch.output_file_id)).text();
  const lines = text.trim().split('\n').map((line) => JSON.parse(line));
  assert.equal(new Set(lines.map((line) => line.custom_id)).size, 10);
  assert.equal(lines[0].response.status_code, 200);
});

test('output_expires_after', async () => {
  const file = await upload(rows(1));
  const expiry = { anchor: 'created_at', seconds: 7200 };
  const batch = await waitFor(client, (await create(file.id, { output_expires_after: expiry })).id);
  const output = await client.files.retrieve(batch.output_file_id);
  assert.equal(output.expires_at, output.created_at + 7200);
});

test('a failed batch', async () => {
  const batch = await waitFor(client, (await create('file-unknown')).id);
  assert.equal(batch.status, 'failed');
  assert.equal(batch.errors.data[0].code, 'invalid_request');
});

test('cancel', async () => {
  const file = await upload(rows(60, 'slow-model'));
  const { id } = await create(file.id);
  await eventually(async () => (await client.batches.retrieve(id)).status === 'in_progress');
  assert.match((await client.batches.cancel(id)).status, /^cancell(ing|ed)$/);
  const batch = await waitFor(client, id);
  assert.equal(batch.status, 'cancelled');
  assert.equal((await client.batches.cancel(id)).status, 'cancelled');
});

test('cancel of a finished batch is a conflict, sent once', async () => {
  const batch = await waitFor(client, (await create((await upload(rows(1))).id)).id);
  await proxy.script();
  await assert.rejects(connectThroughProxy().batches.cancel(batch.id), (error) => {
    assert.ok(error instanceof OpenAI.ConflictError);
    assert.match(error.message, /^409 Cannot cancel a batch with status 'completed'\.$/);
    return true;
  });
  assert.equal((await proxy.seen()).length, 1);
});

test('list and auto-paging over a thousand batches', async () => {
  const page = await client.batches.list({ limit: 2 });
  assert.equal(page.data.length, 2);
  const next = await page.getNextPage();
  assert.ok(!page.data.some((b) => b.id === next.data[0].id));
  const all = await collect(client.batches.list({ limit: 100 }));
  assert.ok(all.length > 1000, `${all.length}`);
  assert.equal(new Set(all.map((b) => b.id)).size, all.length);
});

test('a lost reply makes one batch', async () => {
  for (const action of ['lose', 'hang']) {
    await proxy.script(action);
    const mark = unique();
    const made = await connectThroughProxy({ timeout: 1000 }).batches.create({
      input_file_id: 'file-x',
      endpoint: CHAT,
      completion_window: '24h',
      metadata: { mark },
    });
    const counts = await proxy.retryCounts();
    const page = await client.batches.list({ limit: 20 });
    const found = page.data.filter((b) => b.metadata?.mark === mark).map((b) => b.id);
    assert.deepEqual(found, [made.id], action);
    assert.deepEqual(counts, ['0', '1'], action);
  }
});

test('an Idempotency-Key makes one batch', async () => {
  const options = { headers: { 'Idempotency-Key': unique() } };
  const fields = { input_file_id: 'file-x', endpoint: CHAT, completion_window: '24h' };
  const first = await client.batches.create(fields, options);
  const second = await client.batches.create(fields, options);
  assert.deepEqual(second, first);
  await assert.rejects(
    client.batches.create({ ...fields, input_file_id: 'file-y' }, options), OpenAI.BadRequestError);
});
