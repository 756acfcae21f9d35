import { expect, test } from 'vitest';
import { refused, toForm, toPolicy, wrong } from './policy_form';

const policy = {
  max_lifetime_seconds: { user_key: 864_000, verifier_key: 60 },
  may_create: { verifier_key: 'nobody', app: 'administrators' },
  show_once: ['app' as const],
  networks: ['10.0.0.0/8', '2001:db8::/32'],
  name_pattern: '[a-z]+',
  name_hint: 'Small letters.',
  suspend_idle_days: 90,
  token_lifetime_seconds: 601,
  legacy_account_keys: true,
  administrators_sign_in_automatically: true,
};

test('B7: the policy goes into the form and back without losing anything', () => {
  expect(toPolicy(policy, toForm(policy))).toEqual({ ...policy, default_lifetime_seconds: {} });
});

test('B7: what the form changes is changed, and what it does not show stays', () => {
  const form = toForm(policy);
  const next = toPolicy(policy, {
    ...form,
    creators: { ...form.creators, app: 'permitted', user_key: 'nobody' },
    networks: ' 192.0.2.7,\n\n10.0.0.0/8 ',
    namePattern: '',
    idleDays: '',
    tokenMinutes: '5',
  });
  expect(next.may_create).toEqual({ verifier_key: 'nobody', user_key: 'nobody' });
  expect(next.networks).toEqual(['192.0.2.7', '10.0.0.0/8']);
  expect([next.name_pattern, next.name_hint, next.suspend_idle_days]).toEqual(['', '', 0]);
  expect(next.token_lifetime_seconds).toBe(300);
  expect(toPolicy(policy, { ...form, tokenMinutes: '' }).token_lifetime_seconds).toBeUndefined();
});

test('B7: what cannot be is told at its field', () => {
  const form = { ...toForm(policy), idleDays: '1.5', tokenMinutes: '121' };
  expect(wrong(form)).toEqual({
    suspend_idle_days: 'Enter whole days, 3650 at most',
    token_lifetime_seconds: 'Enter 1 to 120 minutes',
  });
  expect(wrong({ ...form, idleDays: '', tokenMinutes: '' })).toEqual({});
  const problem = { status: 400, code: 'invalid', title: '', detail: 'Fields.' };
  const errors = [
    { pointer: '/policy/networks/1', message: 'Write a network.' },
    { pointer: '/policy/max_lifetime', message: 'Choose another.' },
  ];
  expect(refused({ ...problem, errors })).toEqual({ networks: 'Write a network.', '': 'Choose another.' });
  expect(refused({ ...problem, status: 403, code: 'policy_floor', errors })).toEqual({ '': 'Fields.' });
});
