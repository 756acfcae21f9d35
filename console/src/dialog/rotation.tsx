import { Button, Group, Stack, Text } from '@mantine/core';
import { type ReactNode, useState } from 'react';
import { $api, answered, api, type Schema } from '../api/client';
import { queryClient } from '../api/query';
import { Info, Notice, ProblemNote } from '../state/problem_note';
import { toast } from '../state/toast';
import { useNow } from '../time/now';
import { Ahead, Moment, Past } from '../time/when';
import { counted, number } from '../words';
import { ConfirmDialog, Dialog } from './dialog';

/** A rotation in its grace period, of any kind. */
export interface Rotation {
  /** The kind, as the API's addresses name it. */
  kind: 'api-keys' | 'apps' | 'client-credentials' | 'account-keys' | 'service-account-keys';
  id: string;
  name: string;
  /** What was replaced: "key", "key and secret". */
  what: string;
  /** When what was replaced ends, exclusive. */
  until?: string | null;
  /** Whether the person could have rotated it, and so may go back. */
  mayRollBack: boolean;
  /** How long what was replaced works once it is rolled back; absent: without an end. */
  again?: string;
  /** What to do with the new one, where that is not told before. */
  note?: ReactNode;
  /** Reads everything about it anew. */
  changed: () => Promise<unknown>;
}

// The kinds' addresses differ in nothing else.
type UsesPath = '/v1/api-keys/{id}/previous-secret-uses';
type FinishPath = '/v1/api-keys/{id}/finish-rotation';
type BackPath = '/v1/api-keys/{id}/roll-back';

type Step = 'uses' | 'finish' | 'back';

/** Whether what was replaced still works. */
export function inGrace(until: string | null | undefined, now: Date): until is string {
  return !!until && new Date(until) > now;
}

/**
 * What follows the new secret: who still uses the one before, then the end of that, or the
 * way back. `open` shows it.
 */
export function useRotation(rotation: Rotation | undefined) {
  const [step, setStep] = useState<Step>();
  const close = () => setStep(undefined);
  return {
    open: () => setStep('uses'),
    dialogs: rotation && (
      <>
        <UsesDialog rotation={rotation} open={step === 'uses'} onClose={close} onStep={setStep} />
        <FinishDialog rotation={rotation} open={step === 'finish'} onClose={close} />
        <RollBackDialog rotation={rotation} open={step === 'back'} onClose={close} />
      </>
    ),
  };
}

/** Says on an object's page that two secrets work, with the way to what follows. */
export function RotationNote({ rotation, onOpen }: { rotation: Rotation; onOpen: () => void }) {
  const now = useNow();
  if (!inGrace(rotation.until, now)) return null;
  return (
    <div className="below">
      <Info>
        The old {rotation.what} {verb('work', rotation)} until <Moment at={rotation.until} />.{' '}
        <button type="button" className="textlink" onClick={onOpen}>
          Who still uses it
        </button>
      </Info>
    </div>
  );
}

interface StepProps {
  rotation: Rotation;
  open: boolean;
  onClose: () => void;
}

function useUses({ kind, id }: Rotation, open: boolean) {
  return $api.useQuery(
    'get',
    `/v1/${kind}/{id}/previous-secret-uses` as UsesPath,
    { params: { path: { id } } },
    { placeholderData: undefined, staleTime: 0, enabled: open, refetchInterval: 5000 },
  );
}

function UsesDialog({ rotation, open, onClose, onStep }: StepProps & { onStep: (step: Step) => void }) {
  const now = useNow();
  const uses = useUses(rotation, open);
  const running = inGrace(rotation.until, now);
  return (
    <Dialog open={open} onClose={onClose} title={`Rotation of “${rotation.name}”`} size={640}>
      <Stack gap={16}>
        <Text size="md">
          {inGrace(rotation.until, now) ? (
            <>
              Old and new work. The old {rotation.what} {verb('stop', rotation)} working <Ahead at={rotation.until} />:
              put the new one into everything that is listed here.
            </>
          ) : (
            <>
              The old {rotation.what} no longer {verb('work', rotation)}.
            </>
          )}
        </Text>
        {running && rotation.note}
        <section aria-label={`Who still uses the old ${rotation.what}`} aria-live="polite">
          {uses.error ? <ProblemNote error={uses.error} /> : <Uses uses={uses.data} />}
        </section>
        <Group justify="space-between" gap={8} mt={4}>
          <div>
            {running && rotation.mayRollBack && (
              <Button variant="default" onClick={() => onStep('back')}>
                Roll back
              </Button>
            )}
          </div>
          <Group gap={8} ml="auto">
            <Button variant="default" onClick={onClose}>
              {running ? 'Let it end by itself' : 'Close'}
            </Button>
            {running && <Button onClick={() => onStep('finish')}>End it now</Button>}
          </Group>
        </Group>
      </Stack>
    </Dialog>
  );
}

function Uses({ uses }: { uses: Schema<'PreviousSecretUses'> | undefined }) {
  if (!uses) return <Info>Finding out who still uses it.</Info>;
  const others = uses.other_calls ?? 0;
  if (uses.items.length + others === 0) {
    return <Info>Nobody has used the old one since the rotation. Calls appear here within a minute.</Info>;
  }
  return (
    <>
      <div className="usesscroll" tabIndex={0} role="group" aria-label="Calls with the old one">
        <table className="usestable">
          <thead>
            <tr>
              <th>Address</th>
              <th>Program</th>
              <th>Last used</th>
              <th data-align="right">Calls</th>
            </tr>
          </thead>
          <tbody>
            {uses.items.map((use) => (
              <tr key={`${use.source_ip ?? ''} ${use.user_agent ?? ''}`}>
                <td className="mono">{use.source_ip ?? <span className="muted">Not known</span>}</td>
                <td className="agent">{use.user_agent ?? <span className="muted">Not known</span>}</td>
                <td>
                  <Past at={use.last_used_at} />
                </td>
                <td data-align="right">{number(use.calls)}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
      {others > 0 && <p className="muted small">And {counted(others, 'call', 'calls')} from other places.</p>}
    </>
  );
}

/** The last call with what was replaced, before it is ended. */
function LastUse({ rotation, open }: { rotation: Rotation; open: boolean }): ReactNode {
  const uses = useUses(rotation, open);
  const last = uses.data?.items[0];
  if (!last) return <Info>Nobody is known to use it.</Info>;
  return (
    <Notice>
      <b>
        It was used <Past at={last.last_used_at} />
      </b>
      {last.user_agent && ` by ${last.user_agent}`}
      {last.source_ip && ` from ${last.source_ip}`}.
    </Notice>
  );
}

function FinishDialog({ rotation, open, onClose }: StepProps) {
  const { kind, id, what } = rotation;
  return (
    <ConfirmDialog
      open={open}
      onClose={onClose}
      title={`End the old ${what} of “${rotation.name}”?`}
      action="End it now"
      onConfirm={async () => {
        await answered(api.POST(`/v1/${kind}/{id}/finish-rotation` as FinishPath, { params: { path: { id } } }));
        await changed(rotation);
        toast('Rotation finished');
      }}
    >
      <Text size="md">As soon as you confirm, calls with the old {what} fail. This cannot be undone.</Text>
      <LastUse rotation={rotation} open={open} />
    </ConfirmDialog>
  );
}

function RollBackDialog({ rotation, open, onClose }: StepProps) {
  const { kind, id, what } = rotation;
  return (
    <ConfirmDialog
      open={open}
      onClose={onClose}
      title={`Roll back the rotation of “${rotation.name}”?`}
      action="Yes, roll back"
      onConfirm={async () => {
        await answered(api.POST(`/v1/${kind}/{id}/roll-back` as BackPath, { params: { path: { id } } }));
        await changed(rotation);
        toast('Rotation rolled back');
      }}
    >
      <Text size="md">
        As soon as you confirm, calls with the new {what} fail for good, and the old {what} {verb('work', rotation)}{' '}
        again {rotation.again ?? 'without an end'}.
      </Text>
      <Text size="md">Do this if the new one was lost or came to the wrong place.</Text>
    </ConfirmDialog>
  );
}

async function changed(rotation: Rotation) {
  await Promise.all([
    rotation.changed(),
    queryClient.invalidateQueries({ queryKey: ['get', `/v1/${rotation.kind}/{id}/previous-secret-uses`] }),
  ]);
}

/** "works", or "work" of several things. */
function verb(stem: string, { what }: Rotation): string {
  return what.includes(' and ') ? stem : `${stem}s`;
}
