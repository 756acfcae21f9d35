import { Checkbox, Stack, Text } from '@mantine/core';
import { useCallback, useRef, useState } from 'react';
import { flushSync } from 'react-dom';
import { answer, answered, api, type Schema } from '../../api/client';
import { useOnce } from '../../api/once';
import { ConfirmDialog, Dialog, DialogForm, FieldError } from '../../dialog/dialog';
import { RotateForm } from '../../dialog/rotate_form';
import { type Rotation, useRotation } from '../../dialog/rotation';
import { TextField } from '../../dialog/text_field';
import { type Me, useMe } from '../../session/me';
import { useStepUp } from '../../session/step_up';
import { Facts } from '../../shell/page';
import { ProblemNote } from '../../state/problem_note';
import { toast } from '../../state/toast';
import { useNow } from '../../time/now';
import { day } from '../../time/time';
import { Ends } from '../../time/when';
import { usePolicy } from './create_dialog';
import { KeyShown } from './created';
import { endOfDay, fieldDay, latestEnd, wrongEnd } from './expiry';
import { InUse } from './in_use';
import { type APIKey, living, ownerOf, refreshKeys, whyNotRotate } from './keys';

export type KeyDialog = 'rename' | 'edit' | 'rotate' | 'suspend' | 'resume' | 'revoke' | 'delete' | 'copy failed';

interface Shown {
  dialog: KeyDialog;
  apiKey: APIKey;
  error?: unknown;
}

/** The dialogues about one key. `onDeleted` leaves the page of a key that is no more. */
export function useKeyDialogs(onDeleted?: () => void) {
  const [shown, setShown] = useState<Shown>();
  const [open, setOpen] = useState(false);
  const opener = useRef<{ id: string; index: number } | undefined>(undefined);
  const stepUp = useStepUp();

  const show = useCallback((dialog: KeyDialog, apiKey: APIKey, error?: unknown) => {
    opener.current = rowOf(apiKey.id);
    setShown({ dialog, apiKey, error });
    setOpen(true);
  }, []);
  const close = useCallback(() => {
    setOpen(false);
    if (opener.current) focusRow(opener.current);
  }, []);
  /** Copies an organization's key; the password is asked for where that was long ago. */
  const copyKey = useCallback(
    async (apiKey: APIKey) => {
      try {
        const secret = await stepUp(() => reveal(apiKey.id));
        if (secret === undefined) return;
        await navigator.clipboard.writeText(secret);
        toast('Copied');
      } catch (problem) {
        show('copy failed', apiKey, problem);
      }
    },
    [stepUp, show],
  );
  const dialogs = shown && (
    <>
      <RenameDialog {...shown} open={open && shown.dialog === 'rename'} onClose={close} />
      <EditDialog {...shown} open={open && shown.dialog === 'edit'} onClose={close} />
      <RotateDialog {...shown} open={open && shown.dialog === 'rotate'} onClose={close} />
      <StateDialog {...shown} open={open && ['suspend', 'resume'].includes(shown.dialog)} onClose={close} />
      <EndDialog
        {...shown}
        open={open && ['revoke', 'delete'].includes(shown.dialog)}
        onClose={close}
        onDeleted={onDeleted}
        onRotate={() => setShown({ ...shown, dialog: 'rotate' })}
      />
      <Dialog open={open && shown.dialog === 'copy failed'} onClose={close} title="The key was not copied">
        <Stack gap={16}>
          <ProblemNote
            error={
              shown.error instanceof DOMException
                ? 'The browser does not let this page use the clipboard. Open the key’s page and copy it there.'
                : shown.error
            }
          />
        </Stack>
      </Dialog>
    </>
  );
  return { show, copyKey, dialogs };
}

/** Reads the whole key again, which is written to the audit log. */
export async function reveal(id: string): Promise<string> {
  const { key } = await answered(api.POST('/v1/api-keys/{id}/reveal', { params: { path: { id } } }));
  return key;
}

const rows = () => [...document.querySelectorAll<HTMLElement>('table.dt tbody tr')];

function rowOf(id: string) {
  const index = rows().findIndex((row) => row.dataset.id === id);
  return index < 0 ? undefined : { id, index };
}

// The menu that opened a dialogue is gone by then, and so may be the row: then the next one.
function focusRow({ id, index }: { id: string; index: number }) {
  setTimeout(() => {
    if (document.activeElement && document.activeElement !== document.body) return;
    const now = rows();
    (now.find((row) => row.dataset.id === id) ?? now[Math.min(index, now.length - 1)])?.focus();
  }, 200);
}

interface DialogProps {
  apiKey: APIKey;
  dialog: KeyDialog;
  open: boolean;
  onClose: () => void;
}

function RenameDialog({ apiKey, open, onClose }: DialogProps) {
  return (
    <Dialog open={open} onClose={onClose} title={`Rename “${apiKey.name}”`}>
      <RenameForm apiKey={apiKey} onClose={onClose} />
    </Dialog>
  );
}

function RenameForm({ apiKey, onClose }: { apiKey: APIKey; onClose: () => void }) {
  const [name, setName] = useState(apiKey.name);
  return (
    <DialogForm
      fields={['name']}
      action="Save"
      onCancel={onClose}
      onSubmit={async () => {
        if (name.trim() === '') throw new FieldError('name', 'Enter a name');
        await answered(
          api.PATCH('/v1/api-keys/{id}', { params: { path: { id: apiKey.id } }, body: { name: name.trim() } }),
        );
        await refreshKeys();
        onClose();
      }}
    >
      {(errors) => <NameInput value={name} onChange={setName} error={errors.name} />}
    </DialogForm>
  );
}

function NameInput({ value, onChange, error }: { value: string; onChange: (name: string) => void; error?: string }) {
  return <TextField label="Name" data-autofocus maxLength={200} value={value} error={error} onChange={onChange} />;
}

/** Name and end of an organization's key. */
function EditDialog({ apiKey, open, onClose }: DialogProps) {
  return (
    <Dialog open={open} onClose={onClose} title={`Edit “${apiKey.name}”`}>
      <EditForm apiKey={apiKey} onClose={onClose} />
    </Dialog>
  );
}

function EditForm({ apiKey, onClose }: { apiKey: APIKey; onClose: () => void }) {
  const now = useNow();
  const before = apiKey.expires_at ? fieldDay(new Date(apiKey.expires_at)) : '';
  const [name, setName] = useState(apiKey.name);
  const [end, setEnd] = useState(before);
  const [never, setNever] = useState(before === '');
  const latest = latestEnd(usePolicy(apiKey.tenant_id), apiKey.kind, new Date(apiKey.created_at));
  async function submit() {
    if (name.trim() === '') throw new FieldError('name', 'Enter a name');
    const changed = never ? before !== '' : end !== before;
    const wrong = !never && changed ? wrongEnd(end, now, latest) : undefined;
    if (wrong) throw new FieldError('expires_at', wrong);
    await answered(
      api.PATCH('/v1/api-keys/{id}', {
        params: { path: { id: apiKey.id } },
        body: {
          name: name.trim(),
          ...(changed && never ? { never_expires: true } : {}),
          ...(changed && !never ? { expires_at: endOfDay(end).toISOString() } : {}),
        },
      }),
    );
    await refreshKeys();
    onClose();
  }
  return (
    <DialogForm fields={['name', 'expires_at', 'never_expires']} action="Save" onCancel={onClose} onSubmit={submit}>
      {(errors) => (
        <>
          <NameInput value={name} onChange={setName} error={errors.name} />
          <TextField
            type="date"
            label="Expiration date"
            description={
              latest
                ? `It works to the end of the day. Your policy allows dates before ${day(latest)}.`
                : 'It works to the end of the day.'
            }
            min={fieldDay(now)}
            max={latest && fieldDay(latest)}
            disabled={never}
            value={never ? '' : end}
            error={errors.expires_at ?? errors.never_expires}
            onChange={setEnd}
          />
          {!latest && (
            <Checkbox
              label="It never expires"
              checked={never}
              onChange={(event) => setNever(event.currentTarget.checked)}
            />
          )}
        </>
      )}
    </DialogForm>
  );
}

/** The rotation that a key is in, or was. */
export function rotationOf(me: Me, apiKey: APIKey): Rotation {
  return {
    kind: 'api-keys',
    id: apiKey.id,
    name: apiKey.name,
    what: 'key',
    until: apiKey.previous_valid_until,
    mayRollBack: whyNotRotate(me, apiKey) === undefined,
    changed: refreshKeys,
  };
}

/** Rotates a key: why, then the new secret, then who still uses the old one. */
function RotateDialog({ apiKey, open, onClose }: DialogProps) {
  const me = useMe();
  const [issued, setIssued] = useState<Schema<'IssuedAPIKey'>>();
  const [rotated, setRotated] = useState<APIKey>();
  const rotation = useRotation(rotated && rotationOf(me, rotated));
  function saved() {
    const last = issued;
    // It must be forgotten before anything else is opened, or leaving would be asked about.
    flushSync(() => {
      setIssued(undefined);
      setRotated(last);
      onClose();
    });
    if (last?.previous_valid_until) rotation.open();
  }
  return (
    <>
      <Dialog
        open={open}
        onClose={onClose}
        title={issued ? 'API key rotated' : `Rotate “${apiKey.name}”?`}
        size={issued ? 600 : 480}
        held={issued !== undefined}
      >
        {issued ? (
          <KeyShown issued={issued} onSaved={saved} />
        ) : (
          <RotateForm
            what="key"
            action="Rotate API key"
            onCancel={onClose}
            rotate={async (grace, header) => {
              setIssued(
                await answered(
                  api.POST('/v1/api-keys/{id}/rotate', {
                    params: { path: { id: apiKey.id }, header },
                    body: { grace_period_seconds: grace },
                  }),
                ),
              );
              void refreshKeys();
            }}
          >
            <Text size="md">It gets a new secret under the same name and ID. Its rights and its history stay.</Text>
          </RotateForm>
        )}
      </Dialog>
      {rotation.dialogs}
    </>
  );
}

function StateDialog({ apiKey, dialog, open, onClose }: DialogProps) {
  const once = useOnce();
  const suspend = dialog === 'suspend';
  return (
    <ConfirmDialog
      open={open}
      onClose={onClose}
      title={suspend ? `Suspend “${apiKey.name}”?` : `Resume “${apiKey.name}”?`}
      action={suspend ? 'Suspend API key' : 'Resume API key'}
      mild
      onConfirm={async () => {
        const params = { path: { id: apiKey.id }, header: once.headers() };
        once.renew();
        await answer(
          suspend
            ? api.POST('/v1/api-keys/{id}/suspend', { params })
            : api.POST('/v1/api-keys/{id}/resume', { params }),
        );
        await refreshKeys();
        toast(suspend ? 'API key suspended' : 'API key resumed');
      }}
    >
      <Text size="md">
        {suspend
          ? 'As soon as you confirm, calls with this key fail, until it is resumed.'
          : 'As soon as you confirm, calls with this key work again.'}
      </Text>
      {suspend && <InUse apiKey={apiKey} />}
      <KeyFacts apiKey={apiKey} />
    </ConfirmDialog>
  );
}

/** Revokes a key, or deletes it: ended and out of the lists. */
function EndDialog({
  apiKey,
  dialog,
  open,
  onClose,
  onDeleted,
  onRotate,
}: DialogProps & { onDeleted?: () => void; onRotate: () => void }) {
  const me = useMe();
  const once = useOnce();
  const ended = !living(apiKey);
  const revoke = dialog === 'revoke';
  const rotates = whyNotRotate(me, apiKey) === undefined;
  return (
    <ConfirmDialog
      open={open}
      onClose={onClose}
      title={revoke ? `Revoke “${apiKey.name}”?` : `Delete “${apiKey.name}”?`}
      action={revoke ? 'Yes, revoke API key' : 'Delete API key'}
      onConfirm={async () => {
        if (revoke) {
          const params = { path: { id: apiKey.id }, header: once.headers() };
          once.renew();
          await answer(api.POST('/v1/api-keys/{id}/revoke', { params }));
        } else {
          await answer(api.DELETE('/v1/api-keys/{id}', { params: { path: { id: apiKey.id } } }));
          if (onDeleted) onDeleted();
        }
        await refreshKeys();
        toast(revoke ? 'API key revoked' : 'API key deleted');
      }}
    >
      <Text size="md">
        {ended
          ? 'It has ended already. Deleted, it is no longer listed; what was done with it stays in the audit log.'
          : 'As soon as you confirm, calls with this key fail. This cannot be undone.'}
      </Text>
      {!ended && <InUse apiKey={apiKey} onRotate={rotates ? onRotate : undefined} />}
      <KeyFacts apiKey={apiKey} />
    </ConfirmDialog>
  );
}

function KeyFacts({ apiKey }: { apiKey: APIKey }) {
  return (
    <Facts
      items={[
        [
          'Key',
          <span key="k" className="mono">
            {apiKey.hint}
          </span>,
        ],
        [
          apiKey.kind === 'organization_key' ? 'Organization' : 'Owner',
          apiKey.kind === 'organization_key' ? apiKey.organization_name : ownerOf(apiKey),
        ],
        ['Expires', <Ends key="e" at={apiKey.expires_at} />],
      ]}
    />
  );
}
