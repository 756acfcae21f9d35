import { Link } from '@tanstack/react-router';
import { $api } from '../../api/client';
import { can, useMe } from '../../session/me';
import { useScope } from '../../session/scope';
import { Notice } from '../../state/problem_note';

/** Where account keys still work: that they shouldn't be used for anything new. */
export function LegacyBanner() {
  const me = useMe();
  const { tenant, tenantQuery } = useScope();
  const { data } = $api.useQuery(
    'get',
    '/v1/account-keys',
    { params: { query: { ...tenantQuery, state: 'living', limit: 1 } } },
    {
      enabled: can(me, 'claviger.account_keys:manage') && (!me.system || tenant !== undefined),
      retry: false,
      staleTime: 60_000,
      placeholderData: undefined,
    },
  );
  if (!data?.items.length) return null;
  return (
    <div className="above">
      <Notice>
        Account API keys are deprecated. Use a service account for anything new.{' '}
        <Link to="/service-accounts">Service accounts</Link>
      </Notice>
    </div>
  );
}
