import { expect, test } from 'vitest';
import { defaultEnd, endOfDay, fieldDay, latestEnd, wrongEnd } from './expiry';

const now = new Date(2026, 10, 22, 12);
const days = (n: number) => n * 24 * 3600;

test('a chosen day is whole', () => {
  expect(endOfDay('2027-09-14')).toEqual(new Date(2027, 8, 14, 23, 59, 59));
  expect(fieldDay(endOfDay('2027-03-05'))).toBe('2027-03-05');
});

test('NV10: organization keys end after a year, others never, unless the policy says otherwise', () => {
  expect(defaultEnd(undefined, 'user_key', now)).toBeUndefined();
  expect(fieldDay(defaultEnd(undefined, 'organization_key', now)!)).toBe('2027-11-22');
  expect(fieldDay(defaultEnd({ max_lifetime_seconds: { user_key: days(30) } }, 'user_key', now)!)).toBe('2026-12-22');
  const policy = { default_lifetime_seconds: { user_key: days(90) }, max_lifetime_seconds: { user_key: days(30) } };
  expect(fieldDay(defaultEnd(policy, 'user_key', now)!)).toBe('2026-12-22');
});

test('NV13: a date beyond the policy is refused with the longest it allows', () => {
  const latest = latestEnd({ max_lifetime_seconds: { organization_key: days(364) } }, 'organization_key', now);
  expect(wrongEnd('2027-11-21', now, latest)).toBe('Choose a date before 21 Nov 2027, the longest your policy allows');
  expect(wrongEnd('2027-11-20', now, latest)).toBeUndefined();
  expect(wrongEnd('2026-11-21', now, latest)).toBe('Choose a date from today on');
  expect(wrongEnd('2099-01-01', now, undefined)).toBeUndefined();
  expect(wrongEnd('', now, undefined)).toBeDefined();
});
