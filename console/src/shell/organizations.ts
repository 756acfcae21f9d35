import { queryOptions, useQuery } from '@tanstack/react-query';
import { answered, api, type Schema } from '../api/client';
import { useScope } from '../session/scope';

export type Organization = Schema<'Organization'>;

/** A page of the tree for the scope menu and pickers: all below the caller, up to 200, narrowed by a search. */
export function organizationsQuery(tenant: string | undefined, search: string) {
  return queryOptions({
    queryKey: ['organizations', 'menu', tenant ?? '', search],
    staleTime: 30_000,
    queryFn: () =>
      answered(
        api.GET('/v1/organizations', {
          params: { query: { ...(tenant ? { tenant_id: tenant } : {}), ...(search ? { search } : {}), limit: 200 } },
        }),
      ),
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
  const { org } = useScope();
  return useOrganization(org)?.name ?? 'all organizations';
}

/** The organizations as a flat list in tree order, each with its depth under those that are shown. */
export function inTreeOrder(list: readonly Organization[]): { organization: Organization; depth: number }[] {
  const known = new Set(list.map((o) => o.id));
  const children = new Map<string, Organization[]>();
  const roots: Organization[] = [];
  for (const o of list) {
    if (o.parent_id && known.has(o.parent_id)) children.set(o.parent_id, [...(children.get(o.parent_id) ?? []), o]);
    else roots.push(o);
  }
  const out: { organization: Organization; depth: number }[] = [];
  const byName = (a: Organization, b: Organization) => a.name.localeCompare(b.name);
  const walk = (o: Organization, depth: number) => {
    out.push({ organization: o, depth });
    for (const child of (children.get(o.id) ?? []).sort(byName)) walk(child, depth + 1);
  };
  for (const root of roots.sort(byName)) walk(root, 0);
  return out;
}
