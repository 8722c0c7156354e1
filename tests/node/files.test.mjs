import assert from 'node:assert/strict';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { test } from 'node:test';
import { OpenAI, collect, connect, connectSmall, connectThroughProxy, proxy, rows, toFile, unique } from './support.mjs';

const client = connect();
const data = rows(3);
const directory = fs.mkdtempSync(path.join(os.tmpdir(), 'offpeak-node-'));
const onDisk = path.join(directory, 'on disk.jsonl');
fs.writeFileSync(onDisk, data);
process.on('exit', () => fs.rmSync(directory, { recursive: true }));

async function upload(file, name, purpose = 'batch') {
  const made = await client.files.create({ file, purpose });
  assert.equal(made.filename, name);
  assert.equal(made.bytes, Buffer.byteLength(data));
  assert.equal(await (await client.files.content(made.id)).text(), data);
  return made;
}

test('create from a read stream, which is chunked', async () => {
  const made = await upload(fs.createReadStream(onDisk), 'on disk.jsonl');
  assert.deepEqual([made.object, made.status, made.purpose], ['file', 'processed', 'batch']);
});

test('create from a Buffer by toFile', async () => {
  await upload(await toFile(Buffer.from(data), 'buffer.jsonl'), 'buffer.jsonl');
});

test('create from a nameless Buffer by toFile', async () => {
  await upload(await toFile(Buffer.from(data)), 'unknown_file', 'user_data');
});

test('create from a Uint8Array with a type', async () => {
  await upload(await toFile(new TextEncoder().encode(data), 'a.jsonl', { type: 'text/plain' }), 'a.jsonl');
});

test('create from a File', async () => {
  await upload(new File([data], 'dir/naïve "x".jsonl'), 'naïve "x".jsonl');
});

test('create from a Blob by toFile', async () => {
  await upload(await toFile(new Blob([data]), 'blob.jsonl'), 'blob.jsonl');
});

test('create from a Response', async () => {
  const answer = await fetch('data:application/jsonl;base64,' + Buffer.from(data).toString('base64'));
  await upload(await toFile(answer, 'response.jsonl'), 'response.jsonl');
});

test('create from an async generator', async () => {
  async function* pieces() {
    for (const line of data.split(/(?<=\n)/)) yield Buffer.from(line);
  }
  await upload(await toFile(pieces(), 'generator.jsonl'), 'generator.jsonl');
});

test('create with the purpose first', async () => {
  const file = await toFile(Buffer.from(data), 'late.jsonl');
  const made = await client.files.create({ purpose: 'batch', file });
  assert.equal(made.filename, 'late.jsonl');
});

test('a plain string or a raw Buffer is a missing file', async () => {
  for (const file of [data, Buffer.from('raw bytes')]) {
    await assert.rejects(client.files.create({ file, purpose: 'batch' }), (error) => {
      assert.ok(error instanceof OpenAI.BadRequestError, error);
      return true;
    });
  }
});

test('expires_after', async () => {
  const file = await toFile(Buffer.from(data), 'a.jsonl');
  const made = await client.files.create({
    file,
    purpose: 'batch',
    expires_after: { anchor: 'created_at', seconds: 3600 },
  });
  assert.equal(made.expires_at, made.created_at + 3600);
});

test('retrieve, waitForProcessing and delete', async () => {
  const made = await upload(fs.createReadStream(onDisk), 'on disk.jsonl');
  assert.equal((await client.files.retrieve(made.id)).id, made.id);
  assert.equal((await client.files.waitForProcessing(made.id)).status, 'processed');
  const gone = await client.files.delete(made.id);
  assert.deepEqual({ ...gone }, { id: made.id, object: 'file', deleted: true });
  await assert.rejects(client.files.retrieve(made.id), OpenAI.NotFoundError);
  await assert.rejects(client.files.content(made.id), OpenAI.NotFoundError);
});

test('content is a stream', async () => {
  const file = await toFile(Buffer.from(rows(20000)), 'large.jsonl');
  const made = await client.files.create({ file, purpose: 'batch' });
  let size = 0;
  for await (const piece of (await client.files.content(made.id)).body) size += piece.length;
  assert.equal(size, made.bytes);
});

test('list with filters and pages', async () => {
  const ids = [];
  for (let i = 0; i < 5; i++) {
    const file = await toFile(Buffer.from('x'), `${i}.bin`);
    ids.push((await client.files.create({ file, purpose: 'assistants' })).id);
  }
  const newest = (await collect(client.files.list({ purpose: 'assistants', limit: 2 }))).map((f) => f.id);
  assert.deepEqual(newest.slice(0, 5), ids.toReversed());
  const oldest = await collect(client.files.list({ purpose: 'assistants', limit: 3, order: 'asc' }));
  assert.deepEqual(oldest.map((f) => f.id), newest.toReversed());
  const page = await client.files.list({ purpose: 'assistants', after: ids[3], limit: 2 });
  assert.deepEqual(page.data.map((f) => f.id), [ids[2], ids[1]]);
  assert.equal(page.has_more, true);
  const empty = await client.files.list({ after: null, purpose: 'none' });
  assert.deepEqual(empty.data, []);
});

test('auto-paging over a thousand files', async () => {
  const seen = new Set();
  for await (const file of client.files.list({ limit: 100 })) seen.add(file.id);
  assert.ok(seen.size > 1000, `${seen.size}`);
});

test('a refused upload of a stream is a 413', async () => {
  const large = path.join(directory, 'large.jsonl');
  fs.writeFileSync(large, Buffer.alloc(40 << 20, 'x'));
  for (let i = 0; i < 3; i++) {
    await assert.rejects(
      connectSmall().files.create({ file: fs.createReadStream(large), purpose: 'batch' }),
      (error) => error.status === 413 || assert.fail(error),
    );
  }
});

test('a refused upload of a Buffer is a 413, sent once', async () => {
  const file = await toFile(Buffer.alloc(40 << 20, 'x'), 'large.jsonl');
  let tries = 0;
  const counting = (url, init) => {
    if (String(url).startsWith('http')) tries++; // the SDK probes FormData by a data: URL
    return fetch(url, init);
  };
  const small = connectSmall({ maxRetries: 2, fetch: counting });
  for (let i = 0; i < 3; i++) {
    await assert.rejects(small.files.create({ file, purpose: 'batch' }),
      (error) => error.status === 413 || assert.fail(error));
  }
  assert.equal(tries, 3);
});

test('a lost reply makes one file', async () => {
  for (const action of ['lose', 'hang']) {
    await proxy.script(action);
    const name = `${unique()}.jsonl`;
    const file = await toFile(Buffer.from(data), name);
    const made = await connectThroughProxy({ timeout: 1000 }).files.create({ file, purpose: 'batch' });
    const counts = await proxy.retryCounts();
    const page = await client.files.list({ limit: 20 });
    assert.deepEqual(page.data.filter((f) => f.filename === name).map((f) => f.id), [made.id], action);
    assert.deepEqual(counts, ['0', '1'], action);
  }
});
