const numbers = new Intl.NumberFormat('en-GB');

/** "1,284" */
export function number(n: number): string {
  return numbers.format(n);
}

/** "1 key", "1,284 keys" */
export function counted(n: number, one: string, many: string): string {
  return `${number(n)} ${n === 1 ? one : many}`;
}

/** What a plan's permissions are, for people: "Everything" where there are but stars. Undefined: as they are. */
export function everything(permissions: readonly string[]): string | undefined {
  const rest = permissions.filter((p) => !/^[*.]+:\*$/.test(p));
  if (!permissions.includes('*:*') || rest.some((p) => !p.startsWith('claviger.'))) return undefined;
  return rest.length === 0 ? 'Everything' : 'Everything, and the system itself';
}

/** What the kinds of credentials are called. */
export const kinds: Record<string, string> = {
  user_key: 'User key',
  organization_key: 'Organization key',
  account_key: 'Account API key',
  app: 'App',
  client_credential: 'API credentials',
  service_account_key: 'Service account key',
  verifier_key: 'Verifier key',
};

/** The initials of a name: "Ines Duarte" is ID. */
export function initials(name: string): string {
  const words = name.split(/[\s._-]+/).filter(Boolean);
  return ((words[0]?.[0] ?? '?') + (words.length > 1 ? (words.at(-1)?.[0] ?? '') : '')).toUpperCase();
}
