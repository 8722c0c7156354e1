// A reporter of node:test that prints one JSON object per finished test, for the Python side.
const messageOf = (error) => {
  const cause = error?.cause ?? error;
  return [cause?.stack ?? cause?.message ?? String(cause)].join('\n');
};

export default async function* report(source) {
  for await (const { type, data } of source) {
    if (type !== 'test:pass' && type !== 'test:fail') continue;
    const found = { name: data.name, nesting: data.nesting, passed: type === 'test:pass' };
    if (!found.passed) found.message = messageOf(data.details?.error);
    yield JSON.stringify(found) + '\n';
  }
}
