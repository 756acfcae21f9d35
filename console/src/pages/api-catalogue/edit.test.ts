import { expect, test } from 'vitest';
import { type Catalog, keyOf, putAPI, putClient, putGroup, removeAPI, removeClient, removeGroup } from './edit';

const catalog: Catalog = {
  revision: 3,
  groups: [
    { key: 'a', name: 'A', apis: [{ key: 'one', name: 'One', permissions: ['x:y'] }] },
    { key: 'b', name: 'B', apis: [] },
  ],
  clients: [{ key: 'desktop', name: 'Desktop', permissions: [] }],
  licences: [{ key: 'agent', name: 'Agent', clients: ['desktop'] }],
};
const keys = (c: Catalog) => c.groups.map((g) => [g.key, g.apis.map((a) => a.key)]);

test('EE4: an API moves to the group that is chosen, once', () => {
  const moved = putAPI('b', { key: 'one', name: 'Uno', permissions: [] })(catalog);
  expect(keys(moved)).toEqual([
    ['a', []],
    ['b', ['one']],
  ]);
  expect(keys(removeAPI('one')(catalog))).toEqual([
    ['a', []],
    ['b', []],
  ]);
});

test('EE4: a renamed group keeps its APIs', () => {
  expect(putGroup({ key: 'a', name: 'New' })(catalog).groups[0]).toMatchObject({ name: 'New', apis: [{ key: 'one' }] });
  expect(keys(putGroup({ key: 'c', name: 'C' })(catalog)).at(-1)).toEqual(['c', []]);
  expect(keys(removeGroup('a')(catalog))).toEqual([['b', []]]);
});

test('a client goes from licences too', () => {
  expect(removeClient('desktop')(catalog)).toMatchObject({ clients: [], licences: [{ clients: [] }] });
  expect(putClient({ key: 'web', name: 'Web', permissions: [] })(catalog).clients).toHaveLength(2);
  expect(keyOf('Customer Experience: Recent Calls')).toBe('customer_experience_recent_calls');
});
