import assert from 'node:assert/strict';
import crypto from 'node:crypto';
import { Readable } from 'node:stream';
import { test } from 'node:test';
import { OpenAI, connect, rows, toFile, waitFor, CHAT } from './support.mjs';

const client = connect();
const data = Buffer.from(rows(500));
const half = data.length >> 1;

const begin = (changes = {}) =>
  client.uploads.create({
    bytes: data.length,
    filename: 'big.jsonl',
    mime_type: 'application/jsonl',
    purpose: 'batch',
    ...changes,
  });

const put = async (upload, bytes) =>
  client.uploads.parts.create(upload.id, { data: await toFile(bytes, 'part') });

test('create', async () => {
  const upload = await begin();
  assert.equal(upload.object, 'upload');
  assert.equal(upload.status, 'pending');
  assert.equal(upload.expires_at, upload.created_at + 3600);
});

test('parts in parallel, completed in order, md5', async () => {
  const upload = await begin();
  const [second, first] = await Promise.all([
    put(upload, data.subarray(half)),
    put(upload, data.subarray(0, half)),
  ]);
  const md5 = crypto.createHash('md5').update(data).digest('hex');
  const done = await client.uploads.complete(upload.id, { part_ids: [first.id, second.id], md5 });
  assert.equal(done.status, 'completed');
  assert.equal(done.file.bytes, data.length);
  const content = await (await client.files.content(done.file.id)).arrayBuffer();
  assert.ok(Buffer.from(content).equals(data));
  const batch = await client.batches.create({
    input_file_id: done.file.id,
    endpoint: CHAT,
    completion_window: '24h',
  });
  assert.equal((await waitFor(client, batch.id)).request_counts.completed, 500);
});

test('a part from a stream', async () => {
  const upload = await begin();
  const stream = Readable.from([data.subarray(0, 1000), data.subarray(1000)]);
  const part = await client.uploads.parts.create(upload.id, { data: await toFile(stream, 's') });
  assert.deepEqual([part.object, part.upload_id], ['upload.part', upload.id]);
  const done = await client.uploads.complete(upload.id, { part_ids: [part.id] });
  assert.equal(done.file.filename, 'big.jsonl');
});

test('cancel', async () => {
  const upload = await begin();
  assert.equal((await client.uploads.cancel(upload.id)).status, 'cancelled');
  await assert.rejects(put(upload, data), OpenAI.BadRequestError);
});

test('errors', async () => {
  const upload = await begin();
  const part = await put(upload, data.subarray(1));
  await assert.rejects(client.uploads.complete(upload.id, { part_ids: [part.id] }), OpenAI.BadRequestError);
  await assert.rejects(client.uploads.cancel('upload_nope'), OpenAI.NotFoundError);
});
