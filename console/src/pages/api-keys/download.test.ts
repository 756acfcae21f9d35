import { expect, test } from 'vitest';
import { counter, readCSV, Truncated } from './download';

const bytes = (text: string) => new TextEncoder().encode(text);

function response(parts: string[], total: number, fail = false): Response {
  const body = new ReadableStream<Uint8Array>({
    start(controller) {
      for (const part of parts) controller.enqueue(bytes(part));
      if (fail) controller.error(new TypeError('network error'));
      else controller.close();
    },
  });
  return new Response(body, {
    headers: {
      'Claviger-Total': String(total),
      'Content-Disposition': 'attachment; filename="api-keys-2026-11-22.csv"',
    },
  });
}

test('NV4: rows are counted, whatever is in the cells and wherever it is cut', () => {
  const count = counter();
  expect(count.read(bytes('"Name","Key"\r\n"a ""b""\r\nc",'))).toBe(0);
  expect(count.whole()).toBe(false);
  expect(count.read(bytes('"clv"\r\n"d","e"\r'))).toBe(1);
  expect(count.read(bytes('\n'))).toBe(2);
  expect(count.whole()).toBe(true);
});

test('NV4: a download tells how far it is, and ends as a file', async () => {
  const told: number[] = [];
  const done = await readCSV(response(['"Name"\r\n"a"\r\n', '"b"\r\n'], 2), (rows) => told.push(rows));
  expect(told).toEqual([1, 2]);
  expect(done.name).toBe('api-keys-2026-11-22.csv');
  expect(done.rows).toBe(2);
  expect(await done.file.text()).toBe('"Name"\r\n"a"\r\n"b"\r\n');
});

test.each([
  ['it broke off', response(['"Name"\r\n"a"\r\n'], 2, true)],
  ['it ended early', response(['"Name"\r\n"a"\r\n'], 2)],
  ['it ended within a row', response(['"Name"\r\n"a"\r\n"b'], 1)],
])('NV4: %s, so there is no file', async (_, cut) => {
  await expect(readCSV(cut, () => undefined)).rejects.toBeInstanceOf(Truncated);
});

test('NV4: an empty list is a file with a heading', async () => {
  expect((await readCSV(response(['"Name"\r\n'], 0), () => undefined)).rows).toBe(0);
});
