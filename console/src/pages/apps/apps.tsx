import { Button } from '@mantine/core';
import { IconApps, IconPlus } from '@tabler/icons-react';
import { Link, useNavigate } from '@tanstack/react-router';
import { useMemo, useState } from 'react';
import { $api } from '../../api/client';
import { problemOf } from '../../api/problem';
import { useCan } from '../../session/me';
import { useScope } from '../../session/scope';
import { useScopeName } from '../../shell/organizations';
import { Page } from '../../shell/page';
import { PageHead } from '../../shell/page_head';
import { useCreate } from '../../shell/shortcuts';
import { ExceptionBadge } from '../../state/badge';
import { Blank, NoMatch, NoPermission } from '../../state/blank';
import { ListRefused } from '../../state/plan_gate';
import { ProblemNote } from '../../state/problem_note';
import { PhoneLine, Used } from '../../state/phone_line';
import { type Column, DataTable } from '../../table/data_table';
import { Filters } from '../../table/filters';
import { useListState } from '../../table/list_state';
import { SearchInput } from '../../table/search_input';
import { useNow } from '../../time/now';
import { Expiry, Past } from '../../time/when';
import { type App, apiNames, stateOf } from './choice';
import { appsRight, CreateApp, DeleteApp, RenameApp, resumeApp, RotateApp, StateFilter, SuspendApp } from './dialogs';

/** The apps of the scope. */
export function AppsPage() {
  const may = useCan('claviger.apps:manage');
  return (
    <Page>
      {may ? (
        <Apps />
      ) : (
        <>
          <PageHead title="Apps" help="apps" />
          <div className="tbl">
            <NoPermission right={appsRight} />
          </div>
        </>
      )}
    </Page>
  );
}

type Doing = { what: 'rename' | 'rotate' | 'suspend' | 'delete'; app: App };

function Apps() {
  const { query } = useScope();
  const navigate = useNavigate();
  const list = useListState('name', ['state']);
  const [creating, setCreating] = useState(false);
  const [doing, setDoing] = useState<Doing>();
  const [open, setOpen] = useState(false);
  const [error, setError] = useState<unknown>();
  const state = list.filter('state') as 'active' | 'suspended' | undefined;
  const apps = $api.useQuery('get', '/v1/apps', {
    params: { query: { ...query, ...list.query, ...(state ? { state } : {}) } },
  });
  const refused = apps.error && !apps.data;
  const gated = refused && problemOf(apps.error).status === 403;
  const columns = useColumns();
  useCreate(gated ? undefined : () => setCreating(true));

  const show = (id: string) => void navigate({ to: `/apps/${id}` });
  const begin = (what: Doing['what'], app: App) => {
    setDoing({ what, app });
    setOpen(true);
  };
  const dialog = (what: Doing['what']) => ({ open: open && doing?.what === what, onClose: () => setOpen(false) });
  return (
    <>
      <PageHead title="Apps" help="apps">
        {!gated && (
          <Button leftSection={<IconPlus size={16} aria-hidden />} onClick={() => setCreating(true)}>
            Create app
          </Button>
        )}
      </PageHead>
      {!gated && (
        <Filters
          search={<SearchInput what="apps" value={list.search} onChange={list.setSearch} />}
          active={state !== undefined}
        >
          <StateFilter all="All apps" value={state} onChange={(to) => list.setFilter({ state: to })} />
        </Filters>
      )}
      {error !== undefined && (
        <div className="listproblem">
          <ProblemNote error={error} />
        </div>
      )}
      {refused ? (
        <div className="tbl">
          <ListRefused
            what="The apps"
            things="apps"
            right={appsRight}
            error={apps.error}
            onRetry={() => void apps.refetch()}
          />
        </div>
      ) : (
        <DataTable<App>
          label="Apps"
          noun={['app', 'apps']}
          rows={apps.data?.items}
          columns={columns}
          idOf={(app) => app.id}
          nameOf={(app) => app.name}
          iconOf={() => IconApps}
          quiet={(app) => app.state !== 'active'}
          onOpen={(app) => show(app.id)}
          actions={(app) => [
            { label: 'Edit name', onClick: () => begin('rename', app) },
            { label: 'Rotate', onClick: () => begin('rotate', app) },
            app.state === 'suspended'
              ? { label: 'Resume', onClick: () => void resumeApp(app).then(() => setError(undefined), setError) }
              : { label: 'Suspend', onClick: () => begin('suspend', app) },
            { label: 'Delete app', onClick: () => begin('delete', app), destroys: true },
          ]}
          phone={(app) => ({
            badge: <StateOf app={app} />,
            key: app.hint,
            about: (
              <PhoneLine what={apiNames(app)}>
                <Used at={app.last_used_at} />
              </PhoneLine>
            ),
          })}
          total={apps.data?.total}
          list={list}
          next={apps.data?.next_cursor}
          previous={apps.data?.previous_cursor}
          fetching={apps.isFetching}
          empty={
            <Empty
              narrowed={list.narrowed}
              search={list.search}
              onClear={list.clear}
              onCreate={() => setCreating(true)}
            />
          }
        />
      )}
      <CreateApp open={creating} onClose={() => setCreating(false)} onCreated={show} />
      {doing && (
        <>
          <RenameApp key={`name ${doing.app.id}`} app={doing.app} {...dialog('rename')} />
          <RotateApp key={`rotate ${doing.app.id}`} app={doing.app} {...dialog('rotate')} />
          <SuspendApp key={`suspend ${doing.app.id}`} app={doing.app} {...dialog('suspend')} />
          <DeleteApp key={`delete ${doing.app.id}`} app={doing.app} {...dialog('delete')} />
        </>
      )}
    </>
  );
}

function StateOf({ app }: { app: App }) {
  const now = useNow();
  const rotating = app.previous_valid_until !== undefined && new Date(app.previous_valid_until) > now;
  return <ExceptionBadge state={stateOf(app, now)} rotating={rotating} />;
}

function useColumns(): Column<App>[] {
  return useMemo(
    () => [
      {
        title: 'Name',
        sort: 'name',
        cell: (app) => (
          <span className="namewith">
            <Link to={`/apps/${app.id}`} className="keyname trunc" title={app.name}>
              {app.name}
            </Link>
            <StateOf app={app} />
          </span>
        ),
      },
      {
        title: 'APIs',
        width: 250,
        cell: (app) => (
          <span className="trunc" title={app.apis.map((a) => a.name || a.key).join(', ')}>
            {apiNames(app)}
          </span>
        ),
      },
      { title: 'Organization', width: 140, cell: (app) => <span className="trunc">{app.organization_name}</span> },
      { title: 'Expiration date', width: 176, cell: (app) => <Expiry at={app.expires_at} /> },
      { title: 'Key', width: 152, cell: (app) => <span className="mono keytext">{app.hint}</span> },
      { title: 'Last used', width: 104, cell: (app) => <Past at={app.last_used_at} /> },
    ],
    [],
  );
}

interface EmptyProps {
  narrowed: boolean;
  search: string;
  onClear: () => void;
  onCreate: () => void;
}

function Empty({ narrowed, search, onClear, onCreate }: EmptyProps) {
  const where = useScopeName();
  if (narrowed) return <NoMatch what="apps" search={search} where={where} onClear={onClear} />;
  return (
    <Blank icon={IconApps} title="No apps yet" actions={<Button onClick={onCreate}>Create app</Button>}>
      An app is a program of yours that uses chosen APIs. It has a key and a secret, and can call those APIs and nothing
      else.
    </Blank>
  );
}
