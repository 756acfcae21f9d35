import { useNavigate, useSearch } from '@tanstack/react-router';
import { useCallback, useMemo } from 'react';
import { cutKey } from './cut_key';

/** How many rows a page has. */
export const pageSizes = [50, 100, 200] as const;

export interface ListState {
  /** What is searched for. */
  search: string;
  /** The API's name of the order, and its direction. */
  sort: string;
  descending: boolean;
  cursor?: string;
  /** The number of the page's first row, from 0. */
  offset: number;
  limit: number;
  /** Any other search parameter of the page: a filter. */
  filter: (name: string) => string | undefined;
  /** Whether anything narrows the list. */
  narrowed: boolean;

  setSearch: (text: string) => void;
  setSort: (sort: string) => void;
  /** Sets filters; another list begins at its first page. */
  setFilter: (filters: Record<string, string | undefined>) => void;
  setLimit: (limit: number) => void;
  goTo: (cursor: string | undefined, offset: number) => void;
  /** Removes the search and the named filters. */
  clear: () => void;
  /** Of the list without its page: another key is another list. */
  key: string;
  /** The API's parameters that say the same. */
  query: { search?: string; sort?: string; order?: 'asc' | 'desc'; cursor?: string; limit: number };
}

/** What a page's search parameters say of its list; `searchedSort` is the order of what is searched for. */
export function readList(raw: Record<string, string | undefined>, defaultSort: string, searchedSort = defaultSort) {
  const search = raw.q ?? '';
  const order = raw.sort || (search ? searchedSort : defaultSort);
  const descending = order.startsWith('-');
  const sort = descending ? order.slice(1) : order;
  const limit = pageSizes.find((size) => String(size) === raw.rows) ?? pageSizes[0];
  const query: ListState['query'] = {
    ...(search ? { search } : {}),
    sort,
    order: descending ? 'desc' : 'asc',
    ...(raw.cursor ? { cursor: raw.cursor } : {}),
    limit,
  };
  return { search, order, sort, descending, cursor: raw.cursor, offset: Number(raw.at) || 0, limit, query };
}

/**
 * The state of a list, kept in the URL. `filters` names the parameters that narrow it; `searchedSort` is the order
 * of what is searched for, when none was chosen.
 */
export function useListState(
  defaultSort: string,
  filters: readonly string[] = [],
  searchedSort = defaultSort,
): ListState {
  const raw = useSearch({ strict: false }) as Record<string, string | undefined>;
  const navigate = useNavigate();
  const change = useCallback(
    (patch: Record<string, string | undefined>, replace = false) =>
      void navigate({
        to: '.',
        search: ((old: object) => ({ ...old, cursor: undefined, at: undefined, ...patch })) as never,
        replace,
      }),
    [navigate],
  );
  const names = filters.join();
  return useMemo(() => {
    const { order, ...list } = readList(raw, defaultSort, searchedSort);
    const { search, sort, descending, limit } = list;
    const active = names === '' ? [] : names.split(',').filter((name) => raw[name]);
    return {
      ...list,
      filter: (name: string) => raw[name] || undefined,
      narrowed: search !== '' || active.length > 0,
      // Typing replaces the entry in the history, a click pushes one.
      setSearch: (text: string) => change({ q: cutKey(text) || undefined }, true),
      setSort: (by: string) => change({ sort: by === sort && !descending ? `-${by}` : by }),
      setFilter: (patch: Record<string, string | undefined>) => change(patch),
      setLimit: (size: number) => change({ rows: size === pageSizes[0] ? undefined : String(size) }),
      goTo: (cursor: string | undefined, at: number) => change({ cursor, at: at > 0 ? String(at) : undefined }),
      clear: () => change(Object.fromEntries(['q', ...names.split(',')].map((name) => [name, undefined]))),
      key: JSON.stringify([search, order, limit, raw.org, raw.tenant, ...active.map((name) => [name, raw[name]])]),
    };
  }, [raw, names, defaultSort, searchedSort, change]);
}
