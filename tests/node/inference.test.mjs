import assert from 'node:assert/strict';
import { test } from 'node:test';
import { OpenAI, collect, connect, toFile } from './support.mjs';

const client = connect();
const model = 'stub-model';
const messages = [{ role: 'user', content: 'hi' }];

test('chat', async () => {
  const answer = await client.chat.completions.create({ model, messages });
  assert.equal(answer.choices[0].message.content, 'Hello there');
  assert.equal(answer.usage.total_tokens, 14);
});

test('chat stream', async () => {
  const stream = await client.chat.completions.create({
    model,
    messages,
    stream: true,
    stream_options: { include_usage: true },
  });
  const chunks = await collect(stream);
  assert.equal(chunks.map((c) => c.choices[0]?.delta.content ?? '').join(''), 'Hello there');
  assert.equal(chunks.at(-1).usage.total_tokens, 14);
});

test('chat stream helper', async () => {
  const runner = client.chat.completions.stream({ model, messages });
  assert.equal(await runner.finalContent(), 'Hello there');
});

test('a stream that is broken off', async () => {
  const stream = await client.chat.completions.create({ model: 'endless-stub', messages, stream: true });
  for await (const chunk of stream) if (chunk.choices[0].finish_reason) break;
  assert.equal((await client.models.retrieve(model)).id, model);
});

test('completions', async () => {
  const answer = await client.completions.create({ model, prompt: 'hi' });
  assert.equal(answer.choices[0].text, 'Hello there');
  const chunks = await collect(await client.completions.create({ model, prompt: 'hi', stream: true }));
  assert.equal(chunks.map((c) => c.choices[0].text).join(''), 'Hello there');
});

test('embeddings in base64 by default, and as numbers', async () => {
  const wanted = [0.5, -0.25, 0.125, 1];
  for (const encoding of [undefined, 'float']) {
    const answer = await client.embeddings.create({
      model,
      input: ['a', 'b'],
      ...(encoding && { encoding_format: encoding }),
    });
    assert.deepEqual(answer.data.map((e) => [...e.embedding]), [wanted, wanted], encoding);
  }
});

test('embeddings of the simulator', async () => {
  const answer = await client.embeddings.create({ model: 'sim-model', input: 'a' });
  assert.ok(answer.data[0].embedding.length > 8);
});

test('responses', async () => {
  const answer = await client.responses.create({ model, input: 'hi' });
  assert.equal(answer.output_text, 'Hello there');
  const events = await collect(await client.responses.create({ model, input: 'hi', stream: true }));
  assert.equal(events.at(-1).type, 'response.completed');
  assert.equal(events.at(-1).response.usage.total_tokens, 10);
});

test('moderations', async () => {
  assert.equal((await client.moderations.create({ model, input: 'hi' })).results[0].flagged, false);
});

test('images', async () => {
  const made = await client.images.generate({ model, prompt: 'a cat' });
  assert.ok(made.data[0].b64_json);
  const image = await toFile(Buffer.from('png'), 'a.png', { type: 'image/png' });
  const edited = await client.images.edit({ model, image: [image, image], prompt: 'a hat' });
  assert.ok(edited.data[0].b64_json);
});

test('errors of the upstream pass', async () => {
  await assert.rejects(
    client.chat.completions.create({ model: 'broken-stub', messages }), OpenAI.InternalServerError);
  await assert.rejects(
    client.chat.completions.create({ model: 'busy-stub', messages }), OpenAI.RateLimitError);
  await assert.rejects(
    client.chat.completions.create({ model: 'nope', messages }),
    (error) => error instanceof OpenAI.NotFoundError && error.code === 'model_not_found');
});
