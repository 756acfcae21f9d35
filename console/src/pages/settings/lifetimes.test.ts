import { expect, test } from 'vitest';
import { toDays, toPolicy, wrong } from './lifetimes';

const policy = {
  max_lifetime_seconds: { user_key: 864_000, verifier_key: 60 },
  default_lifetime_seconds: { app: 100_000 },
};

test('B7: rules go into the form and back without losing anything', () => {
  const form = toDays(policy);
  expect(form.user_key).toEqual({ max: '10', usual: '' });
  expect(toPolicy(policy, form, false)).toEqual({ ...policy, legacy_account_keys: false });
  form.user_key = { max: '', usual: '5' };
  expect(toPolicy(policy, form, true)).toEqual({
    max_lifetime_seconds: { verifier_key: 60 },
    default_lifetime_seconds: { app: 100_000, user_key: 432_000 },
    legacy_account_keys: true,
  });
});

test('B7: what cannot be is told at its field', () => {
  const form = toDays(policy);
  form.user_key = { max: '10', usual: '11' };
  form.app = { max: '-1', usual: 'x' };
  expect(wrong(form)).toEqual({
    'user_key.usual': 'Choose 10 days or less',
    'app.max': 'Enter a number of days',
    'app.usual': 'Enter a number of days',
  });
});
