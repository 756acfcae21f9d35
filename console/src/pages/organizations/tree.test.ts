import { expect, test } from 'vitest';
import type { Organization } from '../../shell/organizations';
import { keyIn, linesOf, search, treeOf } from './tree';

const org = (id: string, name: string, ...path: string[]) =>
  ({ id, name, parent_id: path.at(-1), path: [...path, id], external_id: `crm-${id}` }) as Organization;

const list = [
  org('lis', 'Lisbon', 'root', 'eu'),
  org('eu', 'Europe', 'root'),
  org('root', 'Northwind'),
  org('ber', 'Berlin', 'root', 'eu'),
  org('us', 'Americas', 'root'),
];
const tree = treeOf(list);
const all = new Set(['root', 'eu']);
const shown = (expanded: Set<string>, text = '') =>
  linesOf(tree, expanded, search(tree, text)).map((l) => `${'.'.repeat(l.level)}${l.organization.name}`);

test('children stand below their parent, by name', () => {
  expect(shown(all)).toEqual(['.Northwind', '..Americas', '..Europe', '...Berlin', '...Lisbon']);
  expect(shown(new Set(['root']))).toEqual(['.Northwind', '..Americas', '..Europe']);
});

test('who sees a part of the tree sees it from its top', () => {
  const part = treeOf(list.filter((o) => o.path.includes('eu')));
  expect(part.roots.map((o) => o.id)).toEqual(['eu']);
});

test('a search shows what it finds and what stands above, whatever is closed', () => {
  expect(shown(new Set(), 'lis')).toEqual(['.Northwind', '..Europe', '...Lisbon']);
  expect(shown(new Set(), 'crm-ber')).toEqual(['.Northwind', '..Europe', '...Berlin']);
  expect(shown(new Set(), 'nothing')).toEqual([]);
});

test('arrows move, open and close', () => {
  const lines = linesOf(tree, new Set(['root']), undefined);
  expect(keyIn(lines, 2, 'ArrowRight')).toEqual({ expand: 'eu' });
  expect(keyIn(lines, 2, 'ArrowLeft')).toEqual({ go: 0 });
  expect(keyIn(lines, 0, 'ArrowLeft')).toEqual({ collapse: 'root' });
  expect(keyIn(lines, 0, 'ArrowRight')).toEqual({ go: 1 });
  expect(keyIn(lines, 1, 'ArrowRight')).toEqual({});
  expect(keyIn(lines, 0, 'End')).toEqual({ go: 2 });
  expect(keyIn(lines, 2, 'ArrowDown')).toEqual({ go: 2 });
  expect(keyIn(lines, 0, 'e')).toEqual({ go: 2 });
  expect(keyIn(lines, 0, 'Tab')).toBeUndefined();
});

test('5,000 organizations are laid out within a frame', () => {
  const many = [org('root', 'Root')];
  for (let i = 0; i < 5000; i++) many.push(org(`o${i}`, `Organization ${i}`, 'root'));
  const big = treeOf(many);
  const began = performance.now();
  expect(linesOf(big, new Set(['root']), undefined)).toHaveLength(5001);
  expect(performance.now() - began).toBeLessThan(50);
});
