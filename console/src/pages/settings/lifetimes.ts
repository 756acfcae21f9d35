import type { Schema } from '../../api/client';

export type Policy = Schema<'Policy'>;

const DAY = 86_400; // s

/** The kinds that have a lifetime, as the API names them. */
export const ruledKinds = [
  'user_key',
  'organization_key',
  'app',
  'service_account_key',
  'client_credential',
  'account_key',
] as const;

export interface Days {
  max: string;
  usual: string;
}

/** The rules as the form shows them: days, empty for none. */
export function toDays(policy: Policy): Record<string, Days> {
  return Object.fromEntries(
    ruledKinds.map((kind) => [
      kind,
      { max: days(policy.max_lifetime_seconds?.[kind]), usual: days(policy.default_lifetime_seconds?.[kind]) },
    ]),
  );
}

function days(seconds: number | undefined): string {
  return seconds ? String(Number((seconds / DAY).toFixed(4))) : '';
}

/** What is wrong with the form, by kind and field; empty: nothing. */
export function wrong(form: Record<string, Days>): Record<string, string> {
  const out: Record<string, string> = {};
  for (const [kind, { max, usual }] of Object.entries(form)) {
    if (!isDays(max)) out[`${kind}.max`] = 'Enter a number of days';
    if (!isDays(usual)) out[`${kind}.usual`] = 'Enter a number of days';
    else if (max !== '' && usual !== '' && Number(usual) > Number(max))
      out[`${kind}.usual`] = `Choose ${max} days or less`;
  }
  return out;
}

function isDays(text: string): boolean {
  return text === '' || (Number.isFinite(Number(text)) && Number(text) > 0 && Number(text) <= 36_500);
}

/** The policy that the form says. What the form does not show stays as it was. */
export function toPolicy(old: Policy, form: Record<string, Days>, accountKeys: boolean): Policy {
  const apply = (was: Record<string, number> | undefined, field: keyof Days) => {
    const next = { ...was };
    for (const [kind, value] of Object.entries(form)) {
      if (value[field] === days(was?.[kind])) continue; // to the second as it was
      if (value[field] === '') delete next[kind];
      else next[kind] = Math.round(Number(value[field]) * DAY);
    }
    return next;
  };
  return {
    ...old,
    max_lifetime_seconds: apply(old.max_lifetime_seconds, 'max'),
    default_lifetime_seconds: apply(old.default_lifetime_seconds, 'usual'),
    legacy_account_keys: accountKeys,
  };
}
