import { $api } from '../../api/client';
import type { Me } from '../../session/me';
import { scopeOf } from '../../session/scope';
import { type ListState, readList } from '../../table/list_state';
import { filterFor, type KeyFilter } from './keys';

/** The order of keys, and of those that are searched for: to sort much of a million keys takes time. */
export const keyOrder = { all: 'name', searched: '-created_at' };

/** One page of keys. */
export function keysQuery(filter: KeyFilter, { sort, order, limit, cursor }: ListState['query']) {
  return $api.queryOptions('get', '/v1/api-keys', { params: { query: { ...filter, sort, order, limit, cursor } } });
}

/** The keys that a page with this address will ask for; undefined where that depends on when it is opened. */
export function keysAt(me: Me, page: string, search: Record<string, string | undefined>) {
  if (search.expiring) return undefined;
  const { tenant, org } = scopeOf(me, page, search);
  const list = readList(search, keyOrder.all, keyOrder.searched);
  const scope = { tenant_id: tenant, organization_id: org };
  return keysQuery(filterFor(scope, list.search, search.kind, search.state, undefined), list.query);
}
