import { expect, test } from 'vitest';
import { addressOf, anchors, pageAt, resolve } from './links';

const pages = ['README', 'nginx', 'guides/README', 'guides/apps', 'console/api-keys'];

test.each([
  ['../nginx.md', 'guides/apps', { kind: 'page', page: 'nginx', hash: '' }],
  ['README.md#more', 'guides/apps', { kind: 'page', page: 'guides/README', hash: 'more' }],
  ['#rotate', 'guides/apps', { kind: 'page', page: 'guides/apps', hash: 'rotate' }],
  ['guides/', 'README', { kind: 'page', page: 'guides/README', hash: '' }],
  ['/help/console/api-keys#x', 'README', { kind: 'page', page: 'console/api-keys', hash: 'x' }],
  ['/reference', 'README', { kind: 'console', to: '/reference' }],
  ['https://example.com/a', 'README', { kind: 'out', href: 'https://example.com/a' }],
  ['../ARCHITECTURE.md', 'README', { kind: 'nowhere' }],
  ['../../etc/passwd', 'guides/apps', { kind: 'nowhere' }],
  ['javascript:alert(1)', 'README', { kind: 'nowhere' }],
  ['//example.com', 'README', { kind: 'nowhere' }],
])('%s in %s', (href, from, want) => {
  expect(resolve(href, from, pages)).toEqual(want);
});

test('addresses and pages', () => {
  expect(addressOf('README')).toBe('/help');
  expect(addressOf('guides/README')).toBe('/help/guides');
  expect(pageAt('guides/', pages)).toBe('guides/README');
  expect(pageAt('', pages)).toBe('README');
  expect(pageAt('missing', pages)).toBeUndefined();
});

test('anchors', () => {
  const anchor = anchors();
  expect(anchor('What `wait=all` does')).toBe('what-waitall-does');
  expect(anchor('Again')).toBe('again');
  expect(anchor('Again')).toBe('again-1');
});
