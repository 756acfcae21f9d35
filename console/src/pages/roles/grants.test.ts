import { expect, test } from 'vitest';
import { allIncluded, grantName, listed, type Permission, type Role, starText, through } from './grants';

const known = new Map<string, Permission>(
  [
    { permission: 'claviger.apps:manage', name: 'Application Credentials', label: 'Grant access to apps' },
    { permission: 'recent_calls:read', name: 'Recent calls', label: 'Recent calls: read', vendor: true },
  ].map((p) => [p.permission, p as Permission]),
);

test('grants have plain names', () => {
  expect(grantName('claviger.apps:manage', known)).toBe('Application Credentials');
  expect(grantName('recent_calls:read', known)).toBe('Recent calls: read');
  expect(grantName('*:read', known)).toBe('“read” in all of the vendor’s APIs');
  expect(grantName('unknown:read', known)).toBe('unknown:read');
  expect(starText('call_recordings:*')).toBe('Everything in call recordings');
});

test('long lists are cut', () => {
  expect(listed(['claviger.apps:manage'], known)).toBe('“Application Credentials”');
  expect(listed(['claviger.apps:manage', 'a:b', 'c:d'], known)).toBe('“Application Credentials”, “a:b” and 1 more');
});

test('a star grants what it matches, and never Claviger’s own', () => {
  expect(through(['*:read'], 'recent_calls:read')).toBe('*:read');
  expect(through(['*:read', 'recent_calls:read'], 'recent_calls:write')).toBeUndefined();
  expect(through(['*:*'], 'claviger.apps:manage')).toBeUndefined();
});

test('a role includes what its roles include, also in a circle', () => {
  const role = (id: string, ...includes: string[]) => ({ id, includes }) as Role;
  const roles = new Map([role('a', 'b'), role('b', 'c'), role('c', 'a')].map((r) => [r.id, r]));
  expect(allIncluded(roles.get('a')!, roles).map((r) => r.id)).toEqual(['b', 'c']);
});
