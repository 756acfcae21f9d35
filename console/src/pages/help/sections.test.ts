import { expect, test } from 'vitest';
import { excerpt, sectionsOf } from './sections';

test('a page is cut at its headings, not at comments in code', () => {
  const list = sectionsOf(
    'guides/a',
    '# The *title*\n\nOne.\n\n## More\n```sh\n# no heading\nrun\n```\n### More\nTwo [here](x.md).',
  );
  expect(list.map((s) => [s.id, s.title, s.heading, s.anchor, s.text.trim()])).toEqual([
    ['guides/a#the-title', 'The title', '', '', 'One.'],
    ['guides/a#more', 'The title', 'More', 'more', 'no heading\nrun'],
    ['guides/a#more-1', 'The title', 'More', 'more-1', 'Two here.'],
  ]);
});

test('an excerpt shows what was found', () => {
  const text = `${'word '.repeat(100)}needle ${'word '.repeat(100)}`;
  expect(excerpt(text, ['needle'])).toContain('needle');
  expect(excerpt(text, ['needle']).length).toBeLessThan(150);
  expect(excerpt('short', ['none'])).toBe('short');
});
