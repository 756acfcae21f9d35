import { expect, test } from 'vitest';
import { heldAt, missingAt } from './held';
import type { Me } from './me';

const me = (system: boolean, ...holdings: [string, string[]][]) =>
  ({
    system,
    holdings: holdings.map(([organization_id, permissions]) => ({ organization_id, permissions })),
  }) as unknown as Me;

test('what is held above counts, what is held elsewhere does not', () => {
  const admin = me(false, ['europe', ['claviger.users:manage', '*:read']], ['austin', ['claviger.roles:manage']]);
  expect(heldAt(admin, ['root', 'europe', 'berlin'])).toEqual(['claviger.users:manage', '*:read']);
  expect(heldAt(admin, ['root'])).toEqual([]);
});

test('VX7: what is not held there cannot be given there', () => {
  const admin = me(false, ['europe', ['claviger.users:manage', '*:read']]);
  const role = ['claviger.users:manage', 'claviger.apps:manage', 'recent_calls:read', '*:*'];
  expect(missingAt(admin, ['root', 'europe'], role)).toEqual(['claviger.apps:manage', '*:*']);
  expect(missingAt(admin, ['root'], role)).toEqual(role);
});

test('operators hold everywhere what they hold at the root of the installation', () => {
  const operator = me(true, ['org_system', ['claviger.*:*']]);
  expect(missingAt(operator, ['any'], ['claviger.users:manage'])).toEqual([]);
  expect(missingAt(me(false, ['org_system', ['claviger.*:*']]), ['any'], ['claviger.users:manage'])).toHaveLength(1);
});
