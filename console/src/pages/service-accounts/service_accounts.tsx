import { Button } from '@mantine/core';
import { IconPlus, IconRobot } from '@tabler/icons-react';
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
import { PhoneLine, Used } from '../../state/phone_line';
import { Blank, NoMatch, NoPermission } from '../../state/blank';
import { ListRefused } from '../../state/plan_gate';
import { ProblemNote } from '../../state/problem_note';
import { type Column, DataTable } from '../../table/data_table';
import { Filters } from '../../table/filters';
import { useListState } from '../../table/list_state';
import { SearchInput } from '../../table/search_input';
import { Past } from '../../time/when';
import { StateFilter } from '../apps/dialogs';
import { accountName, accountsRight, roleNames, type ServiceAccount } from './account';
import { AccountKeys } from './account_keys';
import { AddServiceAccount } from './add';
import { DeleteAccount, EditAccount, resumeAccount, SuspendAccount } from './dialogs';

/** The service accounts of the scope, and the account API keys that came before them. */
export function ServiceAccountsPage() {
  const may = useCan('claviger.service_accounts:manage');
  const mayKeys = useCan('claviger.account_keys:manage');
  return (
    <Page>
      {may ? (
        <ServiceAccounts mayKeys={mayKeys} />
      ) : (
        <>
          <PageHead title="Service accounts" help="service-accounts" />
          {mayKeys ? (
            <AccountKeys alone />
          ) : (
            <div className="tbl">
              <NoPermission right={accountsRight} />
            </div>
          )}
        </>
      )}
    </Page>
  );
}

type Doing = { what: 'edit' | 'suspend' | 'delete'; account: ServiceAccount };

function ServiceAccounts({ mayKeys }: { mayKeys: boolean }) {
  const { query } = useScope();
  const navigate = useNavigate();
  const list = useListState('-created_at', ['state']);
  const [adding, setAdding] = useState(false);
  const [doing, setDoing] = useState<Doing>();
  const [open, setOpen] = useState(false);
  const [error, setError] = useState<unknown>();
  const state = list.filter('state') as 'active' | 'suspended' | undefined;
  const accounts = $api.useQuery('get', '/v1/service-accounts', {
    params: { query: { ...query, ...list.query, ...(state ? { state } : {}) } },
  });
  const refused = accounts.error && !accounts.data;
  const gated = refused && problemOf(accounts.error).status === 403;
  const columns = useColumns();
  useCreate(gated ? undefined : () => setAdding(true));

  const begin = (what: Doing['what'], account: ServiceAccount) => {
    setDoing({ what, account });
    setOpen(true);
  };
  const dialog = (what: Doing['what']) => ({ open: open && doing?.what === what, onClose: () => setOpen(false) });
  return (
    <>
      <PageHead title="Service accounts" help="service-accounts">
        {!gated && (
          <Button leftSection={<IconPlus size={16} aria-hidden />} onClick={() => setAdding(true)}>
            Add
          </Button>
        )}
      </PageHead>
      {!gated && (
        <Filters
          search={<SearchInput what="service accounts" value={list.search} onChange={list.setSearch} />}
          active={state !== undefined}
        >
          <StateFilter value={state} onChange={(to) => list.setFilter({ state: to })} />
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
            what="The service accounts"
            things="service accounts"
            right={accountsRight}
            error={accounts.error}
            onRetry={() => void accounts.refetch()}
          />
        </div>
      ) : (
        <DataTable<ServiceAccount>
          label="Service accounts"
          noun={['service account', 'service accounts']}
          rows={accounts.data?.items}
          columns={columns}
          idOf={(account) => account.id}
          nameOf={accountName}
          iconOf={() => IconRobot}
          quiet={(account) => account.state !== 'active'}
          onOpen={(account) => void navigate({ to: `/service-accounts/${account.id}` })}
          actions={(account) => [
            { label: 'Edit', onClick: () => begin('edit', account) },
            account.state === 'suspended'
              ? {
                  label: 'Resume',
                  onClick: () => void resumeAccount(account).then(() => setError(undefined), setError),
                }
              : { label: 'Suspend', onClick: () => begin('suspend', account) },
            { label: 'Delete service account', onClick: () => begin('delete', account), destroys: true },
          ]}
          phone={(account) => ({
            badge: <ExceptionBadge state={account.state} />,
            key: account.account_email,
            about: (
              <PhoneLine what={roleNames(account)}>
                <Used at={account.last_used_at} />
              </PhoneLine>
            ),
          })}
          total={accounts.data?.total}
          list={list}
          next={accounts.data?.next_cursor}
          previous={accounts.data?.previous_cursor}
          fetching={accounts.isFetching}
          empty={
            <Empty narrowed={list.narrowed} search={list.search} onClear={list.clear} onAdd={() => setAdding(true)} />
          }
        />
      )}
      {mayKeys && !gated && <AccountKeys />}
      <AddServiceAccount
        open={adding}
        onClose={() => setAdding(false)}
        onAdded={(id, key) =>
          void navigate({ to: `/service-accounts/${id}`, search: { key } as never, state: { savedKey: key } as never })
        }
      />
      {doing && (
        <>
          <EditAccount key={`edit ${doing.account.id}`} account={doing.account} {...dialog('edit')} />
          <SuspendAccount key={`suspend ${doing.account.id}`} account={doing.account} {...dialog('suspend')} />
          <DeleteAccount key={`delete ${doing.account.id}`} account={doing.account} {...dialog('delete')} />
        </>
      )}
    </>
  );
}

function useColumns(): Column<ServiceAccount>[] {
  return useMemo(
    () => [
      {
        title: 'Name',
        cell: (account) => (
          <span className="namewith">
            <Link to={`/service-accounts/${account.id}`} className="keyname trunc" title={accountName(account)}>
              {accountName(account)}
            </Link>
            <ExceptionBadge state={account.state} />
          </span>
        ),
      },
      {
        title: 'Account e-mail',
        sort: 'email',
        width: 236,
        cell: (account) => (
          <span className="mono trunc keytext" title={account.account_email}>
            {account.account_email}
          </span>
        ),
      },
      {
        title: 'Roles',
        width: 190,
        cell: (account) => (
          <span className={account.roles.length === 0 ? 'muted' : 'trunc'} title={roleNames(account)}>
            {roleNames(account)}
          </span>
        ),
      },
      {
        title: 'Organization',
        width: 130,
        cell: (account) => <span className="trunc">{account.organization_name}</span>,
      },
      { title: 'Keys', width: 56, align: 'right', cell: (account) => account.keys },
      { title: 'Created', sort: 'created_at', width: 108, cell: (account) => <Past at={account.created_at} /> },
      { title: 'Last used', width: 104, cell: (account) => <Past at={account.last_used_at} /> },
    ],
    [],
  );
}

interface EmptyProps {
  narrowed: boolean;
  search: string;
  onClear: () => void;
  onAdd: () => void;
}

function Empty({ narrowed, search, onClear, onAdd }: EmptyProps) {
  const where = useScopeName();
  if (narrowed) return <NoMatch what="service accounts" search={search} where={where} onClear={onClear} />;
  return (
    <Blank
      icon={IconRobot}
      title="No service accounts yet"
      actions={<Button onClick={onAdd}>Add service account</Button>}
    >
      A service account is a program’s own identity. It signs its tokens with a key whose private half only it has, and
      may do what its roles say.
    </Blank>
  );
}
