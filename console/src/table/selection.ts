import { useCallback, useMemo, useRef, useState } from 'react';

/**
 * Which rows are selected: single ones, kept while one goes from page to page, or all that
 * the filter shows, on all pages.
 */
export interface Selection {
  all: boolean;
  ids: ReadonlySet<string>;
  /** How many: of all, what the list counts. */
  count: number;
  has: (id: string) => boolean;
  /** Selects or unselects; with `range` everything between the last one and this. */
  toggle: (id: string, range?: boolean) => void;
  selectAll: () => void;
  clear: () => void;
}

interface Held {
  key: string;
  all: boolean;
  ids: ReadonlySet<string>;
}

const none: ReadonlySet<string> = new Set();

/** `key` names the list: a changed filter clears the selection. `order` is the page's IDs. */
export function useSelection(key: string, order: readonly string[], total: number): Selection {
  const [held, setHeld] = useState<Held>({ key, all: false, ids: none });
  const last = useRef<string | undefined>(undefined);
  const now = held.key === key ? held : { key, all: false, ids: none };

  const toggle = useCallback(
    (id: string, range?: boolean) => {
      const from = range && last.current !== undefined ? order.indexOf(last.current) : -1;
      const to = order.indexOf(id);
      last.current = id;
      setHeld((old) => {
        // Out of all, one less is a selection of the others on this page: nobody can see the rest.
        const base = old.key === key ? (old.all ? new Set(order) : old.ids) : none;
        const ids = new Set(base);
        if (from >= 0 && to >= 0) {
          for (const between of order.slice(Math.min(from, to), Math.max(from, to) + 1)) ids.add(between);
        } else if (!ids.delete(id)) ids.add(id);
        return { key, all: false, ids };
      });
    },
    [key, order],
  );
  const selectAll = useCallback(() => setHeld({ key, all: true, ids: none }), [key]);
  const clear = useCallback(() => {
    last.current = undefined;
    setHeld({ key, all: false, ids: none });
  }, [key]);

  return useMemo(
    () => ({
      all: now.all,
      ids: now.ids,
      count: now.all ? total : now.ids.size,
      has: (id: string) => now.all || now.ids.has(id),
      toggle,
      selectAll,
      clear,
    }),
    [now.all, now.ids, total, toggle, selectAll, clear],
  );
}
