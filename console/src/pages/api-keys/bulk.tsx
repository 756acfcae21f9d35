import { ActionIcon, Button, Progress, Stack, Text } from '@mantine/core';
import { IconAlertTriangle, IconX } from '@tabler/icons-react';
import { Link, useNavigate, useSearch } from '@tanstack/react-router';
import { type ReactNode, useEffect, useRef, useState } from 'react';
import { $api, answered, api, type Schema } from '../../api/client';
import { hasCode, problemOf } from '../../api/problem';
import { ConfirmDialog, Dialog } from '../../dialog/dialog';
import { useScope } from '../../session/scope';
import { Facts } from '../../shell/page';
import { ProblemNote } from '../../state/problem_note';
import { toast } from '../../state/toast';
import { counted, number } from '../../words';
import { pageOf } from './columns';
import { type KeyFilter, refreshKeys } from './keys';

type Operation = Schema<'Operation'>;

/** What is to be deleted: the keys with these IDs, or all that a filter finds as of a revision. */
export interface Chosen {
  count: number;
  byKind: Record<string, number>;
  usedLately: number;
  ids?: string[];
  filter?: KeyFilter;
  revision?: number;
  /** What the filter is, in words. */
  filterName?: string;
  /** Counting failed. */
  error?: unknown;
  /** Makes the request happen once. */
  once: string;
}

/** Above this many the number is to be typed. */
const typedAbove = 20;

/** "Delete 12 keys?" */
export function BulkDialog({
  chosen,
  open,
  onClose,
  onAccepted,
}: {
  chosen: Chosen;
  open: boolean;
  onClose: () => void;
  onAccepted: (operation: Operation) => void;
}) {
  const { tenantQuery } = useScope();
  const keys = counted(chosen.count, 'key', 'keys');
  async function confirm() {
    const { filter } = chosen;
    onAccepted(
      await answered(
        api.POST('/v1/api-keys/bulk', {
          params: { query: tenantQuery, header: { 'Idempotency-Key': chosen.once } },
          body: filter
            ? { action: 'delete', filter: withoutTenant(filter), as_of: chosen.revision, expected_count: chosen.count }
            : { action: 'delete', ids: chosen.ids },
        }),
      ),
    );
  }
  return (
    <ConfirmDialog
      open={open}
      onClose={onClose}
      title={chosen.error ? 'The keys could not be counted' : `Delete ${keys}?`}
      action={`Delete ${keys}`}
      typed={chosen.count > typedAbove ? chosen.count : undefined}
      blocked={chosen.error !== undefined || chosen.count === 0}
      onConfirm={confirm}
      onProblem={(error) =>
        hasCode(error, 'selection_changed') ? (
          <ProblemNote error="Meanwhile the filter finds other keys than these. Nothing was deleted. Close this, look again and then delete." />
        ) : undefined
      }
    >
      {chosen.error ? (
        <ProblemNote error={chosen.error} />
      ) : (
        <>
          <Text size="md">
            {chosen.filter && 'All keys that match your filter, on all pages. '}
            {chosen.count === 1
              ? 'As soon as it is deleted, calls with it fail.'
              : 'As soon as each is deleted, calls with it fail.'}{' '}
            This cannot be undone.
          </Text>
          <Facts
            wide
            items={[
              ['Filter', chosen.filterName],
              ['User keys', chosen.byKind.user_key ? number(chosen.byKind.user_key) : undefined],
              [
                'Organization keys',
                chosen.byKind.organization_key ? number(chosen.byKind.organization_key) : undefined,
              ],
              [
                'Used in the last 7 days',
                <span key="u" className={chosen.usedLately > 0 ? 'warn strong' : undefined}>
                  {number(chosen.usedLately)}
                </span>,
              ],
            ]}
          />
        </>
      )}
    </ConfirmDialog>
  );
}

function withoutTenant(filter: KeyFilter) {
  return { ...filter, tenant_id: undefined };
}

const pollEvery = 400; // ms
const refreshEvery = 2000; // ms

// The deletion that goes on: here while one goes from page to page, in the address when it is reloaded.
let current = '';

function useCurrent(): [id: string, set: (id: string) => void] {
  const navigate = useNavigate();
  const { deletion = '' } = useSearch({ strict: false }) as { deletion?: string };
  const [id, setID] = useState(deletion || current);
  useEffect(() => {
    current = id;
    if (id === deletion) return;
    void navigate({
      to: '.',
      search: ((old: object) => ({ ...old, deletion: id || undefined })) as never,
      replace: true,
    });
  }, [id, deletion, navigate]);
  return [id, setID];
}

/**
 * Follows a bulk deletion; it goes on by itself, so one may leave the page and come back.
 * `bar` is what the table's bar shows meanwhile, and then of what could not be deleted.
 */
export function useBulkDeletion(): { begin: (operation: Operation) => void; bar: ReactNode; dialog: ReactNode } {
  const [id, setID] = useCurrent();
  const [showing, setShowing] = useState(false);
  const refreshed = useRef(0);
  const told = useRef('');
  const { data, error } = $api.useQuery(
    'get',
    '/v1/operations/{id}',
    { params: { path: { id } } },
    {
      enabled: id !== '',
      placeholderData: undefined,
      refetchInterval: (query) => (query.state.data?.state === 'done' ? false : pollEvery),
    },
  );
  const operation = id === '' ? undefined : data;
  const done = operation?.done ?? 0;
  const state = operation?.state;
  useEffect(() => {
    if (done === 0 && state !== 'done') return;
    if (state !== 'done' && Date.now() - refreshed.current < refreshEvery) return;
    refreshed.current = Date.now();
    void refreshKeys();
  }, [done, state]);
  useEffect(() => {
    // What is forgotten or another's is nothing to follow.
    if (error && problemOf(error).status >= 400 && problemOf(error).status < 500) setID('');
    if (!operation || operation.state !== 'done' || operation.failed_total > 0) return;
    if (told.current !== operation.id) toast(`${counted(operation.total, 'key', 'keys')} deleted`);
    told.current = operation.id;
    setID('');
  }, [operation, error, setID]);

  const dismiss = () => {
    setShowing(false);
    setID('');
  };
  const bar = operation && (operation.state !== 'done' || operation.failed_total > 0) && (
    <BulkBar operation={operation} onShow={() => setShowing(true)} onDismiss={dismiss} />
  );
  const dialog = operation && (
    <Dialog
      open={showing}
      onClose={() => setShowing(false)}
      title={`${counted(operation.failed_total, 'key was', 'keys were')} not deleted`}
      size={640}
    >
      <Failures operation={operation} />
    </Dialog>
  );
  return { begin: (op) => setID(op.id), bar, dialog };
}

/** "412 of 1,284 deleted", and the true result. */
function BulkBar({
  operation: { state, total, done, failed_total },
  onShow,
  onDismiss,
}: {
  operation: Operation;
  onShow: () => void;
  onDismiss: () => void;
}) {
  if (state !== 'done') {
    return (
      <>
        <span className="tcount" role="status">
          {number(done - failed_total)} of {number(total)} deleted
        </span>
        <Progress value={total > 0 ? (100 * done) / total : 100} aria-label="Deleted" className="tprogress" />
        <span className="muted tnote">It goes on when you leave this page.</span>
      </>
    );
  }
  const were = failed_total === 1 ? '1 was not.' : `${number(failed_total)} were not.`;
  return (
    <>
      <IconAlertTriangle size={16} stroke={1.8} className="warn fixed" aria-hidden />
      <span className="tcount trunc ttold" role="status">
        {number(total - failed_total)} of {counted(total, 'key', 'keys')} deleted. {were}
      </span>
      <Button variant="subtle" size="compact-sm" onClick={onShow}>
        Show them
      </Button>
      <div className="spring" />
      <ActionIcon aria-label="Dismiss the result" onClick={onDismiss}>
        <IconX size={16} />
      </ActionIcon>
    </>
  );
}

/** How many are listed: each has its name read by itself. */
const shownFailures = 50;

function Failures({ operation }: { operation: Operation }) {
  const { failed, failed_total } = operation;
  return (
    <Stack gap={12}>
      <div className="tscroll">
        <table className="plain roomy">
          <thead>
            <tr>
              <th scope="col">Key</th>
              <th scope="col">Why not</th>
            </tr>
          </thead>
          <tbody>
            {failed.slice(0, shownFailures).map((f) => (
              <tr key={f.id}>
                <td>
                  <FailedKey id={f.id} />
                </td>
                <td>{f.message}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
      {failed_total > shownFailures && (
        <Text size="sm" c="dimmed">
          And {number(failed_total - Math.min(shownFailures, failed.length))} more.
        </Text>
      )}
    </Stack>
  );
}

function FailedKey({ id }: { id: string }) {
  const { data } = $api.useQuery('get', '/v1/api-keys/{id}', { params: { path: { id } } }, { retry: false });
  return (
    <Link to={pageOf({ id })} className="break">
      {data?.name ?? <span className="mono">{id}</span>}
    </Link>
  );
}
