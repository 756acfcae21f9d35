import { day } from '../../time/time';
import type { KeyKind } from './keys';

interface Policy {
  max_lifetime_seconds?: Record<string, number>;
  default_lifetime_seconds?: Record<string, number>;
}

const SECOND = 1000;
const YEAR = 365 * 24 * 3600 * SECOND;

/** The last moment of a day as it is chosen, "2027-09-14", in the viewer's zone. */
export function endOfDay(chosen: string): Date {
  const [year = 0, month = 1, date = 1] = chosen.split('-').map(Number);
  return new Date(year, month - 1, date, 23, 59, 59);
}

/** The day of a moment as a date field has it. */
export function fieldDay(at: Date): string {
  const two = (n: number) => String(n).padStart(2, '0');
  return `${at.getFullYear()}-${two(at.getMonth() + 1)}-${two(at.getDate())}`;
}

/** The latest end that the policy allows; undefined: it doesn't say. The life begins at `from`. */
export function latestEnd(policy: Policy | undefined, kind: KeyKind, from: Date): Date | undefined {
  const longest = policy?.max_lifetime_seconds?.[kind];
  return longest === undefined ? undefined : new Date(from.getTime() + longest * SECOND);
}

/** The end that a new key gets when none is chosen; undefined: it never ends. */
export function defaultEnd(policy: Policy | undefined, kind: KeyKind, now: Date): Date | undefined {
  const usual = policy?.default_lifetime_seconds?.[kind];
  const end =
    usual !== undefined
      ? new Date(now.getTime() + usual * SECOND)
      : kind === 'organization_key'
        ? new Date(now.getTime() + YEAR)
        : undefined;
  const latest = latestEnd(policy, kind, now);
  return latest && (!end || end > latest) ? latest : end;
}

/** What is wrong with a chosen day; undefined: nothing. */
export function wrongEnd(chosen: string, now: Date, latest: Date | undefined): string | undefined {
  const end = endOfDay(chosen);
  if (Number.isNaN(end.getTime())) return 'Choose a date';
  if (end <= now) return 'Choose a date from today on';
  if (latest && end > latest) return `Choose a date before ${day(latest)}, the longest your policy allows`;
  return undefined;
}
