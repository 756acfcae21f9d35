import { Badge, Button, Select } from '@mantine/core';
import { IconPlus, IconUser, IconUsers } from '@tabler/icons-react';
import { Link, useNavigate } from '@tanstack/react-router';
import { useMemo, useState } from 'react';
import { $api } from '../../api/client';
import { can, useMe } from '../../session/me';
import { useScope } from '../../session/scope';
import { useCreate } from '../../shell/shortcuts';
import { Page } from '../../shell/page';
import { PageHead } from '../../shell/page_head';
import { useScopeOrganization } from '../../shell/organizations';
import { ExceptionBadge } from '../../state/badge';
import { Blank, LoadFailed, NoMatch, NoPermission } from '../../state/blank';
import { type Column, DataTable, type RowAction } from '../../table/data_table';
import { Filters } from '../../table/filters';
import { useListState } from '../../table/list_state';
import { SearchInput } from '../../table/search_input';
import { Past } from '../../time/when';
import { useLicences, type User, userName } from './data';
import { InviteDialog } from './invite';
import { type UserAction, UserDialogs } from './user_dialogs';

/** Users */
export function UsersPage() {
  const me = useMe();
  const allowed = can(me, 'claviger.users:read', 'claviger.users:manage');
  if (allowed) return <Users />;
  return (
    <Page kind="plain">
      <PageHead title="Users" help="users" />
      <NoPermission right="Users: look" />
    </Page>
  );
}

function Users() {
  const me = useMe();
  const scope = useScope();
  const where = useScopeOrganization();
  const navigate = useNavigate();
  const licences = useLicences();
  const list = useListState('name', ['state']);
  const state = list.filter('state') as 'active' | 'suspended' | undefined;
  const [inviting, setInviting] = useState(false);
  const [action, setAction] = useState<{ user: User; what: UserAction }>();
  const mayManage = can(me, 'claviger.users:manage');
  useCreate(mayManage ? () => setInviting(true) : undefined);

  const users = $api.useQuery('get', '/v1/users', {
    params: { query: { ...scope.query, ...list.query, ...(state ? { state } : {}) } as never },
  });
  const open = (user: User) => void navigate({ to: `/users/${user.id}` });
  const columns = useMemo<Column<User>[]>(
    () => [
      {
        title: 'Name',
        sort: 'name',
        cell: (user) => (
          <span className="namewith">
            <Link to={`/users/${user.id}`} className="keyname trunc" title={userName(user)}>
              {userName(user)}
            </Link>
            <UserBadge user={user} />
          </span>
        ),
      },
      { title: 'User name', width: 180, cell: (user) => <Cut>{user.username}</Cut> },
      { title: 'Organization', width: 190, cell: (user) => <Cut>{user.organization_name}</Cut> },
      { title: 'Roles', width: 240, cell: (user) => <RolesCell user={user} /> },
      {
        title: 'Licence',
        width: 120,
        cell: (user) => <Cut>{licences.nameOf(user.licence)}</Cut>,
      },
      { title: 'Created', sort: 'created_at', width: 120, cell: (user) => <Past at={user.created_at} /> },
    ],
    [licences],
  );
  const actions = (user: User): RowAction[] => [
    { label: 'Edit', onClick: () => setAction({ user, what: 'edit' }) },
    { label: 'Invite again', onClick: () => setAction({ user, what: 'invite' }) },
    user.state === 'suspended'
      ? { label: 'Resume', onClick: () => setAction({ user, what: 'resume' }) }
      : {
          label: 'Suspend',
          onClick: () => setAction({ user, what: 'suspend' }),
          disabled: user.id === me.principal.id ? 'This is you.' : undefined,
        },
    {
      label: 'Delete',
      destroys: true,
      onClick: () => setAction({ user, what: 'delete' }),
      disabled: user.id === me.principal.id ? 'This is you.' : undefined,
    },
  ];

  return (
    <Page>
      <PageHead title="Users" help="users">
        {mayManage && (
          <Button leftSection={<IconPlus size={16} aria-hidden />} onClick={() => setInviting(true)}>
            Invite user
          </Button>
        )}
      </PageHead>
      <Filters
        search={<SearchInput what="users" value={list.search} onChange={list.setSearch} />}
        active={state !== undefined}
      >
        <Select
          aria-label="State"
          w={200}
          data={[
            { value: '', label: 'Active and suspended' },
            { value: 'active', label: 'Active' },
            { value: 'suspended', label: 'Suspended' },
          ]}
          value={state ?? ''}
          onChange={(value) => list.setFilter({ state: value || undefined })}
        />
      </Filters>
      {users.error && !users.data ? (
        <LoadFailed what="The users" error={users.error} onRetry={() => void users.refetch()} />
      ) : (
        <DataTable
          label="Users"
          noun={['user', 'users']}
          rows={users.data?.items}
          columns={columns}
          idOf={(user) => user.id}
          nameOf={userName}
          iconOf={() => IconUser}
          quiet={(user) => user.state !== 'active'}
          onOpen={open}
          actions={mayManage ? actions : undefined}
          phone={(user) => ({
            badge: <UserBadge user={user} />,
            key: user.username,
            about: [user.organization_name, (user.roles ?? []).map((r) => r.role_name).join(', ')]
              .filter(Boolean)
              .join(' · '),
          })}
          total={users.data?.total}
          list={list}
          next={users.data?.next_cursor}
          previous={users.data?.previous_cursor}
          fetching={users.isFetching}
          empty={
            list.narrowed ? (
              <NoMatch what="users" search={list.search} where={where} onClear={list.clear} />
            ) : (
              <Blank
                icon={IconUsers}
                title={where ? `No users in ${where}` : 'No users yet'}
                actions={mayManage && <Button onClick={() => setInviting(true)}>Invite user</Button>}
              >
                {mayManage
                  ? 'Invite someone: they get a link, choose a password, and can do what their roles allow.'
                  : 'Nobody is here, or you may not see them.'}
              </Blank>
            )
          }
        />
      )}
      <InviteDialog open={inviting} onClose={() => setInviting(false)} />
      {action && (
        <UserDialogs
          key={action.user.id}
          user={action.user}
          action={action.what}
          onClose={() => setAction(undefined)}
        />
      )}
    </Page>
  );
}

/** Only exceptions carry a badge: suspended, and not yet signed up. */
export function UserBadge({ user }: { user: User }) {
  if (user.state === 'active' && user.invited_until) return <Badge color="ink">Invited</Badge>;
  return <ExceptionBadge state={user.state} />;
}

function Cut({ children }: { children: string | undefined }) {
  if (!children) return <span className="muted">–</span>;
  return (
    <span className="trunc" title={children}>
      {children}
    </span>
  );
}

function RolesCell({ user }: { user: User }) {
  const names = [...new Set((user.roles ?? []).map((r) => r.role_name))];
  if (names.length === 0) return <span className="muted">None</span>;
  return <Cut>{names.join(', ')}</Cut>;
}
