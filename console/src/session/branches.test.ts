import { expect, test } from 'vitest';
import { branchesOf } from './branches';
import type { Me } from './me';

const users = 'claviger.users:read';
const me = (home: string, ...holdings: [path: string, ...permissions: string[]][]) =>
  ({
    organization: { id: home },
    holdings: holdings.map(([path, ...permissions]) => {
      const organization_path = path.split('/');
      const id = organization_path.at(-1)!;
      return { organization_id: id, organization_name: id, organization_path, permissions };
    }),
  }) as unknown as Me;

test('NV7: each part of the tree with the right is a branch, unless it is inside another', () => {
  const both = me('berlin', ['root/asia/tokyo', users], ['root/europe', users], ['root/europe/berlin', users]);
  expect(branchesOf(both, [users]).map((b) => b.name)).toEqual(['europe', 'tokyo']);
  expect(branchesOf(me('tokyo', ['root/europe', users], ['root/asia/tokyo', users]), [users])[0]!.name).toBe('tokyo');
  expect(branchesOf(me('root', ['root', 'claviger.*:*'], ['root/europe', users]), [users])).toHaveLength(1);
});

test('NV7: other rights make no branch', () => {
  const split = me('x', ['root/europe', users], ['root/asia', 'claviger.apps:manage', 'recordings:read']);
  expect(branchesOf(split, [users]).map((b) => b.id)).toEqual(['europe']);
  expect(branchesOf(split, [users, 'claviger.apps:manage'])).toHaveLength(2);
});
