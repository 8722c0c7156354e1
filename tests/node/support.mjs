// What the suites share. OPENAI_MODULE is the package under test; servers and the spoiling proxy
// come by environment variables from tests/functional/sdk/test_sdk_node.py.
import { pathToFileURL } from 'node:url';

const sdk = await import(pathToFileURL(process.env.OPENAI_MODULE));
export const { default: OpenAI, toFile } = sdk;

const { OFFPEAK_URL, OFFPEAK_KEY, OFFPEAK_PROXY, OFFPEAK_SMALL_URL, OFFPEAK_SMALL_KEY } = process.env;
export const { OFFPEAK_HOOKED_URL, OFFPEAK_HOOKED_KEY } = process.env;
export const baseURL = OFFPEAK_URL;

export const connect = (options = {}) =>
  new OpenAI({ baseURL: OFFPEAK_URL, apiKey: OFFPEAK_KEY, maxRetries: 0, timeout: 20000, ...options });
export const connectSmall = (options = {}) =>
  connect({ baseURL: OFFPEAK_SMALL_URL, apiKey: OFFPEAK_SMALL_KEY, ...options });
export const connectHooked = (options = {}) =>
  connect({ baseURL: OFFPEAK_HOOKED_URL, apiKey: OFFPEAK_HOOKED_KEY, ...options });
export const connectThroughProxy = (options = {}) =>
  connect({ baseURL: OFFPEAK_PROXY + '/v1', maxRetries: 2, ...options });

export const proxy = {
  script: (...actions) =>
    fetch(OFFPEAK_PROXY + '/proxy/script', { method: 'POST', body: JSON.stringify(actions) }),
  seen: async () => (await fetch(OFFPEAK_PROXY + '/proxy/seen')).json(),
  retryCounts: async () => (await proxy.seen()).map((r) => r.headers['x-stainless-retry-count']),
};

export const CHAT = '/v1/chat/completions';
export const rows = (count, model = 'sim-model') =>
  Array.from({ length: count }, (_, i) =>
    JSON.stringify({
      custom_id: `row-${i}`,
      method: 'POST',
      url: CHAT,
      body: { model, messages: [{ role: 'user', content: `hello ${i}` }] },
    }) + '\n').join('');

export async function eventually(check, seconds = 20) {
  const deadline = Date.now() + seconds * 1000;
  for (;;) {
    const value = await check();
    if (value) return value;
    if (Date.now() > deadline) throw new Error(`not within ${seconds} s: ${check}`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

export const waitFor = (client, id) =>
  eventually(async () => {
    const batch = await client.batches.retrieve(id);
    return ['completed', 'failed', 'expired', 'cancelled'].includes(batch.status) && batch;
  });

export async function collect(list) {
  const all = [];
  for await (const item of list) all.push(item);
  return all;
}

let last = 0;
export const unique = () => `${process.pid}-${Date.now()}-${last++}`;
