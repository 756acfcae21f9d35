import { Select, Text } from '@mantine/core';
import { IconSearch } from '@tabler/icons-react';
import { useState } from 'react';
import { $api, answer, answered, api } from '../../api/client';
import { useOnce } from '../../api/once';
import { queryClient } from '../../api/query';
import { ConfirmDialog, Dialog, DialogForm, FieldError } from '../../dialog/dialog';
import { IssuedDialog } from '../../dialog/issued';
import { RotateForm } from '../../dialog/rotate_form';
import { type Rotation, useRotation } from '../../dialog/rotation';
import { ShownValue } from '../../dialog/secret';
import type { Schema } from '../../api/client';
import { TextField } from '../../dialog/text_field';
import { useMe } from '../../session/me';
import { useScope } from '../../session/scope';
import { OrganizationPicker } from '../../shell/organization_picker';
import { Facts } from '../../shell/page';
import { Info, Notice, ProblemNote } from '../../state/problem_note';
import { toast } from '../../state/toast';
import { Past } from '../../time/when';
import { APIPicker } from './api_picker';
import { type App, apiNames } from './choice';

type IssuedApp = Schema<'IssuedApp'>;

/** Reads apps anew, wherever they are shown. */
export function appsChanged() {
  return Promise.all([
    queryClient.invalidateQueries({ queryKey: ['get', '/v1/apps'] }),
    queryClient.invalidateQueries({ queryKey: ['get', '/v1/apps/{id}'] }),
  ]);
}

/** The name of the right that opens the page. */
export const appsRight = 'Application Credentials';

interface DialogProps {
  open: boolean;
  onClose: () => void;
}

/** Creates an app: a name, then its APIs; afterwards it shows key and secret. */
export function CreateApp({ open, onClose, onCreated }: DialogProps & { onCreated: (id: string) => void }) {
  return (
    <IssuedDialog<IssuedApp>
      open={open}
      onClose={onClose}
      title="Create app"
      doneTitle="App created"
      size={640}
      form={(done) => <CreateForm onDone={done} onCancel={onClose} />}
      shown={(app, copied, primary) => <IssuedSecrets app={app} onCopied={copied} primary={primary} />}
      onSaved={(app) => onCreated(app.id)}
    />
  );
}

function CreateForm({ onDone, onCancel }: { onDone: (app: IssuedApp) => void; onCancel: () => void }) {
  const me = useMe();
  const { org, tenant, tenantQuery } = useScope();
  const once = useOnce();
  const [name, setName] = useState('');
  const [at, setAt] = useState<string | undefined>(org ?? (tenant ? undefined : me.organization.id));
  const [chosen, setChosen] = useState<ReadonlySet<string>>(new Set());
  const [search, setSearch] = useState('');
  const catalog = $api.useQuery('get', '/v1/catalog', {
    params: { query: { ...tenantQuery, ...(at ? { organization_id: at } : {}) } },
  });

  async function submit() {
    if (name.trim() === '') throw new FieldError('name', 'Enter a name');
    if (chosen.size === 0) throw new FieldError('apis', 'Choose at least one API');
    const app = await answered(
      api.POST('/v1/apps', {
        params: { query: tenantQuery, header: once.headers() },
        body: { name: name.trim(), apis: [...chosen], ...(at ? { organization_id: at } : {}) },
      }),
    );
    await appsChanged();
    onDone(app);
  }
  return (
    <DialogForm fields={['name', 'apis', 'organization_id']} onSubmit={submit} onCancel={onCancel} action="Save">
      {(errors) => (
        <>
          <TextField
            label="Name"
            description="What it is for, such as the program that uses it"
            data-autofocus
            maxLength={200}
            value={name}
            onChange={setName}
            error={errors.name}
          />
          <OrganizationPicker
            label="Organization"
            value={at}
            onChange={(id) => {
              setAt(id);
              setChosen(new Set());
            }}
            error={errors.organization_id}
          />
          <div role="group" aria-label="APIs">
            <div className="apihead">
              <span className="fieldlabel">APIs</span>
              <span className="muted">{chosen.size === 0 ? 'None chosen' : `${chosen.size} chosen`}</span>
              <TextField
                aria-label="Search APIs"
                placeholder="Search APIs"
                type="search"
                className="apisearch"
                leftSection={<IconSearch size={16} stroke={1.6} aria-hidden />}
                value={search}
                onChange={setSearch}
              />
            </div>
            <div className="apibox" tabIndex={-1}>
              {catalog.data && (
                <APIPicker catalog={catalog.data} search={search} chosen={chosen} had={none} onChange={setChosen} />
              )}
              <ProblemNote error={catalog.error} />
            </div>
            {errors.apis && <p className="fielderror">{errors.apis}</p>}
          </div>
        </>
      )}
    </DialogForm>
  );
}

const none: ReadonlySet<string> = new Set();

/** Key and secret of an app as they were just made. */
function IssuedSecrets({ app, onCopied, primary }: { app: IssuedApp; onCopied: () => void; primary: boolean }) {
  if (!app.secret_available || app.key === undefined || app.secret === undefined) {
    return <Info>Key and secret were shown when this was first done. Show them again on the app’s page.</Info>;
  }
  return (
    <>
      {app.recoverable ? (
        <Info>You can show this key and its secret again later. Showing them is written to the audit log.</Info>
      ) : (
        <Notice>
          <b>This key is shown only now.</b> Claviger keeps no copy of it. If it is lost, create another and revoke this
          one.
        </Notice>
      )}
      <ShownValue label="Key" value={app.key} primary={primary} onCopied={onCopied} secret />
      <ShownValue label="Secret" value={app.secret} onCopied={onCopied} secret />
      <Text size="sm" c="dimmed">
        Send the key as <span className="mono">X-API-Key</span>, or both to <span className="mono">/oauth2/token</span>{' '}
        for a token. {app.apis.length === 1 ? 'The app has one API' : `The app has ${app.apis.length} APIs`}:{' '}
        {apiNames(app)}.
      </Text>
    </>
  );
}

/** Changes an app's name. */
export function RenameApp({ app, open, onClose }: DialogProps & { app: App }) {
  return (
    <Dialog open={open} onClose={onClose} title={`Edit the name of “${app.name}”`}>
      <RenameForm app={app} onClose={onClose} />
    </Dialog>
  );
}

function RenameForm({ app, onClose }: { app: App; onClose: () => void }) {
  const [name, setName] = useState(app.name);
  async function submit() {
    if (name.trim() === '') throw new FieldError('name', 'Enter a name');
    await answered(api.PATCH('/v1/apps/{id}', { params: { path: { id: app.id } }, body: { name: name.trim() } }));
    await appsChanged();
    toast('App renamed');
    onClose();
  }
  return (
    <DialogForm fields={['name']} onSubmit={submit} onCancel={onClose} action="Save">
      {(errors) => (
        <TextField label="Name" data-autofocus maxLength={200} value={name} onChange={setName} error={errors.name} />
      )}
    </DialogForm>
  );
}

/** The rotation that an app is in, or was. */
export function rotationOf(app: App): Rotation {
  return {
    kind: 'apps',
    id: app.id,
    name: app.name,
    what: 'key and secret',
    until: app.previous_valid_until,
    mayRollBack: true,
    changed: appsChanged,
  };
}

/** Gives an app a new key and a new secret: why, then those, then who still uses the old ones. */
export function RotateApp({ app, open, onClose }: DialogProps & { app: App }) {
  const [rotated, setRotated] = useState<App>();
  const rotation = useRotation(rotated && rotationOf(rotated));
  return (
    <>
      <IssuedDialog<IssuedApp>
        open={open}
        onClose={onClose}
        title={`Rotate “${app.name}”?`}
        doneTitle="New key and secret"
        size={560}
        form={(done) => (
          <RotateForm
            what="key and secret"
            action="Rotate"
            onCancel={onClose}
            rotate={async (grace, header) => {
              const issued = await answered(
                api.POST('/v1/apps/{id}/rotate', {
                  params: { path: { id: app.id }, header },
                  body: { grace_period_seconds: grace },
                }),
              );
              await appsChanged();
              done(issued);
            }}
          >
            <Text size="md">The app gets a new key and a new secret. Its APIs, limits and history stay.</Text>
          </RotateForm>
        )}
        shown={(issued, copied, primary) => <IssuedSecrets app={issued} onCopied={copied} primary={primary} />}
        onSaved={(issued) => {
          setRotated(issued);
          if (issued.previous_valid_until) rotation.open();
        }}
      />
      {rotation.dialogs}
    </>
  );
}

/** Stops an app until it is resumed. */
export function SuspendApp({ app, open, onClose }: DialogProps & { app: App }) {
  const once = useOnce();
  return (
    <ConfirmDialog
      open={open}
      onClose={onClose}
      title={`Suspend “${app.name}”?`}
      action="Suspend app"
      onConfirm={async () => {
        await answered(api.POST('/v1/apps/{id}/suspend', { params: { path: { id: app.id }, header: once.headers() } }));
        once.renew();
        await appsChanged();
        toast('App suspended');
      }}
    >
      <Text size="md">Calls with its key and with tokens already issued fail until you resume it.</Text>
      <Facts items={[['Last used', <Past key="used" at={app.last_used_at} />]]} />
    </ConfirmDialog>
  );
}

/** Lets a suspended app go on. */
export async function resumeApp(app: App) {
  await answered(
    api.POST('/v1/apps/{id}/resume', {
      params: { path: { id: app.id }, header: { 'Idempotency-Key': crypto.randomUUID() } },
    }),
  );
  await appsChanged();
  toast('App resumed');
}

/** Ends an app for good. */
export function DeleteApp({
  app,
  open,
  onClose,
  onDeleted,
}: DialogProps & { app: App; onDeleted?: () => Promise<void> }) {
  return (
    <ConfirmDialog
      open={open}
      onClose={onClose}
      title={`Delete “${app.name}”?`}
      action="Delete app"
      onConfirm={async () => {
        await answer(api.DELETE('/v1/apps/{id}', { params: { path: { id: app.id } } }));
        await onDeleted?.();
        queryClient.removeQueries({ queryKey: ['get', '/v1/apps/{id}'] });
        await queryClient.invalidateQueries({ queryKey: ['get', '/v1/apps'] });
        toast('App deleted');
      }}
    >
      <Text size="md">Its key is revoked and tokens already issued stop working. This cannot be undone.</Text>
      <Facts
        items={[
          ['APIs', apiNames(app)],
          ['Last used', <Past key="used" at={app.last_used_at} />],
        ]}
      />
    </ConfirmDialog>
  );
}

interface StateFilterProps {
  /** What is listed when nothing is chosen. */
  all?: string;
  value: string | undefined;
  onChange: (state?: string) => void;
}

/** States that a list of apps or service accounts can be narrowed to. */
export function StateFilter({ all = 'Active and suspended', value, onChange }: StateFilterProps) {
  return (
    <Select
      aria-label="State"
      w={180}
      data={[
        { value: '', label: all },
        { value: 'active', label: 'Active' },
        { value: 'suspended', label: 'Suspended' },
      ]}
      value={value ?? ''}
      onChange={(state) => onChange(state || undefined)}
    />
  );
}
