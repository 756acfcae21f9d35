import { expect, test } from 'vitest';
import { type App, apiNames, type Catalog, changes, matching, stateOf, toggled, whyNot } from './choice';

const catalog = {
  revision: 1,
  clients: [],
  licences: [],
  groups: [
    {
      key: 'content',
      name: 'Content',
      apis: [
        { key: 'calls', name: 'Recent Calls', permissions: ['recent_calls:read'] },
        { key: 'storage', name: 'Storage', permissions: ['stored_files:read'], requires: ['storage_api:use'] },
      ],
    },
    { key: 'actions', name: 'Actions', apis: [{ key: 'chat', name: 'Chat', permissions: ['work_chat:write'] }] },
  ],
  choosable: ['calls', 'chat'],
  not_choosable: { storage: 'You need the Storage API assignment to choose this. A Super Admin can grant it.' },
  missing: { storage: ['Storage API'] },
} satisfies Catalog;

test('EE8: what is missing is said; what an app has already can stay', () => {
  expect(whyNot(catalog, 'calls', new Set())).toBeUndefined();
  expect(whyNot(catalog, 'storage', new Set())).toContain('Storage API assignment');
  expect(whyNot(catalog, 'storage', new Set(['storage']))).toBeUndefined();
});

test('EE2: the search finds names and permissions, and leaves out empty groups', () => {
  const found = (text: string) => matching(catalog, text).flatMap((group) => group.apis.map((api) => api.key));
  expect(found('')).toEqual(['calls', 'storage', 'chat']);
  expect(found(' CALLS')).toEqual(['calls']);
  expect(found('work_chat')).toEqual(['chat']);
  expect(matching(catalog, 'nothing')).toEqual([]);
});

test('EE2: all of a group, then none of it', () => {
  expect([...toggled(new Set(['chat']), ['calls', 'storage'])]).toEqual(['chat', 'calls', 'storage']);
  expect([...toggled(new Set(['chat', 'calls']), ['calls', 'storage'])]).toEqual(['chat', 'calls', 'storage']);
  expect([...toggled(new Set(['chat', 'calls', 'storage']), ['calls', 'storage'])]).toEqual(['chat']);
});

test('changes are counted both ways', () => {
  expect(changes(new Set(['a', 'b']), new Set(['b', 'c']))).toBe(2);
  expect(changes(new Set(['a']), new Set(['a']))).toBe(0);
});

test('an app is told by its first API, and by the state that counts', () => {
  const app = {
    apis: [
      { key: 'calls', name: 'Recent Calls' },
      { key: 'gone', name: '' },
    ],
    state: 'active',
    expires_at: '2026-11-22T12:00:00Z',
  } as App;
  expect(apiNames(app)).toBe('Recent Calls and 1 more');
  expect(apiNames({ ...app, apis: app.apis.slice(1) })).toBe('gone');
  expect(stateOf(app, new Date('2026-11-22T11:59:59Z'))).toBe('active');
  expect(stateOf(app, new Date('2026-11-22T12:00:00Z'))).toBe('expired');
});
