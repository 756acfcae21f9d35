import type { Schema } from '../../api/client';
import { queryClient } from '../../api/query';
import { can, type Me } from '../../session/me';

export type APICredentials = Schema<'ClientCredential'>;

/** The name of the right that opens the page. */
export const credentialsRight = 'Own API credentials';

/** Whether the person manages everybody's: then they see all, and those of the account. */
export function managesAll(me: Me): boolean {
  return can(me, 'claviger.client_credentials:manage');
}

/** Whether these are the person's own. */
export function owns(me: Me, credentials: APICredentials): boolean {
  return credentials.level === 'user' && credentials.owner.id === me.principal.id;
}

/** Why the person cannot edit or rotate these; undefined: they can (VC3). */
export function whyNotEdit(me: Me, credentials: APICredentials): string | undefined {
  if (credentials.state === 'revoked' || credentials.state === 'expired') {
    return 'They have ended, so they cannot be changed.';
  }
  if (credentials.level === 'account') {
    return managesAll(me) ? undefined : 'Only an administrator can change the account’s API credentials.';
  }
  if (owns(me, credentials) || me.system) return undefined;
  return `Only ${ownerName(credentials)} can edit or rotate these. You can suspend or delete them.`;
}

/** Whom the credentials speak for. */
export function ownerName(credentials: APICredentials): string {
  if (credentials.level === 'account') return 'The account';
  return credentials.owner.display_name || credentials.owner.name || credentials.owner.id;
}

/** Reads API credentials anew, wherever they are shown. */
export function credentialsChanged() {
  return Promise.all(
    ['/v1/client-credentials', '/v1/client-credentials/{id}'].map((path) =>
      queryClient.invalidateQueries({ queryKey: ['get', path] }),
    ),
  );
}

/** One scope as people choose it. */
export interface Scope {
  scope: string;
  label: string;
  group: string;
  /** It is chosen, and no longer offered. */
  gone?: boolean;
}

/** The scopes by their headings: those that are offered, and below those that are chosen but no longer offered. */
export function grouped(
  offered: readonly string[],
  chosen: readonly string[],
  known: ReadonlyMap<string, { label: string; group: string }>,
): { name: string; scopes: Scope[] }[] {
  const groups = new Map<string, Scope[]>();
  const add = (scope: string, group: string, gone?: boolean) =>
    groups.set(group, [...(groups.get(group) ?? []), { scope, label: known.get(scope)?.label ?? scope, group, gone }]);
  for (const scope of offered) add(scope, known.get(scope)?.group ?? 'Other');
  for (const scope of chosen) if (!offered.includes(scope)) add(scope, 'No longer offered', true);
  return [...groups].map(([name, scopes]) => ({ name, scopes }));
}
