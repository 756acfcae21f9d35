import type { Schema } from '../../api/client';
import { problemOf, fieldErrors } from '../../api/problem';
import { type Days, ruledKinds, toDays, toPolicy as withLifetimes, wrong as wrongLifetimes } from './lifetimes';

export type Policy = Schema<'Policy'>;

/** The kinds whose secrets can be shown again, unless the policy says otherwise. */
export const keptKinds = ['organization_key', 'app'] as const;

/** The policy as the form shows it: text as it is typed. */
export interface PolicyForm {
  days: Record<string, Days>;
  creators: Record<string, string>;
  showOnce: string[];
  networks: string;
  namePattern: string;
  nameHint: string;
  idleDays: string;
  tokenMinutes: string;
  administrators: boolean;
  accountKeys: boolean;
}

export function toForm(policy: Policy): PolicyForm {
  return {
    days: toDays(policy),
    creators: Object.fromEntries(ruledKinds.map((kind) => [kind, policy.may_create?.[kind] ?? 'permitted'])),
    showOnce: [...(policy.show_once ?? [])],
    networks: (policy.networks ?? []).join('\n'),
    namePattern: policy.name_pattern ?? '',
    nameHint: policy.name_hint ?? '',
    idleDays: policy.suspend_idle_days ? String(policy.suspend_idle_days) : '',
    tokenMinutes: minutes(policy.token_lifetime_seconds),
    administrators: policy.administrators_sign_in_automatically ?? false,
    accountKeys: policy.legacy_account_keys ?? false,
  };
}

function minutes(seconds: number | undefined): string {
  return seconds ? String(Number((seconds / 60).toFixed(4))) : '';
}

/** The policy that the form says. What the form does not show stays as it was. */
export function toPolicy(old: Policy, form: PolicyForm): Policy {
  const creators = { ...old.may_create };
  for (const [kind, who] of Object.entries(form.creators)) {
    if (who === 'permitted') delete creators[kind];
    else creators[kind] = who;
  }
  return {
    ...withLifetimes(old, form.days, form.accountKeys),
    may_create: creators,
    show_once: form.showOnce as Policy['show_once'],
    networks: listed(form.networks),
    name_pattern: form.namePattern,
    name_hint: form.namePattern === '' ? '' : form.nameHint.trim(),
    suspend_idle_days: Number(form.idleDays),
    token_lifetime_seconds:
      form.tokenMinutes === minutes(old.token_lifetime_seconds)
        ? old.token_lifetime_seconds
        : form.tokenMinutes === ''
          ? undefined
          : Math.round(Number(form.tokenMinutes) * 60),
    administrators_sign_in_automatically: form.administrators,
  };
}

function listed(text: string): string[] {
  return text.split(/[\s,;]+/).filter(Boolean);
}

/** What is wrong with the form, by field; empty: nothing. */
export function wrong(form: PolicyForm): Record<string, string> {
  const out: Record<string, string> = wrongLifetimes(form.days);
  if (!/^\d*$/.test(form.idleDays) || Number(form.idleDays) > 3650)
    out.suspend_idle_days = 'Enter whole days, 3650 at most';
  const life = Number(form.tokenMinutes);
  if (form.tokenMinutes !== '' && !(life >= 1 && life <= 120)) out.token_lifetime_seconds = 'Enter 1 to 120 minutes';
  return out;
}

const fields = ['networks', 'name_pattern', 'name_hint', 'suspend_idle_days', 'token_lifetime_seconds'] as const;

/** What the server finds wrong, by field; under "" what belongs to none. */
export function refused(error: unknown): Record<string, string> {
  const problem = problemOf(error);
  if (problem.code === 'policy_floor') return { '': problem.detail };
  const errors = problem.errors?.map((e) => ({ ...e, pointer: e.pointer.replace(/^\/policy/, '') }));
  return fieldErrors({ ...problem, errors }, fields);
}
