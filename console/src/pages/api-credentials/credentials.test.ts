import { expect, test } from 'vitest';
import type { Me } from '../../session/me';
import { type APICredentials, grouped, managesAll, ownerName, whyNotEdit } from './credentials';

const me = (id: string, ...permissions: string[]) =>
  ({ principal: { id, type: 'user' }, permissions, holdings: [], system: false }) as unknown as Me;
const admin = me('usr_admin', 'claviger.client_credentials:manage');
const supervisor = me('usr_sup', 'claviger.client_credentials:manage_own');
const own = {
  level: 'user',
  state: 'active',
  owner: { id: 'usr_sup', type: 'user', name: 'omar', display_name: 'Omar Aziz' },
} as APICredentials;
const account = { level: 'account', state: 'active', owner: { id: 'ten_1', type: 'tenant' } } as APICredentials;

test('VC3: one edits one’s own; those of the account are the administrators’', () => {
  expect(whyNotEdit(supervisor, own)).toBeUndefined();
  expect(whyNotEdit(admin, own)).toContain('Only Omar Aziz');
  expect(whyNotEdit(admin, account)).toBeUndefined();
  expect(whyNotEdit(supervisor, account)).toContain('administrator');
  expect(whyNotEdit(supervisor, { ...own, state: 'revoked' })).toContain('ended');
});

test('VC2: who manages all is no question of licence', () => {
  expect(managesAll(admin)).toBe(true);
  expect(managesAll(supervisor)).toBe(false);
  expect(ownerName(own)).toBe('Omar Aziz');
  expect(ownerName(account)).toBe('The account');
});

test('VC1: scopes stand by their groups; one that is no longer offered is told', () => {
  const known = new Map([['recent_calls:read', { label: 'Recent calls: read', group: 'Analytics & Content' }]]);
  expect(grouped(['recent_calls:read', 'odd:read'], ['recent_calls:read', 'surveys:read'], known)).toEqual([
    {
      name: 'Analytics & Content',
      scopes: [
        { scope: 'recent_calls:read', label: 'Recent calls: read', group: 'Analytics & Content', gone: undefined },
      ],
    },
    { name: 'Other', scopes: [{ scope: 'odd:read', label: 'odd:read', group: 'Other', gone: undefined }] },
    {
      name: 'No longer offered',
      scopes: [{ scope: 'surveys:read', label: 'surveys:read', group: 'No longer offered', gone: true }],
    },
  ]);
});
