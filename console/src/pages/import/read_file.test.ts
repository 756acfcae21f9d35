import { describe, expect, test } from 'vitest';
import { guess, pieces, readKeys } from './read_file';

describe('PV3: files of keys', () => {
  test('CSV, with quotes, other separators and lines that can’t be read', () => {
    const file = readKeys(
      '\ufeffLabel;User;Token\r\n"Export; ""nightly""\r\nall";ann;k1\r\nshort\r\n\r\nReports;ann;k2',
      false,
    );
    expect(file.heads).toEqual(['Label', 'User', 'Token']);
    expect(file.rows).toEqual([
      { line: 2, cells: { Label: 'Export; "nightly"\r\nall', User: 'ann', Token: 'k1' } },
      { line: 4, cells: undefined },
      { line: 6, cells: { Label: 'Reports', User: 'ann', Token: 'k2' } },
    ]);
    expect(guess(file.heads)).toEqual({ name: 'Label', owner: 'User', key: 'Token' });
    expect(readKeys('name,owner,key\n"open,a,b\n', false).rows).toEqual([{ line: 2, cells: undefined }]);
  });

  test('JSON Lines', () => {
    const file = readKeys('{"name":"a","owner":"b","digest":"c","expires_at":null}\n\n[1]\n{"name":7}', true);
    expect(file.rows).toEqual([
      { line: 1, cells: { name: 'a', owner: 'b', digest: 'c' } },
      { line: 3, cells: undefined },
      { line: 4, cells: undefined },
    ]);
  });

  test('pieces are what a request takes', () => {
    const rows = Array.from({ length: 2500 }, (_, i) => ({ line: i + 2, cells: { n: `k${i}`, long: '' } }));
    expect(pieces(rows, { name: 'n' }).map((p) => p.length)).toEqual([1000, 1000, 500]);
    expect(pieces([{ line: 2 }, { line: 3, cells: { n: 'x'.repeat(9000) } }], { name: 'n' })).toEqual([
      [
        { line: 2, malformed: true },
        { line: 3, malformed: true },
      ],
    ]);
  });
});
