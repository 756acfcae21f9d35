import type { Problem } from '../../api/problem';

/** Saves the events that the filter finds as a CSV file; throws the problem when it is refused. */
export async function downloadEvents(query: Record<string, string>) {
  const parameters = new URLSearchParams({ ...query, sort: 'sequence', order: 'desc' });
  const response = await fetch(`/v1/audit-events/export?${parameters}`, { credentials: 'same-origin' });
  if (!response.ok) throw (await response.json()) as Problem;
  const name = /filename="([^"]+)"/.exec(response.headers.get('Content-Disposition') ?? '')?.[1] ?? 'audit-log.csv';
  const address = URL.createObjectURL(await response.blob());
  const link = document.createElement('a');
  link.href = address;
  link.download = name;
  link.click();
  URL.revokeObjectURL(address);
}
