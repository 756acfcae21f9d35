import type { Schema } from '../../api/client';

export type AuditEvent = Schema<'AuditEvent'>;

/** The page of what an event is about; undefined where there is none. */
export function pageOf(event: Pick<AuditEvent, 'action' | 'target'>): string | undefined {
  const { type, id } = event.target;
  switch (type) {
    case 'credential':
      return credentialPage(event.action.split('.')[0] ?? '', id);
    case 'app':
      return `/apps/${id}`;
    case 'service_account':
      return `/service-accounts/${id}`;
    case 'user':
      return `/users/${id}`;
    case 'role':
      return `/roles/${id}`;
    case 'organization':
      return `/organizations?open=${id}`;
    case 'webhook':
      return `/settings/webhooks/${id}`;
    default:
      return undefined;
  }
}

/** The page of a credential by its kind, as actions and usage name it. */
export function credentialPage(kind: string, id: string): string | undefined {
  switch (kind) {
    case 'api_key':
    case 'user_key':
    case 'organization_key':
      return `/settings/api-keys/${id}`;
    case 'client_credential':
      return `/api-credentials/${id}`;
    case 'app':
      return `/apps/${id}`;
    case 'account_key':
      return '/service-accounts';
    default:
      return undefined;
  }
}

/** Who did it. */
export function whoOf(event: Pick<AuditEvent, 'actor'>): string {
  return event.actor.display_name || event.actor.name || event.actor.id;
}

// What an operation does to many, as the API names it.
const operations: Record<string, string> = {
  suspend: 'Suspend them',
  resume: 'Resume them',
  revoke: 'Revoke them',
  delete: 'Delete them',
  apply_policy: 'Apply the policy to them',
  import: 'Import of keys',
};

/** What it was done to: its name, or nothing where it has none. */
export function targetOf(event: Pick<AuditEvent, 'target'>): string {
  const { type, name, id } = event.target;
  if (type === 'session' || type === 'notice_digest') return '';
  if (type === 'operation' && name) return operations[name] ?? name;
  return name ?? id;
}

export interface Change {
  field: string;
  before?: string;
  after?: string;
}

/** The fields that differ, and those that only one side has, each as text. */
export function changes(before: unknown, after: unknown): Change[] {
  const old = asRecord(before);
  const now = asRecord(after);
  return [...new Set([...Object.keys(old), ...Object.keys(now)])].sort().map((name) => ({
    field: fieldName(name),
    before: name in old ? text(old[name], name) : undefined,
    after: name in now ? text(now[name], name) : undefined,
  }));
}

function asRecord(value: unknown): Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Record<string, unknown>) : {};
}

/** "expires_at" is “Expires at”. */
function fieldName(name: string): string {
  const words = name
    .replaceAll('_', ' ')
    .replace(/\bid\b/g, 'ID')
    .replace(/\bapi\b/g, 'API')
    .replace(/\bapis\b/g, 'APIs');
  return words.charAt(0).toUpperCase() + words.slice(1);
}

function text(value: unknown, name: string): string {
  if (value === null || value === undefined || value === '') return '–';
  if (typeof value === 'boolean') return value ? 'Yes' : 'No';
  if (typeof value === 'string') return name.endsWith('_at') || name.endsWith('_until') ? instant(value) : value;
  if (Array.isArray(value)) {
    if (value.length === 0) return '–';
    return value.map((item) => (typeof item === 'string' ? item : JSON.stringify(item))).join('\n');
  }
  if (typeof value === 'object') return Object.keys(value).length === 0 ? '–' : JSON.stringify(value, null, 2);
  return String(value);
}

function instant(value: string): string {
  const at = new Date(value);
  return Number.isNaN(at.getTime()) ? value : `${at.toISOString().slice(0, 19).replace('T', ' ')} UTC`;
}
