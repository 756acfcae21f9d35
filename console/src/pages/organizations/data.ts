import { useQuery } from '@tanstack/react-query';
import { useMemo, useState } from 'react';
import { answered, api } from '../../api/client';
import { useScope } from '../../session/scope';
import type { Organization } from '../../shell/organizations';
import { treeOf } from './tree';

const pageSize = 200;

/** The whole tree at and below the scope, read page by page; `read` tells how far it is. */
export function useTree() {
  const { query, tenant, org } = useScope();
  const [read, setRead] = useState<{ count: number; total: number }>();
  const result = useQuery({
    queryKey: ['organizations', 'tree', tenant ?? '', org ?? ''],
    staleTime: 30_000,
    queryFn: async ({ signal }) => {
      const all: Organization[] = [];
      let cursor: string | undefined;
      do {
        const page = await answered(
          api.GET('/v1/organizations', {
            params: { query: { ...query, limit: pageSize, sort: 'name', ...(cursor ? { cursor } : {}) } },
            signal,
          }),
        );
        all.push(...page.items);
        cursor = page.next_cursor;
        if (cursor) setRead({ count: all.length, total: page.total });
      } while (cursor);
      setRead(undefined);
      return all;
    },
  });
  const tree = useMemo(() => treeOf(result.data ?? []), [result.data]);
  return { ...result, tree, read };
}
