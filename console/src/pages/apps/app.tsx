import { Button, Group } from '@mantine/core';
import { IconSearch } from '@tabler/icons-react';
import { useNavigate, useParams } from '@tanstack/react-router';
import { type ReactNode, useState } from 'react';
import { $api, answered, api } from '../../api/client';
import { RotationNote, useRotation } from '../../dialog/rotation';
import { Code, RecoverableSecret } from '../../dialog/secret';
import { TextField } from '../../dialog/text_field';
import { Card, Facts, Page } from '../../shell/page';
import { PageHead } from '../../shell/page_head';
import { StateBadge } from '../../state/badge';
import { ObjectPage } from '../../state/object_page';
import { Info, ProblemNote } from '../../state/problem_note';
import { toast } from '../../state/toast';
import { useNow } from '../../time/now';
import { Expiry, Moment, Past } from '../../time/when';
import { counted } from '../../words';
import { APIPicker } from './api_picker';
import { type App, changes, stateOf } from './choice';
import { appsChanged, DeleteApp, RenameApp, resumeApp, RotateApp, rotationOf, SuspendApp } from './dialogs';

/** One app: its key and secret, its APIs. */
export function AppPage() {
  const { id } = useParams({ strict: false }) as { id: string };
  const app = $api.useQuery('get', '/v1/apps/{id}', { params: { path: { id } } }, { placeholderData: undefined });
  return (
    <ObjectPage query={app} what="app" things="apps" parent={{ label: 'Apps', to: '/apps' }} help="apps">
      {(data) => (
        <Page kind="detail">
          <AppView app={data} />
        </Page>
      )}
    </ObjectPage>
  );
}

type Doing = 'rename' | 'rotate' | 'suspend' | 'delete';

function AppView({ app }: { app: App }) {
  const navigate = useNavigate();
  const now = useNow();
  const [doing, setDoing] = useState<Doing>();
  const [error, setError] = useState<unknown>();
  const state = stateOf(app, now);
  const dialog = (what: Doing) => ({ app, open: doing === what, onClose: () => setDoing(undefined) });
  const rotation = rotationOf(app);
  const { open, dialogs } = useRotation(rotation);
  return (
    <>
      <PageHead
        title={app.name}
        parent={{ label: 'Apps', to: '/apps' }}
        help="apps"
        badge={<StateBadge state={state} />}
      >
        <Button variant="default" onClick={() => setDoing('rename')}>
          Edit name
        </Button>
        <Button variant="default" onClick={() => setDoing('rotate')}>
          Rotate
        </Button>
        {app.state === 'suspended' ? (
          <Button variant="default" onClick={() => void resumeApp(app).then(() => setError(undefined), setError)}>
            Resume
          </Button>
        ) : (
          <Button variant="default" onClick={() => setDoing('suspend')}>
            Suspend
          </Button>
        )}
        <Button variant="outline" color="red" className="destroy" onClick={() => setDoing('delete')}>
          Delete app
        </Button>
      </PageHead>
      {error !== undefined && (
        <div className="listproblem">
          <ProblemNote error={error} />
        </div>
      )}
      <div className="split">
        <div className="stack">
          <Secrets app={app} key={app.secret_version}>
            <RotationNote rotation={rotation} onOpen={open} />
          </Secrets>
          <APIs app={app} key={app.id} />
        </div>
        <div className="stack">
          <Card title="Details">
            <Facts
              items={[
                ['Organization', app.organization_name],
                ['Created by', app.created_by.display_name || app.created_by.name],
                ['Created', <Moment key="created" at={app.created_at} />],
                ['Last used', <Past key="used" at={app.last_used_at} />],
                ['Expires', <Expiry key="expires" at={app.expires_at} />],
                [
                  'Networks',
                  app.networks.length > 0 && (
                    <span key="networks" className="mono">
                      {app.networks.join(' ')}
                    </span>
                  ),
                ],
                [
                  'External ID',
                  app.external_id && (
                    <span key="external" className="mono">
                      {app.external_id}
                    </span>
                  ),
                ],
                [
                  'ID',
                  <span key="id" className="mono">
                    {app.credential_id}
                  </span>,
                ],
              ]}
            />
          </Card>
          <Card title="Get a token">
            <Code label="How to get a token">{tokenExample()}</Code>
            <p className="muted small">
              Or send the key itself, as <span className="mono">X-API-Key</span>.
            </p>
          </Card>
        </div>
      </div>
      <RenameApp {...dialog('rename')} />
      <RotateApp {...dialog('rotate')} />
      <SuspendApp {...dialog('suspend')} />
      <DeleteApp {...dialog('delete')} onDeleted={() => navigate({ to: '/apps' })} />
      {dialogs}
    </>
  );
}

function tokenExample(): string {
  return `CLAVIGER=${location.origin}\ncurl $CLAVIGER/oauth2/token \\\n  --user \"$KEY:$SECRET\" \\\n  -d grant_type=client_credentials`;
}

function Secrets({ app, children }: { app: App; children: ReactNode }) {
  const read = (which: 'key' | 'secret') => async () =>
    (await answered(api.POST('/v1/apps/{id}/reveal', { params: { path: { id: app.id } } })))[which];
  if (!app.recoverable) {
    return (
      <Card title="Credentials">
        <Facts
          items={[
            [
              'Key',
              <span key="key" className="mono">
                {app.hint}
              </span>,
            ],
          ]}
        />
        <p className="muted small">Claviger keeps no copy of the key and its secret. If they are lost, rotate them.</p>
        {children}
      </Card>
    );
  }
  const brand = app.hint.split('_')[0];
  return (
    <Card title="Credentials">
      <div className="stack">
        <RecoverableSecret label="Key" hint="Send as X-API-Key" masked={`${brand}_app_${dots}`} reveal={read('key')} />
        <RecoverableSecret
          label="Secret"
          hint="With the key, at /oauth2/token"
          masked={`${brand}_aps_${dots}`}
          reveal={read('secret')}
        />
      </div>
      <p className="muted small">Showing or copying asks for your password again and is written to the audit log.</p>
      {children}
    </Card>
  );
}

const dots = '•'.repeat(24);

/** The app's APIs: the choice can be changed, at once when saved. */
function APIs({ app }: { app: App }) {
  const had = new Set(app.apis.map((a) => a.key));
  const gone = app.apis.filter((a) => a.name === '').map((a) => a.key);
  const [choice, setChoice] = useState<ReadonlySet<string>>();
  const [search, setSearch] = useState('');
  const [error, setError] = useState<unknown>();
  const [busy, setBusy] = useState(false);
  const catalog = $api.useQuery('get', '/v1/catalog', {
    params: { query: { tenant_id: app.tenant_id, organization_id: app.organization_id } },
  });
  const chosen = choice ?? had;
  const count = changes(had, chosen);
  const all = catalog.data?.groups.flatMap((group) => group.apis) ?? [];

  async function save() {
    setBusy(true);
    setError(undefined);
    try {
      const apis = [...chosen].filter((key) => !gone.includes(key));
      await answered(api.PATCH('/v1/apps/{id}', { params: { path: { id: app.id } }, body: { apis } }));
      await appsChanged();
      setChoice(undefined);
      toast('Changes have been saved');
    } catch (problem) {
      setError(problem);
    } finally {
      setBusy(false);
    }
  }
  return (
    <Card
      title="APIs"
      flush
      note={catalog.data && `${all.filter((a) => chosen.has(a.key)).length} of ${all.length} chosen`}
      actions={
        <TextField
          type="search"
          aria-label="Search APIs"
          placeholder="Search APIs"
          className="apisearch"
          data-search
          leftSection={<IconSearch size={16} stroke={1.6} aria-hidden />}
          value={search}
          onChange={setSearch}
        />
      }
    >
      {catalog.data && (
        <APIPicker catalog={catalog.data} search={search} chosen={chosen} had={had} onChange={setChoice} />
      )}
      {gone.length > 0 && (
        <div className="cardb">
          <Info>
            The catalogue no longer has {gone.join(', ')}: the app cannot call {gone.length === 1 ? 'it' : 'them'}.
            Saving another choice removes {gone.length === 1 ? 'it' : 'them'}.
          </Info>
        </div>
      )}
      {catalog.error && (
        <div className="cardb">
          <ProblemNote error={catalog.error} />
        </div>
      )}
      {count > 0 && (
        <div className="apisave">
          <span className="muted" role="status">
            {chosen.size === 0
              ? 'Choose at least one API'
              : `${counted(count, 'change', 'changes')}, in effect as soon as it is saved`}
          </span>
          <ProblemNote error={error} />
          <Group gap={8} ml="auto" wrap="nowrap">
            <Button
              variant="default"
              onClick={() => {
                setChoice(undefined);
                setError(undefined);
              }}
            >
              Discard
            </Button>
            <Button loading={busy} disabled={chosen.size === 0} onClick={() => void save()}>
              Save
            </Button>
          </Group>
        </div>
      )}
    </Card>
  );
}
