import { Text } from '@mantine/core';
import { useState } from 'react';
import { $api, answer, answered, api, type Schema } from '../../api/client';
import { useOnce } from '../../api/once';
import { queryClient } from '../../api/query';
import { ConfirmDialog, Dialog, DialogForm, FieldError } from '../../dialog/dialog';
import { IssuedDialog } from '../../dialog/issued';
import { RotateForm } from '../../dialog/rotate_form';
import { type Rotation, useRotation } from '../../dialog/rotation';
import { Code, ShownValue } from '../../dialog/secret';
import { TextField } from '../../dialog/text_field';
import { type Me, useMe } from '../../session/me';
import { useScope } from '../../session/scope';
import { Facts } from '../../shell/page';
import { Info, Notice, ProblemNote } from '../../state/problem_note';
import { toast } from '../../state/toast';
import { Past } from '../../time/when';
import { type APICredentials, credentialsChanged, whyNotEdit } from './credentials';
import { ScopePicker } from './scope_picker';

type Issued = Schema<'IssuedClientCredential'>;

interface DialogProps {
  open: boolean;
  onClose: () => void;
}

/** Creates API credentials of one's own: a name and scopes; the secret is shown this once. */
export function CreateCredentials({ open, onClose, onCreated }: DialogProps & { onCreated: (id: string) => void }) {
  return (
    <IssuedDialog<Issued>
      open={open}
      onClose={onClose}
      title="Create API credentials"
      doneTitle="API credentials created"
      size={560}
      form={(done) => <CreateForm onDone={done} onCancel={onClose} />}
      shown={(issued, copied, primary) => <IssuedSecret issued={issued} onCopied={copied} primary={primary} />}
      onSaved={(issued) => onCreated(issued.id)}
    />
  );
}

function CreateForm({ onDone, onCancel }: { onDone: (issued: Issued) => void; onCancel: () => void }) {
  const { tenantQuery } = useScope();
  const once = useOnce();
  const [name, setName] = useState('');
  const [chosen, setChosen] = useState<ReadonlySet<string>>(new Set());
  const offered = $api.useQuery('get', '/v1/client-credentials/scopes', { params: { query: tenantQuery } });

  async function submit() {
    if (name.trim() === '') throw new FieldError('name', 'Enter a name');
    if (chosen.size === 0) throw new FieldError('scopes', 'Choose at least one scope');
    const issued = await answered(
      api.POST('/v1/client-credentials', {
        params: { query: tenantQuery, header: once.headers() },
        body: { name: name.trim(), level: 'user', scopes: [...chosen] },
      }),
    );
    await credentialsChanged();
    onDone(issued);
  }
  return (
    <DialogForm fields={['name', 'scopes']} onSubmit={submit} onCancel={onCancel} action="Create">
      {(errors) => (
        <>
          <NameInput value={name} onChange={setName} error={errors.name} />
          <Scopes
            offered={offered.data?.scopes}
            had={[]}
            chosen={chosen}
            onChange={setChosen}
            error={errors.scopes}
            problem={offered.error}
          />
        </>
      )}
    </DialogForm>
  );
}

function NameInput({ value, onChange, error }: { value: string; onChange: (name: string) => void; error?: string }) {
  return <TextField label="Name" data-autofocus maxLength={200} value={value} onChange={onChange} error={error} />;
}

interface ScopesProps {
  offered: readonly string[] | undefined;
  had: readonly string[];
  chosen: ReadonlySet<string>;
  onChange: (chosen: Set<string>) => void;
  error?: string;
  problem: unknown;
}

function Scopes({ offered, had, chosen, onChange, error, problem }: ScopesProps) {
  return (
    <div role="group" aria-label="Scopes">
      <div className="apihead">
        <span className="fieldlabel">Scopes</span>
        <span className="muted">{chosen.size === 0 ? 'None chosen' : `${chosen.size} chosen`}</span>
      </div>
      <p className="fieldhint">What tokens may do, as far as licence and roles allow it at that moment.</p>
      <div className="apibox">
        {offered && <ScopePicker offered={offered} had={had} chosen={chosen} onChange={onChange} />}
        <ProblemNote error={problem} />
      </div>
      {error && <p className="fielderror">{error}</p>}
    </div>
  );
}

function IssuedSecret({ issued, onCopied, primary }: { issued: Issued; onCopied: () => void; primary: boolean }) {
  if (!issued.secret_available || issued.client_secret === undefined) {
    return <Info>The secret was shown when this was first done. Rotate the credentials to get another.</Info>;
  }
  return (
    <>
      <Notice>
        <b>This secret is shown only now.</b> Claviger keeps no copy of it. If it is lost, rotate these credentials to
        get another.
      </Notice>
      <ShownValue label="Client ID" value={issued.client_id} />
      <ShownValue label="Client secret" value={issued.client_secret} primary={primary} onCopied={onCopied} secret />
      <div>
        <Text size="sm" fw={500} mb={4}>
          Get a token
        </Text>
        <Code label="How to get a token">{tokenExample(issued)}</Code>
      </div>
    </>
  );
}

/** How to get a token; the secret is not in it. */
export function tokenExample({ client_id, scopes }: Pick<APICredentials, 'client_id' | 'scopes'>): string {
  return `curl ${location.origin}/oauth2/token \\
  --user "${client_id}:$CLIENT_SECRET" \\
  -d grant_type=client_credentials \\
  -d "scope=${scopes.join(' ')}"`;
}

type OfProps = DialogProps & { credentials: APICredentials };

/** Changes name and scopes, at once. */
export function EditCredentials({ credentials, open, onClose }: OfProps) {
  return (
    <Dialog open={open} onClose={onClose} title={`Edit “${credentials.name}”`} size={560}>
      <EditForm credentials={credentials} onClose={onClose} />
    </Dialog>
  );
}

function EditForm({ credentials, onClose }: { credentials: APICredentials; onClose: () => void }) {
  const me = useMe();
  const { id, level, tenant_id, owner } = credentials;
  const [name, setName] = useState(credentials.name);
  const [chosen, setChosen] = useState<ReadonlySet<string>>(new Set(credentials.scopes));
  const offered = $api.useQuery('get', '/v1/client-credentials/scopes', {
    params: { query: { tenant_id, level, ...(me.system && level === 'user' ? { owner_id: owner.id } : {}) } },
  });
  const other = chosen.size !== credentials.scopes.length || credentials.scopes.some((scope) => !chosen.has(scope));

  async function submit() {
    if (name.trim() === '') throw new FieldError('name', 'Enter a name');
    if (chosen.size === 0) throw new FieldError('scopes', 'Choose at least one scope');
    await answered(
      api.PATCH('/v1/client-credentials/{id}', {
        params: { path: { id } },
        body: { name: name.trim(), ...(other ? { scopes: [...chosen] } : {}) },
      }),
    );
    await credentialsChanged();
    toast('Changes have been saved');
    onClose();
  }
  return (
    <DialogForm fields={['name', 'scopes']} onSubmit={submit} onCancel={onClose} action="Save">
      {(errors) => (
        <>
          <NameInput value={name} onChange={setName} error={errors.name} />
          <Scopes
            offered={offered.data?.scopes}
            had={credentials.scopes}
            chosen={chosen}
            onChange={setChosen}
            error={errors.scopes}
            problem={offered.error}
          />
        </>
      )}
    </DialogForm>
  );
}

/** The rotation that credentials are in, or were. */
export function rotationOf(me: Me, credentials: APICredentials): Rotation {
  return {
    kind: 'client-credentials',
    id: credentials.id,
    name: credentials.name,
    what: 'secret',
    until: credentials.previous_valid_until,
    mayRollBack: whyNotEdit(me, credentials) === undefined,
    changed: credentialsChanged,
  };
}

/** Makes a new secret under the same client ID: why, then that, then who still uses the old one. */
export function RotateCredentials({ credentials, open, onClose }: OfProps) {
  const me = useMe();
  const [rotated, setRotated] = useState<APICredentials>();
  const rotation = useRotation(rotated && rotationOf(me, rotated));
  return (
    <>
      <IssuedDialog<Issued>
        open={open}
        onClose={onClose}
        title={`Rotate “${credentials.name}”?`}
        doneTitle="New client secret"
        size={560}
        form={(done) => (
          <RotateForm
            what="secret"
            action="Rotate"
            onCancel={onClose}
            rotate={async (grace, header) => {
              const issued = await answered(
                api.POST('/v1/client-credentials/{id}/rotate', {
                  params: { path: { id: credentials.id }, header },
                  body: { grace_period_seconds: grace },
                }),
              );
              await credentialsChanged();
              done(issued);
            }}
          >
            <Text size="md">You get a new client secret, shown once. The client ID and the scopes stay.</Text>
          </RotateForm>
        )}
        shown={(issued, copied, primary) => <IssuedSecret issued={issued} onCopied={copied} primary={primary} />}
        onSaved={(issued) => {
          setRotated(issued);
          if (issued.previous_valid_until) rotation.open();
        }}
      />
      {rotation.dialogs}
    </>
  );
}

/** Stops credentials until they are resumed. */
export function SuspendCredentials({ credentials, open, onClose }: OfProps) {
  const once = useOnce();
  return (
    <ConfirmDialog
      open={open}
      onClose={onClose}
      title={`Suspend “${credentials.name}”?`}
      action="Suspend API credentials"
      onConfirm={async () => {
        await answered(
          api.POST('/v1/client-credentials/{id}/suspend', {
            params: { path: { id: credentials.id }, header: once.headers() },
          }),
        );
        once.renew();
        await credentialsChanged();
        toast('API credentials suspended');
      }}
    >
      <Text size="md">They get no token, and tokens already issued do not work, until you resume them.</Text>
      <Facts items={[['Last used', <Past key="used" at={credentials.last_used_at} />]]} />
    </ConfirmDialog>
  );
}

/** Lets suspended credentials go on. */
export async function resumeCredentials(credentials: APICredentials) {
  await answered(
    api.POST('/v1/client-credentials/{id}/resume', {
      params: { path: { id: credentials.id }, header: { 'Idempotency-Key': crypto.randomUUID() } },
    }),
  );
  await credentialsChanged();
  toast('API credentials resumed');
}

/** Ends credentials for good. */
export function DeleteCredentials({
  credentials,
  open,
  onClose,
  onDeleted,
}: OfProps & { onDeleted?: () => Promise<void> }) {
  return (
    <ConfirmDialog
      open={open}
      onClose={onClose}
      title={`Delete “${credentials.name}”?`}
      action="Delete API credentials"
      onConfirm={async () => {
        await answer(api.DELETE('/v1/client-credentials/{id}', { params: { path: { id: credentials.id } } }));
        await onDeleted?.();
        queryClient.removeQueries({ queryKey: ['get', '/v1/client-credentials/{id}'] });
        await queryClient.invalidateQueries({ queryKey: ['get', '/v1/client-credentials'] });
        toast('API credentials deleted');
      }}
    >
      <Text size="md">
        As soon as you confirm, they get no more tokens, and tokens already issued stop working. This cannot be undone.
      </Text>
      <Facts items={[['Last used', <Past key="used" at={credentials.last_used_at} />]]} />
    </ConfirmDialog>
  );
}
