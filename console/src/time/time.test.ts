import { expect, test } from 'vitest';
import { ahead, exact, past } from './time';

const now = new Date('2026-11-22T12:00:00Z');
const at = (text: string) => new Date(text);

test.each([
  ['2026-11-22T11:59:30Z', 'just now'],
  ['2026-11-22T11:46:00Z', '14 min ago'],
  ['2026-11-22T03:00:00Z', '9 h ago'],
  ['2026-11-21T09:00:00Z', 'yesterday'],
  ['2026-11-10T12:00:00Z', '12 days ago'],
  ['2026-10-11T12:00:00Z', '11 Oct 2026'],
])('%s was %s', (when, want) => {
  expect(past(at(when), now)).toBe(want);
});

test.each([
  ['2026-11-22T12:20:30Z', 'in 20 min'],
  ['2026-11-22T17:30:00Z', 'in 5 h'],
  ['2026-11-23T13:00:00Z', 'tomorrow'],
  ['2026-12-03T13:00:00Z', 'in 11 days'],
  ['2027-09-14T12:00:00Z', undefined],
  ['2026-11-22T11:59:59Z', undefined],
])('%s is %s', (when, want) => {
  expect(ahead(at(when), now)).toBe(want);
});

test('hovering tells exact UTC', () => {
  expect(exact(now)).toContain('2026-11-22 12:00:00 UTC');
});
