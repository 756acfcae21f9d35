import { expect, test } from 'vitest';
import { cutKey } from './cut_key';

const secret = 'Zb4k0fWq2mXv9RtLs7Yc1HdPj6NaGe3UiKoBwMxTzQ5rVlC8n';

test.each([
  [`clv_uk_8fK2mPq0Zr4T_${secret}`, 'crd_8fK2mPq0Zr4T'],
  [`acme_app_8fK2mPq0Zr4T_${secret}`, 'crd_8fK2mPq0Zr4T'],
  [`user: clv_ok_8fK2mPq0Zr4T_${secret} !`, 'user: crd_8fK2mPq0Zr4T !'],
  // A truncated paste may still hold most of a secret.
  ['clv_ccs_8fK2mPq0Zr4T_Zb4k0', 'crd_8fK2mPq0Zr4T'],
  ['kiosk', 'kiosk'],
  ['crd_8fK2mPq0Zr4T', 'crd_8fK2mPq0Zr4T'],
  ['call_uk', 'call_uk'],
])('cuts %s', (pasted, want) => {
  expect(cutKey(pasted)).toBe(want);
  expect(cutKey(pasted)).not.toContain('Zb4k0');
});
