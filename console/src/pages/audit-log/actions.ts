// What is done, to what: "api_key.revoke" is “Revoked a user’s API key”.
const things: Record<string, { group: string; one: string }> = {
  api_key: { group: 'API keys', one: 'a user’s API key' },
  organization_key: { group: 'API keys', one: 'an organization’s API key' },
  app: { group: 'Apps', one: 'an app' },
  service_account: { group: 'Service accounts', one: 'a service account' },
  service_account_key: { group: 'Service accounts', one: 'a service account’s key' },
  account_key: { group: 'Service accounts', one: 'an account API key' },
  client_credential: { group: 'API credentials', one: 'API credentials' },
  token: { group: 'API credentials', one: 'a token' },
  verifier_key: { group: 'Verifier keys', one: 'a verifier key' },
  operation: { group: 'Changes of many at once', one: 'a change of many credentials' },
  import: { group: 'Imports', one: 'an import of keys' },
  user: { group: 'Users', one: 'a user' },
  role: { group: 'Roles', one: 'a role' },
  assignment: { group: 'Roles', one: 'a role’s assignment' },
  organization: { group: 'Organizations', one: 'an organization' },
  session: { group: 'Sign-in', one: 'a session' },
  first_admin: { group: 'Sign-in', one: 'the first administrator' },
  webhook: { group: 'Webhooks and mail', one: 'a webhook' },
  delivery: { group: 'Webhooks and mail', one: 'a message' },
  notice: { group: 'Webhooks and mail', one: 'a notice' },
  audit_event: { group: 'Audit log', one: 'the audit log' },
  tenant: { group: 'Tenants', one: 'a tenant' },
  api_access: { group: 'Tenants', one: 'API access' },
  plan: { group: 'Plans', one: 'a plan' },
  catalog: { group: 'API catalogue', one: 'the API catalogue' },
  signing_key: { group: 'Installation', one: 'a signing key' },
  installation: { group: 'Installation', one: 'the installation' },
};

const verbs: Record<string, string> = {
  issue: 'Created',
  create: 'Created',
  import: 'Imported',
  change: 'Changed',
  rename: 'Renamed',
  rotate: 'Rotated',
  finish_rotation: 'Ended the old secret of',
  roll_back: 'Rolled back the rotation of',
  end_secret: 'Ended the old secret, after a restore, of',
  rotate_secret: 'Rotated the secret of',
  forget_secret: 'Destroyed the old secret of',
  forget_secrets: 'Destroyed the secret of',
  reveal: 'Showed the secret of',
  suspend: 'Suspended',
  resume: 'Resumed',
  revoke: 'Revoked',
  hand_over: 'Handed over',
  expiring: 'Announced the end of',
  expire: 'Ended by its date:',
  end: 'Ended by its date:',
  delete: 'Deleted',
  remove: 'Removed',
  export: 'Downloaded',
  invite: 'Invited',
  request: 'Asked for',
  test: 'Tested',
  withdraw: 'Withdrew',
  restore: 'Restored',
  begin: 'Began',
  finish: 'Finished',
  stop: 'Stopped',
};

const whole: Record<string, string> = {
  'api_key.export': 'Downloaded API keys',
  'service_account_key.finish_rotation': 'Ended a service account’s replaced key',
  'operation.create': 'Began a change of many credentials',
  'user.accept_invitation': 'Accepted an invitation',
  'user.change_password': 'Changed a password',
  'user.invite': 'Made an invitation link',
  'assignment.create': 'Gave a role',
  'assignment.delete': 'Took a role away',
  'session.begin': 'Signed in',
  'session.begin_automatic': 'Signed in by an organization’s key',
  'session.end': 'Signed out, or ended a session',
  'session.reauthenticate': 'Gave the password again',
  'first_admin.issue_link': 'Made the link for the first administrator',
  'first_admin.accept': 'Made the first administrator',
  'webhook.replay': 'Sent a webhook what happened, once more',
  'webhook.replay_delivery': 'Sent a webhook one message once more',
  'delivery.retry': 'Tried once more to deliver a message',
  'notice.send': 'Told people of credentials that expire',
  'tenant.open_import': 'Let a tenant import keys',
  'tenant.close_import': 'No longer let a tenant import keys',
  'installation.restore': 'Restored a backup',
  'installation.apply_journal': 'Applied the revocation journal after a restore',
  'installation.accept_risk': 'Accepted the risk of a restore without a journal',
};

const states = ['suspend', 'resume'];
const rotation = ['rotate', 'finish_rotation', 'roll_back', 'end_secret'];
const ends = ['revoke', 'expiring', 'expire', 'delete', 'forget_secrets'];
const life = [...rotation, ...states, ...ends];

const known: Record<string, string[]> = {
  api_key: ['issue', 'import', 'rename', 'change', 'hand_over', 'export', ...life],
  organization_key: ['issue', 'rename', 'change', 'reveal', ...life],
  app: ['create', 'change', 'reveal', ...life],
  service_account: ['create', 'change', ...states, 'delete'],
  service_account_key: ['issue', 'change', ...life],
  account_key: ['issue', 'change', ...life],
  client_credential: ['issue', 'change', 'hand_over', ...life],
  token: ['revoke'],
  verifier_key: ['issue', 'rename', 'change', ...life],
  operation: ['create', 'stop'],
  import: ['begin', 'finish', 'stop'],
  user: ['create', 'invite', 'accept_invitation', 'change', 'change_password', ...states, 'delete'],
  role: ['create', 'change', 'delete'],
  assignment: ['create', 'delete'],
  organization: ['create', 'change', ...states, 'remove'],
  session: ['begin', 'begin_automatic', 'reauthenticate', 'end'],
  webhook: [
    'create',
    'change',
    'rotate_secret',
    'forget_secret',
    'test',
    'replay',
    'replay_delivery',
    ...states,
    'delete',
  ],
  delivery: ['retry'],
  notice: ['send'],
  audit_event: ['export'],
  tenant: ['create', 'change', 'open_import', 'close_import', ...states, 'delete'],
  api_access: ['request'],
};
const knownSystem: Record<string, string[]> = {
  plan: ['create', 'change', 'delete'],
  catalog: ['change'],
  first_admin: ['issue_link', 'accept'],
  signing_key: ['rotate', 'end', 'withdraw'],
  installation: ['restore', 'apply_journal', 'accept_risk'],
};

/** An action in plain words; one that is not known reads as the API names it. */
export function inWords(action: string): string {
  if (whole[action]) return whole[action];
  const [thing = '', verb = ''] = action.split('.');
  const what = things[thing];
  const did = verbs[verb];
  return what && did ? `${did} ${what.one}` : action;
}

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
