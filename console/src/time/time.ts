const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
export const DAY = 24 * HOUR;

const dayFormat = new Intl.DateTimeFormat('en-GB', { day: 'numeric', month: 'short', year: 'numeric' });
const clockFormat = new Intl.DateTimeFormat('en-GB', { hour: '2-digit', minute: '2-digit', hour12: false });
const exactFormat = new Intl.DateTimeFormat('en-GB', {
  day: 'numeric',
  month: 'short',
  year: 'numeric',
  hour: '2-digit',
  minute: '2-digit',
  second: '2-digit',
  timeZoneName: 'short',
  hour12: false,
});

/** "14 Sep 2027", in the viewer's zone. */
export function day(at: Date): string {
  // Some browsers have four letters for this one month.
  return dayFormat.format(at).replace('Sept', 'Sep');
}

/** "14:02", in the viewer's zone. */
export function clock(at: Date): string {
  return clockFormat.format(at);
}

/** "14 Sep 2027, 09:14", in the viewer's zone. */
export function dayAndClock(at: Date): string {
  return `${day(at)}, ${clock(at)}`;
}

/** The local time to the second, and exact UTC: for hovering. */
export function exact(at: Date): string {
  return `${exactFormat.format(at)} · ${at
    .toISOString()
    .replace('T', ' ')
    .replace(/\.\d+Z$/, '')} UTC`;
}

/** "just now", "14 min ago", "yesterday", "12 days ago", or a date when it is more than 30 days ago. */
export function past(at: Date, now: Date): string {
  const ago = now.getTime() - at.getTime();
  if (ago < MINUTE) return 'just now';
  if (ago < HOUR) return `${Math.floor(ago / MINUTE)} min ago`;
  if (ago < DAY) return `${Math.floor(ago / HOUR)} h ago`;
  const days = daysBetween(at, now);
  if (days <= 1) return 'yesterday';
  return days <= 30 ? `${days} days ago` : day(at);
}

/** "in 20 min", "in 5 h", "tomorrow", "in 11 days", or nothing when it is more than 30 days away or past. */
export function ahead(at: Date, now: Date): string | undefined {
  const left = at.getTime() - now.getTime();
  if (left <= 0) return undefined;
  if (left < HOUR) return `in ${Math.max(1, Math.floor(left / MINUTE))} min`;
  if (left < DAY) return `in ${Math.floor(left / HOUR)} h`;
  const days = daysBetween(now, at);
  if (days === 1) return 'tomorrow';
  return left <= 30 * DAY ? `in ${days} days` : undefined;
}

/** How many midnights of the viewer's zone lie between. */
function daysBetween(from: Date, to: Date): number {
  const midnight = (d: Date) => Date.UTC(d.getFullYear(), d.getMonth(), d.getDate());
  return Math.round((midnight(to) - midnight(from)) / DAY);
}
