import { expect, test } from 'vitest';
import { inTreeOrder, type Organization } from './organizations';

const org = (id: string, parent_id?: string) => ({ id, parent_id, name: id }) as unknown as Organization;

test('children stand below their parent, by name; a parent that is not shown makes a root', () => {
  const list = [org('c', 'a'), org('a'), org('b', 'a'), org('e', 'c'), org('x', 'hidden')];
  expect(inTreeOrder(list).map(({ organization, depth }) => `${'-'.repeat(depth)}${organization.id}`)).toEqual([
    'a',
    '-b',
    '-c',
    '--e',
    'x',
  ]);
});
