// Deliveries as the server sends them, unwrapped by the SDK. Endpoints are made by plain posts,
// since 6.49.0 has no methods for them.
import assert from 'node:assert/strict';
import http from 'node:http';
import { after, before, test } from 'node:test';
import { CHAT, OpenAI, connectHooked, eventually, rows, toFile } from './support.mjs';

const client = connectHooked();
const deliveries = [];
let receiver;
let endpoint;

before(async () => {
  receiver = http.createServer(async (request, answer) => {
    const pieces = [];
    for await (const piece of request) pieces.push(piece);
    deliveries.push({ headers: request.headers, body: Buffer.concat(pieces).toString() });
    answer.end();
  });
  await new Promise((resolve) => receiver.listen(0, '127.0.0.1', resolve));
  endpoint = await client.post('/webhook_endpoints', {
    body: {
      name: 'node',
      url: `http://127.0.0.1:${receiver.address().port}/`,
      event_types: ['batch.completed', 'batch.failed'],
    },
  });
});

after(async () => {
  receiver.close();
  if (endpoint) await client.delete(`/webhook_endpoints/${endpoint.id}`);
});

test('a real delivery unwraps', async () => {
  const file = await toFile(Buffer.from(rows(1)), 'in.jsonl');
  const { id } = await client.files.create({ file, purpose: 'batch' });
  const fields = { input_file_id: id, endpoint: CHAT, completion_window: '24h' };
  const batch = await client.batches.create(fields);
  const { headers, body } = await eventually(() =>
    deliveries.find((d) => JSON.parse(d.body).data.id === batch.id));
  const event = await client.webhooks.unwrap(body, headers, endpoint.signing_secret);
  assert.equal(event.type, 'batch.completed');
  assert.match(event.id, /^evt_/);
  await client.webhooks.verifySignature(body, headers, endpoint.signing_secret);
  await assert.rejects(
    client.webhooks.unwrap(body + ' ', headers, endpoint.signing_secret),
    OpenAI.InvalidWebhookSignatureError);
});
