import { Link } from '@tanstack/react-router';
import { useState } from 'react';
import { $api } from '../../api/client';
import { useScope } from '../../session/scope';
import { Notice } from '../../state/problem_note';
import { DAY } from '../../time/time';
import { Ahead } from '../../time/when';
import { countedTo } from './keys';

const WEEK = 7;

/** That keys expire within a week, the first of them by name. */
export function ExpiryBanner() {
  const scope = useScope();
  const [week] = useState(() => new Date(Date.now() + WEEK * DAY).toISOString());
  const { data } = $api.useQuery(
    'get',
    '/v1/api-keys',
    {
      params: {
        query: {
          tenant_id: scope.tenant,
          organization_id: scope.org,
          state: 'living',
          expiring_before: week,
          sort: 'expires_at',
          limit: 1,
        },
      },
    },
    { retry: false, staleTime: 60_000, placeholderData: undefined },
  );
  const first = data?.items[0];
  if (!first?.expires_at) return null;
  const total = data?.total ?? 1;
  return (
    <div className="above">
      <Notice>
        {total === 1
          ? `“${first.name}” expires `
          : `${countedTo(total)} keys expire within ${WEEK} days, the first, “${first.name}”, `}
        <Ahead at={first.expires_at} />.{' '}
        <Link to="." search={((old: object) => ({ ...old, expiring: String(WEEK), state: undefined })) as never}>
          {total === 1 ? 'Show it' : 'Show them'}
        </Link>
      </Notice>
    </div>
  );
}
