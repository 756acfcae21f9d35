const kinds: Record<string, [one: string, many: string]> = {
  user_key: ['user key', 'user keys'],
  organization_key: ['organization key', 'organization keys'],
  app: ['app', 'apps'],
  service_account_key: ['service account key', 'service account keys'],
  client_credential: ['set of API credentials', 'sets of API credentials'],
  account_key: ['account API key', 'account API keys'],
  verifier_key: ['verifier key', 'verifier keys'],
};

/** What one and many of a kind of credentials are called within a sentence. */
export function plural(kind: string): [one: string, many: string] {
  return kinds[kind] ?? [kind, kind];
}

/** "User keys": many of a kind, as a heading. */
export function title(kind: string): string {
  if (kind === 'client_credential') return 'API credentials';
  const [, many] = plural(kind);
  return many.charAt(0).toUpperCase() + many.slice(1);
}
