import { Button } from '@mantine/core';
import { IconAlertCircle, IconCircleCheck, IconShieldCheck } from '@tabler/icons-react';
import { useEffect, useState } from 'react';
import { $api, answered, api, type Schema } from '../../api/client';
import { useScope } from '../../session/scope';
import { ProblemNote } from '../../state/problem_note';
import { Past } from '../../time/when';
import { counted, number } from '../../words';

/** The last signed checkpoint, and whether the log still is what was signed. */
export function Checkpoint() {
  const { tenantQuery, tenant } = useScope();
  const latest = $api.useQuery('get', '/v1/audit-checkpoints/latest', { params: { query: tenantQuery } });
  const [checked, setChecked] = useState<Schema<'AuditCheck'>>();
  const [error, setError] = useState<unknown>();
  const [busy, setBusy] = useState(false);
  useEffect(() => {
    setChecked(undefined);
    setError(undefined);
  }, [tenant]);

  async function check() {
    setBusy(true);
    setError(undefined);
    setChecked(undefined);
    try {
      setChecked(await answered(api.POST('/v1/audit-checkpoints/check', { params: { query: tenantQuery } })));
      void latest.refetch();
    } catch (problem) {
      setError(problem);
    } finally {
      setBusy(false);
    }
  }
  const last = latest.data;
  return (
    <section className="checkpoint" aria-label="Checkpoint">
      <div className="checkline">
        <IconShieldCheck size={16} stroke={1.6} className="muted fixed" aria-hidden />
        <span className="grow">
          {last && last.sequence === 0 && 'No checkpoint is signed yet.'}
          {last && last.sequence > 0 && (
            <>
              Last checkpoint <Past at={last.at} />{' '}
              <span className="muted">
                vouches for {number(last.sealed_events)} of {counted(last.events, 'event', 'events')}
              </span>
            </>
          )}
        </span>
        <Button variant="default" size="compact-sm" loading={busy} disabled={!last} onClick={() => void check()}>
          Check now
        </Button>
      </div>
      <div aria-live="polite">{checked && <Result checked={checked} />}</div>
      <ProblemNote error={error} />
    </section>
  );
}

function Result({ checked }: { checked: Schema<'AuditCheck'> }) {
  if (!checked.ok) {
    return (
      <div className="notice bad" role="alert">
        <IconAlertCircle size={16} stroke={1.8} aria-hidden />
        <span>
          The log is not what was signed.{' '}
          {checked.broken_at !== undefined &&
            `Event ${number(checked.broken_at)} is the first that is wrong or missing. `}
          {checked.problem} Tell the operators of this installation.
        </span>
      </div>
    );
  }
  return (
    <div className="notice good">
      <IconCircleCheck size={16} stroke={1.8} aria-hidden />
      <span>
        {checked.sequence === 0
          ? `All ${counted(checked.events, 'event fits', 'events fit')} together. There is no signed checkpoint to compare them with yet.`
          : `All ${counted(checked.events, 'event is', 'events are')} as written, in place, and none is missing. ${number(checked.sealed_events)} of them are under the signed checkpoint.`}
      </span>
    </div>
  );
}
