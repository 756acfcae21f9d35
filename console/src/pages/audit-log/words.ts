import type { Schema } from '../../api/client';

export type AuditEvent = Schema<'AuditEvent'>;

// What is done, to what: "api_key.revoke" is “Revoked an API key”.
const things: Record<string, { group: string; one: string }> = {
  api_key: { group: 'API keys', one: 'a user’s API key' },
  organization_key: { group: 'API keys', one: 'an organization’s API key' },
  app: { group: 'Apps', one: 'an app' },
  service_account: { group: 'Service accounts', one: 'a service account' },
  service_account_key: { group: 'Service accounts', one: 'a service account’s key' },
  account_key: { group: 'Service accounts', one: 'an account API key' },
  client_credential: { group: 'API credentials', one: 'API credentials' },
  verifier_key: { group: 'Verifier keys', one: 'a verifier key' },
  user: { group: 'Users', one: 'a user' },
  role: { group: 'Roles', one: 'a role' },
  assignment: { group: 'Roles', one: 'a role’s assignment' },
  organization: { group: 'Organizations', one: 'an organization' },
  session: { group: 'Sign-in', one: 'a session' },
  first_admin: { group: 'Sign-in', one: 'the first administrator' },
  operation: { group: 'Bulk deletion', one: 'a bulk deletion' },
  audit_event: { group: 'Audit log', one: 'the audit log' },
  tenant: { group: 'Tenants', one: 'a tenant' },
  api_access: { group: 'Tenants', one: 'API access' },
  plan: { group: 'Plans', one: 'a plan' },
  catalog: { group: 'API catalogue', one: 'the API catalogue' },
};

const verbs: Record<string, string> = {
  issue: 'Created',
  create: 'Created',
  change: 'Changed',
  rename: 'Renamed',
  rotate: 'Rotated',
  finish_rotation: 'Ended the old secret of',
  roll_back: 'Rolled back the rotation of',
  suspend: 'Suspended',
  resume: 'Resumed',
  revoke: 'Revoked',
  hand_over: 'Handed over',
  expire: 'Ended by its date:',
  expiring: 'Announced the end of',
  delete: 'Deleted',
  remove: 'Removed',
  reveal: 'Showed the secret of',
  export: 'Downloaded',
  forget_secrets: 'Destroyed the secret of',
  stop: 'Stopped',
  invite: 'Invited',
  request: 'Asked for',
};

const whole: Record<string, string> = {
  'session.begin': 'Signed in',
  'notice.send': 'Told people of credentials that expire',
  'session.end': 'Signed out, or ended a session',
  'session.reauthenticate': 'Gave the password again',
  'user.accept_invitation': 'Accepted an invitation',
  'user.change_password': 'Changed a password',
  'user.invite': 'Made an invitation link',
  'assignment.create': 'Gave a role',
  'assignment.delete': 'Took a role away',
  'api_key.export': 'Downloaded API keys',
  'operation.create': 'Began to delete many keys',
  'operation.stop': 'Stopped deleting many keys',
  'first_admin.issue_link': 'Made the link for the first administrator',
  'first_admin.accept': 'Made the first administrator',
};

/** An action in plain words; one that is not known reads as the API names it. */
export function inWords(action: string): string {
  if (whole[action]) return whole[action];
  const [thing = '', verb = ''] = action.split('.');
  const what = things[thing];
  const did = verbs[verb];
  return what && did ? `${did} ${what.one}` : action;
}

const known: Record<string, string[]> = {
  api_key: [
    'issue',
    'rename',
    'rotate',
    'finish_rotation',
    'roll_back',
    'hand_over',
    'suspend',
    'resume',
    'revoke',
    'expire',
    'delete',
    'export',
    'forget_secrets',
  ],
  organization_key: [
    'issue',
    'change',
    'reveal',
    'rotate',
    'finish_rotation',
    'roll_back',
    'suspend',
    'resume',
    'revoke',
    'expire',
    'delete',
    'forget_secrets',
  ],
  operation: ['create', 'stop'],
  app: [
    'create',
    'change',
    'reveal',
    'rotate',
    'finish_rotation',
    'roll_back',
    'suspend',
    'resume',
    'expire',
    'delete',
  ],
  service_account: ['create', 'change', 'suspend', 'resume', 'delete'],
  service_account_key: ['issue', 'change', 'suspend', 'resume', 'revoke', 'expire', 'delete'],
  account_key: [
    'issue',
    'change',
    'rotate',
    'finish_rotation',
    'roll_back',
    'suspend',
    'resume',
    'revoke',
    'expire',
    'delete',
  ],
  client_credential: [
    'issue',
    'change',
    'rotate',
    'finish_rotation',
    'roll_back',
    'hand_over',
    'suspend',
    'resume',
    'revoke',
    'expire',
    'delete',
  ],
  verifier_key: ['issue', 'rename', 'rotate', 'finish_rotation', 'roll_back', 'suspend', 'resume', 'revoke', 'delete'],
  user: ['create', 'invite', 'accept_invitation', 'change', 'change_password', 'suspend', 'resume', 'delete'],
  role: ['create', 'change', 'delete'],
  assignment: ['create', 'delete'],
  organization: ['create', 'change', 'suspend', 'resume', 'remove'],
  session: ['begin', 'reauthenticate', 'end'],
  audit_event: ['export'],
  tenant: ['create', 'change', 'suspend', 'resume', 'delete'],
  api_access: ['request'],
};
const knownSystem: Record<string, string[]> = {
  plan: ['create', 'change', 'delete'],
  catalog: ['change'],
  first_admin: ['issue_link', 'accept'],
};

/** The actions to choose from, by what they are done to. */
export function choices(system: boolean) {
  const groups = new Map<string, { value: string; label: string }[]>();
  for (const [thing, list] of Object.entries({ ...known, ...(system ? knownSystem : {}) })) {
    const group = things[thing]!.group;
    const items = list.map((verb) => ({ value: `${thing}.${verb}`, label: inWords(`${thing}.${verb}`) }));
    groups.set(group, [...(groups.get(group) ?? []), ...items]);
  }
  return [...groups].map(([group, items]) => ({ group, items }));
}

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

/** What it was done to: its name, or nothing where it has none. */
export function targetOf(event: Pick<AuditEvent, 'target'>): string {
  const { type, name } = event.target;
  if (type === 'session') return '';
  return name ?? event.target.id;
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
