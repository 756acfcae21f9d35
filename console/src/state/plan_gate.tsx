import { Button } from '@mantine/core';
import { IconKeyOff } from '@tabler/icons-react';
import { Link } from '@tanstack/react-router';
import { useState } from 'react';
import { $api, answered, api } from '../api/client';
import { hasCode, problemOf } from '../api/problem';
import { queryClient } from '../api/query';
import { useScope } from '../session/scope';
import { Past } from '../time/when';
import { counted } from '../words';
import { Blank, LoadFailed, NoPermission } from './blank';
import { Notice, ProblemNote } from './problem_note';

/** Stands where a page's credentials would be: the plan does not include API access. `things`: "keys". */
export function PlanGate({ things = 'keys' }: { things?: string }) {
  const { tenantQuery } = useScope();
  const { data } = $api.useQuery('get', '/v1/api-access', { params: { query: tenantQuery } });
  const [error, setError] = useState<unknown>();
  const [busy, setBusy] = useState(false);
  async function ask() {
    setBusy(true);
    setError(undefined);
    try {
      await answered(api.POST('/v1/api-access/request', { params: { query: tenantQuery } }));
      await queryClient.invalidateQueries({ queryKey: ['get', '/v1/api-access'] });
    } catch (problem) {
      setError(problem);
    } finally {
      setBusy(false);
    }
  }
  const keys = data?.existing_keys ?? 0;
  const noun = things === 'keys' ? 'key' : 'credential';
  return (
    <Blank
      icon={IconKeyOff}
      title="Your plan does not include API access"
      actions={
        data &&
        !data.requested_at && (
          <Button onClick={() => void ask()} loading={busy}>
            Ask for API access
          </Button>
        )
      }
      note={
        <>
          {data?.requested_at && (
            <span role="status">
              You asked for API access <Past at={data.requested_at} />. Whoever runs this installation answers.
            </span>
          )}
          <ProblemNote error={error} />
        </>
      }
    >
      {data && (
        <>
          {data.tenant_name} is on the <b>{data.plan_name}</b> plan. With a plan that includes API access you can create{' '}
          {things} here
          {keys > 0 && `, and your ${counted(keys, `existing ${noun} works`, `existing ${noun}s work`)} again`}.
        </>
      )}
    </Blank>
  );
}

/** For operators, who see what a tenant has whatever its plan: that none of it works. */
export function PlanNotice() {
  const { tenant, tenantQuery } = useScope();
  const { data } = $api.useQuery('get', '/v1/api-access', { params: { query: tenantQuery } }, { enabled: !!tenant });
  if (!tenant || !data || data.api_access) return null;
  return (
    <div className="above">
      <Notice>
        {data.tenant_name} is on the <b>{data.plan_name}</b> plan, which does not include API access: its keys do not
        work. {data.requested_at && 'API access was asked for. '}
        <Link to={`/tenants/${tenant}`}>Change the plan</Link>
      </Notice>
    </div>
  );
}

/** Why a list of credentials is not shown: the plan, a missing right (by its name), or a failure. */
export function ListRefused({
  what,
  things,
  right,
  error,
  onRetry,
}: {
  /** "The keys" */
  what: string;
  things: string;
  right?: string;
  error: unknown;
  onRetry: () => void;
}) {
  if (hasCode(error, 'plan_without_api_access')) return <PlanGate things={things} />;
  if (problemOf(error).status === 403) return <NoPermission right={right} />;
  return <LoadFailed what={what} error={error} onRetry={onRetry} />;
}
