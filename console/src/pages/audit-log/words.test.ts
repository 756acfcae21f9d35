import fs from 'node:fs';
import { expect, test } from 'vitest';
import { choices, inWords } from './actions';
import { changes, pageOf, targetOf } from './words';

// What the program records, as its own tests find it in the source.
const recorded = fs
  .readFileSync(new URL('../../../../internal/authority/testdata/actions.txt', import.meta.url), 'utf8')
  .trim()
  .split('\n');

test('B6: actions read as what somebody did', () => {
  expect(inWords('api_key.revoke')).toBe('Revoked a user’s API key');
  expect(inWords('session.begin')).toBe('Signed in');
  expect(inWords('app.reveal')).toBe('Showed the secret of an app');
  expect(inWords('something.new')).toBe('something.new');
});

test('B6: every action that is recorded has words of its own, and can be chosen', () => {
  const listed = choices(true).flatMap(({ items }) => items);
  expect(listed.map(({ value }) => value).sort()).toEqual([...recorded].sort());
  for (const { value, label } of listed) expect(label).not.toBe(value);
  expect(new Set(listed.map(({ label }) => label)).size).toBe(listed.length);
  const tenants = choices(false).flatMap(({ items }) => items.map(({ value }) => value));
  expect(tenants).toContain('webhook.create');
  expect(tenants).not.toContain('plan.create');
});

test('B6: a change of many reads as what is done to them', () => {
  expect(inWords('operation.create')).toBe('Began a change of many credentials');
  expect(targetOf({ target: { type: 'operation', id: 'opn_1', name: 'apply_policy' } })).toBe(
    'Apply the policy to them',
  );
  expect(targetOf({ target: { type: 'session', id: 'ses_1' } })).toBe('');
});

test('targets lead to their pages', () => {
  expect(pageOf({ action: 'organization_key.reveal', target: { type: 'credential', id: 'crd_1' } })).toBe(
    '/settings/api-keys/crd_1',
  );
  expect(pageOf({ action: 'client_credential.issue', target: { type: 'credential', id: 'crd_1' } })).toBe(
    '/api-credentials/crd_1',
  );
  expect(pageOf({ action: 'webhook.test', target: { type: 'webhook', id: 'whk_1' } })).toBe('/settings/webhooks/whk_1');
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
