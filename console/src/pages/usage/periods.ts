import type { Schema } from '../../api/client';

const HOUR = 3_600_000;
const DAY = 24 * HOUR;

export type By = 'hour' | 'day';

/** How far back one can look; hours are offered for short spans only. */
export const spans = [
  { value: '24h', label: 'Last 24 hours', length: DAY, by: ['hour'] },
  { value: '7d', label: 'Last 7 days', length: 7 * DAY, by: ['hour', 'day'] },
  { value: '30d', label: 'Last 30 days', length: 30 * DAY, by: ['day'] },
  { value: '90d', label: 'Last 90 days', length: 90 * DAY, by: ['day'] },
  { value: '365d', label: 'Last 12 months', length: 365 * DAY, by: ['day'] },
] as const;
export type Span = (typeof spans)[number];

/** What the URL asks for, made whole. */
export function asked(span: string | undefined, by: string | undefined): { span: Span; by: By } {
  const chosen = spans.find((s) => s.value === span) ?? spans[0];
  const units: readonly By[] = chosen.by;
  return { span: chosen, by: units.find((unit) => unit === by) ?? units.at(-1)! };
}

/** When the span begins: whole hours or days of UTC, of which the present one is the last. */
export function begins(span: Span, by: By, now: Date): Date {
  const unit = by === 'hour' ? HOUR : DAY;
  return new Date(Math.floor(now.getTime() / unit) * unit + unit - span.length);
}

export interface Period {
  at: Date;
  valid: number;
  denied: number;
}

/** Every period of the answer, also those in which nothing happened. */
export function periods(usage: Schema<'Usage'>): Period[] {
  const unit = usage.by === 'hour' ? HOUR : DAY;
  const known = new Map(usage.items.map((item) => [new Date(item.at).getTime(), item]));
  const out: Period[] = [];
  const end = new Date(usage.to).getTime();
  for (let at = new Date(usage.from).getTime(); at < end; at += unit) {
    const item = known.get(at);
    out.push({ at: new Date(at), valid: item?.valid ?? 0, denied: sum(Object.values(item?.denied ?? {})) });
  }
  return out;
}

/** How many were refused, by reason, most first. */
export function reasons(usage: Schema<'Usage'>): { code: string; count: number }[] {
  const counts = new Map<string, number>();
  for (const item of usage.items)
    for (const [code, count] of Object.entries(item.denied)) counts.set(code, (counts.get(code) ?? 0) + count);
  return [...counts].map(([code, count]) => ({ code, count })).sort((a, b) => b.count - a.count);
}

export function sum(list: readonly number[]): number {
  return list.reduce((total, n) => total + n, 0);
}

const names: Record<string, string> = {
  EXPIRED: 'Expired',
  REVOKED: 'Revoked',
  SUSPENDED: 'Suspended',
  NOT_YET_VALID: 'Not yet valid',
  INSUFFICIENT_PERMISSIONS: 'Insufficient permissions',
  FORBIDDEN: 'Forbidden',
  RATE_LIMITED: 'Rate limited',
  USAGE_EXCEEDED: 'Usage exceeded',
  TENANT_SUSPENDED: 'Company suspended',
  WRONG_KIND: 'Wrong kind of credential',
};

/** A verdict's code for people. */
export function reasonName(code: string): string {
  const words = code.toLowerCase().replaceAll('_', ' ');
  return names[code] ?? words.charAt(0).toUpperCase() + words.slice(1);
}

const hourFormat = new Intl.DateTimeFormat('en-GB', { hour: '2-digit', minute: '2-digit', hour12: false });
const hourAndDay = new Intl.DateTimeFormat('en-GB', {
  day: 'numeric',
  month: 'short',
  hour: '2-digit',
  minute: '2-digit',
  hour12: false,
});
const utcDay = new Intl.DateTimeFormat('en-GB', { day: 'numeric', month: 'short', timeZone: 'UTC' });
const utcYear = new Intl.DateTimeFormat('en-GB', { day: 'numeric', month: 'short', year: 'numeric', timeZone: 'UTC' });

/** A period's name: hours in the viewer's zone, days in UTC as they are counted. */
export function periodName(at: Date, by: By, long = false): string {
  if (by === 'day') return long ? utcYear.format(at) : utcDay.format(at);
  return long ? hourAndDay.format(at) : hourFormat.format(at);
}
