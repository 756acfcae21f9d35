import { useMemo } from 'react';
import { $api } from '../../api/client';
import { queryClient } from '../../api/query';
import { useScope } from '../../session/scope';
import type { Permission, Role } from './grants';

const none: readonly never[] = [];

/** The permissions of a role's page, Claviger's and the vendor's, and those by their key. */
export function usePermissions() {
  const { tenantQuery } = useScope();
  const query = $api.useQuery('get', '/v1/permissions', { params: { query: { ...tenantQuery, vendor: true } } });
  const items: readonly Permission[] = query.data?.items ?? none;
  const known = useMemo(() => new Map(items.map((p) => [p.permission, p])), [items]);
  return { query, items, known };
}

/** All roles of the tenant, and those by their ID. */
export function useRoles(enabled = true) {
  const { tenantQuery } = useScope();
  const query = $api.useQuery('get', '/v1/roles', { params: { query: tenantQuery } }, { enabled });
  const items: readonly Role[] = query.data?.items ?? none;
  const byID = useMemo(() => new Map(items.map((role) => [role.id, role])), [items]);
  return { query, items, byID };
}

/** The ID of the tenant's root organization, where roles are shaped. */
export function useRootPath(): string[] | undefined {
  const { tenantQuery } = useScope();
  const { data } = $api.useQuery('get', '/v1/organizations', {
    params: { query: { ...tenantQuery, limit: 1, sort: 'created_at' } },
  });
  const first = data?.items[0]?.path[0];
  return first ? [first] : undefined;
}

/** After a change of roles, people or organizations: rights may differ everywhere. */
export function everythingChanged() {
  return queryClient.invalidateQueries();
}
