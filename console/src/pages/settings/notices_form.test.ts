import { expect, test } from 'vitest';
import { daysOf, toForm, toNotices, wrong } from './notices_form';

test('NV11: days are read as they are typed, each once, the most first', () => {
  expect(daysOf('7, 30;1 7\n14')).toEqual([30, 14, 7, 1]);
  expect(toForm(undefined)).toEqual({
    days: '30, 14, 7, 3, 1',
    hour: '8',
    zone: 'UTC',
    owners: false,
    creators: false,
  });
  expect(toForm({ hour: 0, time_zone: 'Europe/Lisbon', tell_owners: true })).toMatchObject({
    hour: '0',
    zone: 'Europe/Lisbon',
    owners: true,
  });
});

test('NV11: what is wrong is told, what is right is sent', () => {
  const form = toForm(undefined);
  for (const days of ['', '0', '366', '1.5', 'seven', '1 2 3 4 5 6 7 8 9 10 11']) {
    expect(wrong({ ...form, days }).days, days).toBeDefined();
  }
  expect(wrong(form)).toEqual({});
  expect(toNotices({ ...form, days: '60, 2', zone: 'Europe/Lisbon', creators: true })).toEqual({
    days: [60, 2],
    hour: 8,
    time_zone: 'Europe/Lisbon',
    tell_owners: undefined,
    tell_creators: true,
  });
});
