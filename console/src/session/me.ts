import { queryOptions, useSuspenseQuery } from '@tanstack/react-query';
import { api, type Schema } from '../api/client';
import { allows } from './can';

export type Me = Schema<'Me'>;

let asked = false;

/**
 * The server says in the page whether the browser sent a session with it. Without one the
 * first question would only be refused, and the browser would report that as an error.
 */
function cameWithout(): boolean {
  if (asked) return false;
  asked = true;
  return document.querySelector<HTMLMetaElement>('meta[name="session"]')?.content === 'none';
}

/** Who is signed in; null when nobody is. */
export const meQuery = queryOptions({
  queryKey: ['me'],
  staleTime: 30_000,
  queryFn: async (): Promise<Me | null> => {
    if (cameWithout()) return null;
    const { data, error, response } = await api.GET('/v1/me');
    if (data) return data;
    if (response.status === 401) return null;
    throw error;
  },
});

/** Who is signed in. Only for pages behind the sign-in. */
export function useMe(): Me {
  const { data } = useSuspenseQuery(meQuery);
  if (!data) throw new Error('nobody is signed in');
  return data;
}

/**
 * What the caller may do anywhere: a right at one organization is enough to show a page,
 * the server decides on each object.
 */
export function can(me: Me, ...permissions: string[]): boolean {
  return permissions.some(
    (p) => allows(me.permissions, p) || me.holdings.some((holding) => allows(holding.permissions, p)),
  );
}

/** Whether the caller holds any of the permissions, as a hook. */
export function useCan(...permissions: string[]): boolean {
  return can(useMe(), ...permissions);
}

/** What to call the person. */
export function nameOf(me: Me): string {
  return me.display_name || me.username || me.principal.name || me.principal.id;
}

/** Whether the caller holds any of the permissions at the top of their tenant, and so everywhere in it. */
export function canAtRoot(me: Me, ...permissions: string[]): boolean {
  const top = me.holdings.filter((holding) => holding.organization_id === me.tenant.root_organization_id);
  return permissions.some((p) => top.some((holding) => allows(holding.permissions, p)));
}
