import { expect, test } from 'vitest';
import { changes, choices, inWords, pageOf } from './words';

test('B6: actions read as what somebody did', () => {
  expect(inWords('api_key.revoke')).toBe('Revoked a user’s API key');
  expect(inWords('session.begin')).toBe('Signed in');
  expect(inWords('app.reveal')).toBe('Showed the secret of an app');
  expect(inWords('something.new')).toBe('something.new');
  for (const { items } of choices(true)) for (const { value, label } of items) expect(label).not.toBe(value);
});

test('targets lead to their pages', () => {
  expect(pageOf({ action: 'organization_key.reveal', target: { type: 'credential', id: 'crd_1' } })).toBe(
    '/settings/api-keys/crd_1',
  );
  expect(pageOf({ action: 'client_credential.issue', target: { type: 'credential', id: 'crd_1' } })).toBe(
    '/api-credentials/crd_1',
  );
  expect(pageOf({ action: 'session.begin', target: { type: 'session', id: 'ses_1' } })).toBeUndefined();
});

test('B6: before and after, side by side', () => {
  expect(
    changes(
      { name: 'a', state: 'active' },
      { name: 'b', scopes: ['x', 'y'], ok: true, expires_at: '2027-01-02T03:04:05Z' },
    ),
  ).toEqual([
    { field: 'Expires at', before: undefined, after: '2027-01-02 03:04:05 UTC' },
    { field: 'Name', before: 'a', after: 'b' },
    { field: 'Ok', before: undefined, after: 'Yes' },
    { field: 'Scopes', before: undefined, after: 'x\ny' },
    { field: 'State', before: 'active', after: undefined },
  ]);
  expect(changes(undefined, null)).toEqual([]);
});
