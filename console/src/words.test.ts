import { expect, test } from 'vitest';
import { everything } from './words';

test('a plan that leaves nothing out says so, another its permissions', () => {
  expect(everything(['*:*'])).toBe('Everything');
  expect(everything(['*.*:*', '*:*'])).toBe('Everything');
  expect(everything(['*:*', 'claviger.*:*'])).toBe('Everything, and the system itself');
  expect(everything(['*:read'])).toBeUndefined();
  expect(everything(['*:*', 'surveys:read'])).toBeUndefined();
  expect(everything([])).toBeUndefined();
});
