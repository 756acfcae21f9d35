import type { Schema } from '../../api/client';

type Notices = Schema<'Notices'>;

/** What people are told of keys that end soon, as the form shows it: text as it is typed. */
export interface NoticesForm {
  days: string;
  hour: string;
  zone: string;
  owners: boolean;
  creators: boolean;
}

const usual = [30, 14, 7, 3, 1];

export function toForm(notices: Notices | undefined): NoticesForm {
  return {
    days: (notices?.days?.length ? notices.days : usual).join(', '),
    hour: String(notices?.hour ?? 8),
    zone: notices?.time_zone || 'UTC',
    owners: notices?.tell_owners ?? false,
    creators: notices?.tell_creators ?? false,
  };
}

/** The days that the text names, the most first, each once. */
export function daysOf(text: string): number[] {
  const list = text.split(/[\s,;]+/).filter(Boolean);
  return [...new Set(list.map(Number))].sort((a, b) => b - a);
}

export function toNotices(form: NoticesForm): Notices {
  return {
    days: daysOf(form.days),
    hour: Number(form.hour),
    time_zone: form.zone === 'UTC' ? undefined : form.zone,
    tell_owners: form.owners || undefined,
    tell_creators: form.creators || undefined,
  };
}

/** What is wrong with the form, by field; empty: nothing. */
export function wrong(form: NoticesForm): Record<string, string> {
  const days = daysOf(form.days);
  if (days.length === 0) return { days: 'Enter at least one number of days' };
  if (days.length > 10) return { days: 'Enter at most 10 numbers' };
  return days.every((n) => Number.isInteger(n) && n >= 1 && n <= 365)
    ? {}
    : { days: 'Enter whole days, from 1 to 365 each' };
}

/** "08:00" for every hour of the day. */
export const hours = Array.from({ length: 24 }, (_, hour) => ({
  value: String(hour),
  label: `${String(hour).padStart(2, '0')}:00`,
}));

/** The time zones that the browser knows, and the one that is chosen. */
export function zones(chosen: string): string[] {
  return [...new Set(['UTC', chosen, ...Intl.supportedValuesOf('timeZone')])];
}
