import { expect, test } from 'vitest';
import { chosen, comesSoon, type Delivery, events, outcome, reason } from './data';

const delivery: Delivery = {
  id: 'dlv_1',
  webhook_id: 'whk_1',
  message_id: 'msg_1',
  event: 'credential.revoked',
  state: 'pending',
  attempts: 0,
  created_at: '2026-11-02T12:00:00Z',
};

test('which events a webhook is for', () => {
  expect(chosen([])).toBe('All events');
  expect(chosen(events.map((e) => e.type))).toBe('All events');
  expect(chosen(['credential.revoked'])).toBe('Revoked');
  expect(chosen(['credential.expiring', 'credential.expired'])).toBe('About to expire, Expired');
  expect(chosen(['credential.expiring', 'credential.expired', 'credential.revoked'])).toBe('3 kinds of events');
  expect(chosen(['credential.newer'])).toBe('credential.newer');
});

test('what became of a delivery, and why', () => {
  expect([outcome(delivery), reason(delivery)]).toEqual(['On its way', '']);
  expect(outcome({ ...delivery, attempts: 1 })).toBe('On its way'); // the first is under way
  const failed = { ...delivery, attempts: 2, status: 500 };
  expect([outcome(failed), reason(failed)]).toEqual(['Will be tried again', 'It answered 500']);
  const dead = { ...delivery, state: 'dead' as const, error: 'the connection was refused' };
  expect([outcome(dead), reason(dead)]).toEqual(['Given up', 'The connection was refused']);
  expect(reason({ ...dead, state: 'delivered' })).toBe('');
});

test('what comes soon is looked at again', () => {
  const now = new Date('2026-11-02T12:00:30Z');
  const at = (seconds: number) => new Date(now.getTime() + seconds * 1000).toISOString();
  expect(comesSoon(delivery, now)).toBe(true);
  expect(comesSoon({ ...delivery, attempts: 1, next_attempt_at: at(-30) }, now)).toBe(true); // under way
  expect(comesSoon({ ...delivery, attempts: 1, next_attempt_at: at(5) }, now)).toBe(true);
  expect(comesSoon({ ...delivery, attempts: 3, next_attempt_at: at(300) }, now)).toBe(false);
  expect(comesSoon({ ...delivery, attempts: 1, state: 'delivered' }, now)).toBe(false);
});
