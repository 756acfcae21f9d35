import { expect, test } from 'vitest';
import { allows } from './can';

test.each([
  [['claviger.apps:manage'], 'claviger.apps:manage', true],
  [['claviger.*:read'], 'claviger.users:read', true],
  [['claviger.*:read'], 'claviger.users:manage', false],
  [['claviger.*:*'], 'claviger.users:manage', true],
  [['*:*'], 'claviger.users:manage', false],
  [['*.users:*'], 'claviger.users:manage', false],
  [['*:*'], 'recordings:read', true],
  [['*:read'], 'recordings.archive:read', false],
  [[], 'recordings:read', false],
])('%j allows %s: %s', (grants, permission, want) => {
  expect(allows(grants, permission)).toBe(want);
});
