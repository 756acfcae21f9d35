import { Button, Select, Tabs } from '@mantine/core';
import { IconLock, IconPlus } from '@tabler/icons-react';
import { Link, useNavigate } from '@tanstack/react-router';
import { useMemo, useState } from 'react';
import { $api } from '../../api/client';
import { hasCode, problemOf } from '../../api/problem';
import { useMe } from '../../session/me';
import { useScope } from '../../session/scope';
import { useScopeName } from '../../shell/organizations';
import { Page } from '../../shell/page';
import { PageHead } from '../../shell/page_head';
import { useCreate } from '../../shell/shortcuts';
import { ExceptionBadge } from '../../state/badge';
import { PhoneLine, Used } from '../../state/phone_line';
import { Blank, NoMatch, NoPermission } from '../../state/blank';
import { ListRefused } from '../../state/plan_gate';
import { type Column, DataTable } from '../../table/data_table';
import { Filters } from '../../table/filters';
import { useListState } from '../../table/list_state';
import { SearchInput } from '../../table/search_input';
import { useNow } from '../../time/now';
import { Expiry, Past } from '../../time/when';
import { type APICredentials, credentialsRight, managesAll, ownerName } from './credentials';
import { CreateCredentials, DeleteCredentials } from './dialogs';

/** API credentials: one's own, or everybody's. */
export function APICredentialsPage() {
  const me = useMe();
  return (
    <Page>
      {me.api_credentials ? (
        <List />
      ) : (
        <>
          <PageHead title="API credentials" help="api-credentials" />
          <div className="tbl">
            {me.permissions.length > 0 && me.licence !== undefined ? (
              <Blank icon={IconLock} title="You do not have access to this page.">
                It takes a licence that offers API credentials, and “{credentialsRight}”. A Super Admin can give you
                both.
              </Blank>
            ) : (
              <NoPermission right={credentialsRight} />
            )}
          </div>
        </>
      )}
    </Page>
  );
}

type State = 'active' | 'suspended' | 'revoked' | 'expired';

function List() {
  const me = useMe();
  const all = managesAll(me);
  const { query, tenantQuery } = useScope();
  const navigate = useNavigate();
  const list = useListState('name', ['state', 'mine']);
  const [creating, setCreating] = useState(false);
  const [deleting, setDeleting] = useState<APICredentials>();
  const [asking, setAsking] = useState(false);

  // VC2: there are tabs where there is something for both.
  const ofAccount = $api.useQuery(
    'get',
    '/v1/client-credentials',
    { params: { query: { ...tenantQuery, level: 'account', limit: 1, include_deleted: false } } },
    { enabled: all },
  );
  const tabs = all && (ofAccount.data?.total ?? 0) > 0;
  const account = tabs && list.filter('tab') === 'accounts';
  const mine = all && !account && list.filter('mine') !== undefined;
  const state = list.filter('state') as State | undefined;
  const credentials = $api.useQuery('get', '/v1/client-credentials', {
    params: {
      query: {
        ...(account ? tenantQuery : query),
        ...list.query,
        ...(state ? { state } : {}),
        ...(mine ? { mine: true } : {}),
        ...(all ? { level: account ? 'account' : 'user' } : {}),
      },
    },
  });
  // Operators of the installation have none of their own in a tenant.
  const offered = $api.useQuery(
    'get',
    '/v1/client-credentials/scopes',
    { params: { query: tenantQuery } },
    { enabled: !me.system },
  );
  const mayCreate = offered.data !== undefined;
  const refused = credentials.error && !credentials.data;
  const gated = refused && problemOf(credentials.error).status === 403;
  const columns = useColumns(all && !account);
  useCreate(mayCreate && !gated ? () => setCreating(true) : undefined);

  const show = (id: string) => void navigate({ to: `/api-credentials/${id}` });
  return (
    <>
      <PageHead
        title="API credentials"
        help="api-credentials"
        sub={
          hasCode(offered.error, 'licence_without_api_credentials') &&
          'Your licence offers no API credentials of your own; you see those of others.'
        }
      >
        {mayCreate && !gated && (
          <Button leftSection={<IconPlus size={16} aria-hidden />} onClick={() => setCreating(true)}>
            Create
          </Button>
        )}
      </PageHead>
      {tabs && (
        <Tabs
          mb={12}
          value={account ? 'accounts' : 'users'}
          onChange={(tab) => list.setFilter({ tab: tab === 'accounts' ? tab : undefined, mine: undefined })}
        >
          <Tabs.List aria-label="Whose">
            <Tabs.Tab value="users">Users</Tabs.Tab>
            <Tabs.Tab value="accounts">Accounts</Tabs.Tab>
          </Tabs.List>
        </Tabs>
      )}
      {!gated && (
        <Filters
          search={<SearchInput what="API credentials" value={list.search} onChange={list.setSearch} />}
          active={state !== undefined || mine}
        >
          {all && !account && (
            <Select
              aria-label="Filter"
              w={180}
              data={[
                { value: '', label: 'All Credentials' },
                { value: '1', label: 'My Credentials' },
              ]}
              value={mine ? '1' : ''}
              onChange={(to) => list.setFilter({ mine: to || undefined })}
            />
          )}
          <Select
            aria-label="State"
            w={160}
            data={[
              { value: '', label: 'All but expired' },
              { value: 'active', label: 'Active' },
              { value: 'suspended', label: 'Suspended' },
              { value: 'revoked', label: 'Revoked' },
              { value: 'expired', label: 'Expired' },
            ]}
            value={state ?? ''}
            onChange={(to) => list.setFilter({ state: to || undefined })}
          />
        </Filters>
      )}
      {refused ? (
        <div className="tbl">
          <ListRefused
            what="The API credentials"
            things="API credentials"
            right={credentialsRight}
            error={credentials.error}
            onRetry={() => void credentials.refetch()}
          />
        </div>
      ) : (
        <DataTable<APICredentials>
          label="API credentials"
          noun={['credential', 'credentials']}
          rows={credentials.data?.items}
          columns={columns}
          idOf={(item) => item.id}
          nameOf={(item) => item.name}
          iconOf={() => IconLock}
          quiet={(item) => item.state !== 'active'}
          onOpen={(item) => show(item.id)}
          trash={(item) => ({
            label: `Delete ${item.name}`,
            onClick: () => {
              setDeleting(item);
              setAsking(true);
            },
          })}
          phone={(item) => ({
            badge: <StateOf credentials={item} />,
            key: item.client_id,
            about: (
              <PhoneLine what={all && !account ? ownerName(item) : undefined}>
                <Used at={item.last_used_at} />
              </PhoneLine>
            ),
          })}
          total={credentials.data?.total}
          list={list}
          next={credentials.data?.next_cursor}
          previous={credentials.data?.previous_cursor}
          fetching={credentials.isFetching}
          empty={
            <Empty
              narrowed={list.narrowed}
              search={list.search}
              onClear={list.clear}
              onCreate={mayCreate ? () => setCreating(true) : undefined}
            />
          }
        />
      )}
      <CreateCredentials open={creating} onClose={() => setCreating(false)} onCreated={show} />
      {deleting && (
        <DeleteCredentials key={deleting.id} credentials={deleting} open={asking} onClose={() => setAsking(false)} />
      )}
    </>
  );
}

function StateOf({ credentials }: { credentials: APICredentials }) {
  const now = useNow();
  const until = credentials.previous_valid_until;
  return (
    <ExceptionBadge
      state={credentials.state}
      from={credentials.not_before}
      rotating={until !== undefined && new Date(until) > now}
    />
  );
}

function useColumns(owners: boolean): Column<APICredentials>[] {
  return useMemo(
    () => [
      {
        title: 'Name',
        sort: 'name',
        cell: (item) => (
          <span className="namewith">
            <Link to={`/api-credentials/${item.id}`} className="keyname trunc" title={item.name}>
              {item.name}
            </Link>
            <StateOf credentials={item} />
          </span>
        ),
      },
      ...(owners
        ? [
            {
              title: 'Owner',
              width: 150,
              cell: (item: APICredentials) => <span className="trunc">{ownerName(item)}</span>,
            },
          ]
        : []),
      {
        title: 'Client ID',
        width: owners ? 190 : 280,
        cell: (item) => (
          <span className="mono trunc keytext" title={item.client_id}>
            {item.client_id}
          </span>
        ),
      },
      {
        title: 'Scopes',
        width: 210,
        cell: (item) => (
          <span className="trunc" title={item.scopes.join(' ')}>
            {item.scopes.join(', ')}
          </span>
        ),
      },
      { title: 'Expiration date', sort: 'expires_at', width: 176, cell: (item) => <Expiry at={item.expires_at} /> },
      { title: 'Last used', sort: 'last_used_at', width: 110, cell: (item) => <Past at={item.last_used_at} /> },
    ],
    [owners],
  );
}

interface EmptyProps {
  narrowed: boolean;
  search: string;
  onClear: () => void;
  onCreate?: () => void;
}

function Empty({ narrowed, search, onClear, onCreate }: EmptyProps) {
  const where = useScopeName();
  if (narrowed) return <NoMatch what="credentials" search={search} where={where} onClear={onClear} />;
  return (
    <Blank
      icon={IconLock}
      title="No API credentials yet"
      actions={onCreate && <Button onClick={onCreate}>Create API credentials</Button>}
    >
      A client ID and a client secret let a program get tokens that act for you, within the scopes that you choose.
    </Blank>
  );
}
