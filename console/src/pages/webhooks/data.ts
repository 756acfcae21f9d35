import { answered, api, type Schema } from '../../api/client';
import { queryClient } from '../../api/query';

export type Webhook = Schema<'Webhook'>;
export type IssuedWebhook = Schema<'IssuedWebhook'>;
export type Delivery = Schema<'WebhookDelivery'>;
export type EventType = NonNullable<Schema<'CreateWebhookRequest'>['events']>[number];

/** The types of events in people's words, in the order of a credential's life. */
export const events: { type: EventType; label: string }[] = [
  { type: 'credential.issued', label: 'Created' },
  { type: 'credential.renamed', label: 'Renamed' },
  { type: 'credential.changed', label: 'Changed' },
  { type: 'credential.suspended', label: 'Suspended' },
  { type: 'credential.resumed', label: 'Resumed' },
  { type: 'credential.rotated', label: 'New secret' },
  { type: 'credential.rotation_finished', label: 'Old secret ended early' },
  { type: 'credential.rotation_rolled_back', label: 'Old secret back' },
  { type: 'credential.expiring', label: 'About to expire' },
  { type: 'credential.expired', label: 'Expired' },
  { type: 'credential.revoked', label: 'Revoked' },
  { type: 'credential.deleted', label: 'Deleted' },
  { type: 'credential.revealed', label: 'Secret shown again' },
];

const words = new Map<string, string>([...events.map((e) => [e.type, e.label] as const), ['webhook.test', 'Test']]);

export function eventWords(type: string): string {
  return words.get(type) ?? type;
}

/** "All events", "Revoked", "Revoked, Expired", "4 kinds of events". */
export function chosen(types: readonly string[]): string {
  if (types.length === 0 || types.length === events.length) return 'All events';
  if (types.length <= 2) return types.map(eventWords).join(', ');
  return `${types.length} kinds of events`;
}

/** Whether something comes of it soon: its attempt is under way, or a try is due within seconds. */
export function comesSoon(delivery: Delivery, now: Date): boolean {
  if (delivery.state !== 'pending') return false;
  const due = delivery.next_attempt_at; // stays as it was while an attempt is under way
  return delivery.attempts === 0 || !due || new Date(due).getTime() < now.getTime() + 10_000;
}

/** What became of a delivery, in a word or two. */
export function outcome(delivery: Delivery): string {
  switch (delivery.state) {
    case 'delivered':
      return 'Delivered';
    case 'dead':
      return 'Given up';
    default:
      return delivery.error || delivery.status ? 'Will be tried again' : 'On its way';
  }
}

/** What the endpoint said to the last attempt that failed. */
export function reason(delivery: Delivery): string {
  if (delivery.state === 'delivered') return '';
  if (!delivery.error) return delivery.status ? `It answered ${delivery.status}` : '';
  const error = delivery.error.charAt(0).toUpperCase() + delivery.error.slice(1);
  return delivery.status ? `${error} (${delivery.status})` : error;
}

export async function webhooksChanged() {
  await Promise.all([
    queryClient.invalidateQueries({ queryKey: ['get', '/v1/webhooks'] }),
    queryClient.invalidateQueries({ queryKey: ['get', '/v1/webhooks/{id}'] }),
    queryClient.invalidateQueries({ queryKey: ['get', '/v1/webhooks/{id}/deliveries'] }),
  ]);
}

export async function resumeWebhook(id: string) {
  const header = { 'Idempotency-Key': crypto.randomUUID() };
  await answered(api.POST('/v1/webhooks/{id}/resume', { params: { path: { id }, header } }));
  await webhooksChanged();
}
