import { expect, test } from 'vitest';
import { asked, begins, periodName, periods, reasonName, reasons, sum } from './periods';

const usage = {
  from: '2026-11-20T00:00:00Z',
  to: '2026-11-23T00:00:00Z',
  by: 'day' as const,
  items: [{ at: '2026-11-21T00:00:00Z', valid: 3, denied: { EXPIRED: 2, REVOKED: 5 } }],
};

test('B5: periods in which nothing happened are shown too', () => {
  expect(periods(usage).map((p) => [p.at.toISOString().slice(0, 10), p.valid, p.denied])).toEqual([
    ['2026-11-20', 0, 0],
    ['2026-11-21', 3, 7],
    ['2026-11-22', 0, 0],
  ]);
});

test('B5: what was refused, by reason', () => {
  expect(reasons(usage)).toEqual([
    { code: 'REVOKED', count: 5 },
    { code: 'EXPIRED', count: 2 },
  ]);
  expect(reasonName('INSUFFICIENT_PERMISSIONS')).toBe('Insufficient permissions');
  expect(reasonName('SOMETHING_NEW')).toBe('Something new');
  expect(sum([1, 2])).toBe(3);
});

test('what the URL asks for is made whole', () => {
  expect(asked('7d', 'hour').by).toBe('hour');
  expect(asked('7d', undefined).by).toBe('day');
  expect(asked('90d', 'hour').by).toBe('day');
  expect(asked('nonsense', 'nonsense')).toMatchObject({ span: { value: '24h' }, by: 'hour' });
  const { span } = asked('24h', 'hour');
  expect(begins(span, 'hour', new Date('2026-11-22T10:30:00Z')).toISOString()).toBe('2026-11-21T11:00:00.000Z');
  expect(periodName(new Date('2026-11-22T00:00:00Z'), 'day')).toBe('22 Nov');
});
