// A reporter for node:test: the paths of the test files in which something failed, a line each.
export default async function* failedFiles(events) {
  const failed = new Set();
  for await (const { type, data } of events) {
    if (type === 'test:fail' && data.file !== undefined && data.todo === undefined) failed.add(data.file);
  }
  yield [...failed].map((file) => `${file}\n`).join('');
}
