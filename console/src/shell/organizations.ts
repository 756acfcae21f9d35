import { queryOptions, useQueries, useQuery } from '@tanstack/react-query';
import { answered, api, type Schema } from '../api/client';
import { branchesOf } from '../session/branches';
import { useMe } from '../session/me';
import { useScope } from '../session/scope';

export type Organization = Schema<'Organization'>;

const rights = ['claviger.organizations:read', 'claviger.organizations:manage'];

function organizationsQuery(tenant: string | undefined, branch: string | undefined, search: string, enabled: boolean) {
  return queryOptions({
    queryKey: ['organizations', 'menu', tenant ?? '', branch ?? '', search],
    staleTime: 30_000,
    enabled,
    queryFn: () =>
      answered(
        api.GET('/v1/organizations', {
          params: {
            query: {
              ...(tenant ? { tenant_id: tenant } : {}),
              ...(branch ? { organization_id: branch } : {}),
              ...(search ? { search } : {}),
              limit: 200,
            },
          },
        }),
      ),
  });
}

/**
 * A page of the tree for the scope menu and pickers: of each branch that the caller may see
 * up to 200 organizations, narrowed by a search. `more` says that there are others.
 */
export function useOrganizations(tenant: string | undefined, search: string, enabled = true) {
  const me = useMe();
  const seen = branchesOf(me, rights);
  const mayRead = seen.length > 0;
  const branches = tenant || seen.length < 2 ? [undefined] : seen.map(({ id }) => id);
  return useQueries({
    queries: branches.map((branch) => organizationsQuery(tenant, branch, search, enabled && mayRead)),
    combine: (pages) => ({
      items: pages.flatMap(({ data }) => data?.items ?? []),
      more: pages.some(({ data }) => data?.next_cursor !== undefined),
      isPending: pages.some(({ isPending }) => isPending),
    }),
  });
}

/** One organization by its ID; undefined while it is not known. */
export function useOrganization(id: string | undefined): Organization | undefined {
  const { data } = useQuery({
    queryKey: ['organizations', 'one', id],
    enabled: id !== undefined,
    staleTime: 60_000,
    placeholderData: undefined,
    queryFn: () => answered(api.GET('/v1/organizations/{id}', { params: { path: { id: id! } } })),
  });
  return id ? data : undefined;
}

/** What the scope is called: "Lisbon", or "all organizations". */
export function useScopeName(): string {
  return useScopeOrganization() ?? 'all organizations';
}

/** The name of the organization in scope; undefined without one, or while it is not known. */
export function useScopeOrganization(): string | undefined {
  const { org, branches } = useScope();
  const organization = useOrganization(org);
  return organization?.name ?? branches.find(({ id }) => id === org)?.name;
}

type InTree = Pick<Organization, 'id' | 'name' | 'parent_id'>;

/** The organizations as a flat list in tree order, each with its depth under those that are shown. */
export function inTreeOrder<O extends InTree>(list: readonly O[]): { organization: O; depth: number }[] {
  const known = new Set(list.map((o) => o.id));
  const children = new Map<string, O[]>();
  const roots: O[] = [];
  for (const o of list) {
    if (o.parent_id && known.has(o.parent_id)) children.set(o.parent_id, [...(children.get(o.parent_id) ?? []), o]);
    else roots.push(o);
  }
  const out: { organization: O; depth: number }[] = [];
  const byName = (a: O, b: O) => a.name.localeCompare(b.name);
  const walk = (o: O, depth: number) => {
    out.push({ organization: o, depth });
    for (const child of (children.get(o.id) ?? []).sort(byName)) walk(child, depth + 1);
  };
  for (const root of roots.sort(byName)) walk(root, 0);
  return out;
}
