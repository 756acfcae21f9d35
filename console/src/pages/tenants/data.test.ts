import { expect, test } from 'vitest';
import { shortNameOf } from './data';

test.each([
  ['Northwind Voice', 'northwind-voice'],
  ['  Łódź & Söhne GmbH ', 'odz-sohne-gmbh'],
  ['---', ''],
])('%s gets the short name %s', (name, want) => {
  expect(shortNameOf(name)).toBe(want);
});
