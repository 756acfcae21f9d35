import { useQueries } from '@tanstack/react-query';
import { useMemo } from 'react';
import { $api, answered, api, type Schema } from '../../api/client';
import { problemOf } from '../../api/problem';
import { can, useMe } from '../../session/me';
import { useScope } from '../../session/scope';

export type User = Schema<'User'>;

/** What to call a user. */
export function userName(user: { display_name?: string; username: string }): string {
  return user.display_name || user.username;
}

/** The paths of organizations, by ID, as far as the caller may see them. */
export function usePaths(ids: readonly string[]): Map<string, string[]> {
  const me = useMe();
  const mayRead = can(me, 'claviger.organizations:read', 'claviger.organizations:manage');
  const unique = [...new Set(ids)];
  return useQueries({
    queries: unique.map((id) => ({
      queryKey: ['organizations', 'one', id],
      enabled: mayRead,
      staleTime: 60_000,
      queryFn: () => answered(api.GET('/v1/organizations/{id}', { params: { path: { id } } })),
    })),
    combine: (results) => new Map(results.flatMap(({ data }) => (data ? [[data.id, data.path] as const] : []))),
  });
}

/** The licences of the catalogue: what a user may be given. */
export function useLicences() {
  const { tenantQuery } = useScope();
  const { data } = $api.useQuery('get', '/v1/catalog', { params: { query: tenantQuery } });
  const licences = data?.licences;
  return useMemo(() => {
    const names = new Map((licences ?? []).map((l) => [l.key, l.name]));
    return {
      options: (licences ?? []).map((l) => ({ value: l.key, label: l.name })),
      nameOf: (key: string | undefined) => (key ? (names.get(key) ?? key) : undefined),
    };
  }, [licences]);
}

/** A credential of a user, whatever its kind. */
export interface Owned {
  id: string;
  name: string;
  kind: string;
  hint: string;
  state: string;
  last_used_at?: string;
  to: string;
}

/** A user's credentials, as far as the caller may see them; `hidden` says which are not known. */
export function useOwned(user: Pick<User, 'id' | 'tenant_id'>): { items: Owned[]; loading: boolean; hidden: string[] } {
  const me = useMe();
  const own = me.principal.id === user.id;
  const { tenantQuery } = useScope();
  const mayKeys = can(me, 'claviger.api_keys:manage') || (own && can(me, 'claviger.api_keys:generate'));
  const mayClients =
    can(me, 'claviger.client_credentials:manage') || (own && can(me, 'claviger.client_credentials:manage_own'));
  const query = { ...tenantQuery, owner_id: user.id, limit: 200 };
  const options = { retry: false, placeholderData: undefined };
  const keys = $api.useQuery('get', '/v1/api-keys', { params: { query } }, { ...options, enabled: mayKeys });
  const clients = $api.useQuery(
    'get',
    '/v1/client-credentials',
    { params: { query: { ...query, level: 'user' } } },
    { ...options, enabled: mayClients },
  );
  const hidden: string[] = [];
  if (!mayKeys) hidden.push('You may not see this person’s API keys.');
  else if (keys.error) hidden.push(problemOf(keys.error).detail);
  if (!mayClients) hidden.push('You may not see this person’s API credentials.');
  else if (clients.error) hidden.push(problemOf(clients.error).detail);
  return {
    items: [
      ...(keys.data?.items ?? []).map((k) => ({ ...k, to: `/settings/api-keys/${k.id}` })),
      ...(clients.data?.items ?? []).map((c) => ({ ...c, kind: 'client_credential', to: `/api-credentials/${c.id}` })),
    ],
    loading: (mayKeys && keys.isLoading) || (mayClients && clients.isLoading),
    hidden,
  };
}

/** Those that verify, or would if nothing stopped them. */
export function living(items: readonly Owned[]): Owned[] {
  return items.filter((c) => c.state === 'active' || c.state === 'suspended');
}
