import { useQuery, useQueryClient } from '@tanstack/react-query';
import { useEffect, useState } from 'react';
import { problemOf } from '../api/problem';
import { clock } from '../time/time';

/** Says that the server cannot be reached, and since when what is shown is old. */
export function AwayBanner() {
  const client = useQueryClient();
  const [away, setAway] = useState<{ since: Date }>();
  useEffect(
    () =>
      client.getQueryCache().subscribe((event) => {
        if (event.type !== 'updated') return;
        if (event.action.type === 'success') setAway(undefined);
        if (
          (event.action.type === 'error' || event.action.type === 'failed') &&
          problemOf(event.action.error).status === 0
        ) {
          const seen = event.query.state.dataUpdatedAt;
          setAway((old) => old ?? { since: new Date(seen || Date.now()) });
        }
      }),
    [client],
  );
  // While it is away, someone must ask whether it is back.
  useQuery({
    queryKey: ['health'],
    enabled: away !== undefined,
    refetchInterval: 3000,
    retry: false,
    queryFn: async () => {
      const response = await fetch('/healthz');
      if (!response.ok) throw new Error('not ready');
      await client.invalidateQueries({ predicate: (query) => query.queryKey[0] !== 'health' });
      return true;
    },
  });
  if (!away) return null;
  return (
    <div className="banner" role="status">
      Claviger cannot be reached. You see the state of {clock(away.since)}. Trying again.
    </div>
  );
}
