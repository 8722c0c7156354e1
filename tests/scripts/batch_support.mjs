// Finds the order numbers in support messages with the Batch API. Usage: node batch_support.mjs [MODEL]
// Reads OPENAI_BASE_URL and OPENAI_API_KEY as every OpenAI script does.
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import OpenAI from 'openai';

const model = process.argv[2] ?? 'gpt-4o-mini';
const pollMilliseconds = 1000 * Number(process.env.POLL_SECONDS ?? '10');

const messages = {
  'msg-1': 'Hello, my parcel 48213 has not arrived yet. Can you check?',
  'msg-2': 'I would like to return order 90127, it is too small.',
  'msg-3': 'Where is my order 33508? I paid for it last Monday.',
  'msg-4': 'Please cancel 71846, I bought the wrong colour.',
};

const lines = Object.entries(messages).map(([id, text]) =>
  JSON.stringify({
    custom_id: id,
    method: 'POST',
    url: '/v1/chat/completions',
    body: {
      model,
      temperature: 0,
      max_tokens: 8,
      messages: [
        { role: 'system', content: 'Copy the order number out of the message. Answer with the number only.' },
        { role: 'user', content: 'My order 31045 is late. What happened?' },
        { role: 'assistant', content: '31045' },
        { role: 'user', content: 'Please refund 78920, the box was empty.' },
        { role: 'assistant', content: '78920' },
        { role: 'user', content: text },
      ],
    },
  }),
);
// A request that the model server refuses: it comes back in the error file.
lines.push(
  JSON.stringify({
    custom_id: 'msg-bad',
    method: 'POST',
    url: '/v1/chat/completions',
    body: { model, messages: 'this should have been an array' },
  }),
);

const directory = fs.mkdtempSync(path.join(os.tmpdir(), 'support-'));
const inputPath = path.join(directory, 'support.jsonl');
fs.writeFileSync(inputPath, lines.join('\n') + '\n');

const openai = new OpenAI();

async function check(batchId) {
  const batch = await openai.batches.retrieve(batchId);
  console.log(batch.status, `${batch.request_counts.completed}/${batch.request_counts.total}`);
  return batch;
}

async function download(fileId) {
  const response = await openai.files.content(fileId);
  const text = await response.text();
  return text.split('\n').filter(Boolean).map((line) => JSON.parse(line));
}

const file = await openai.files.create({ file: fs.createReadStream(inputPath), purpose: 'batch' });
let batch = await openai.batches.create({
  input_file_id: file.id,
  endpoint: '/v1/chat/completions',
  completion_window: '24h',
  metadata: { job: 'support', team: 'nightly' },
});
console.log('created', batch.id, JSON.stringify(batch.metadata));

while (!['completed', 'failed', 'expired', 'cancelled'].includes(batch.status)) {
  await new Promise((resolve) => setTimeout(resolve, pollMilliseconds));
  batch = await check(batch.id);
}
fs.rmSync(directory, { recursive: true });

if (batch.status !== 'completed') {
  console.error(batch.status, JSON.stringify(batch.errors));
  process.exit(1);
}

if (batch.output_file_id) {
  for (const row of await download(batch.output_file_id)) {
    console.log(row.custom_id, row.response.body.choices[0].message.content.trim());
  }
}
if (batch.error_file_id) {
  for (const row of await download(batch.error_file_id)) {
    const reason = row.error?.message ?? row.response.body.error.message;
    console.log(row.custom_id, 'failed:', row.response?.status_code ?? '-', reason);
  }
}
console.log(`done: ${batch.request_counts.completed} completed, ${batch.request_counts.failed} failed`);
