import { ActionIcon, Badge, Button, Tooltip } from '@mantine/core';
import { IconListCheck, IconPlus, IconShieldLock } from '@tabler/icons-react';
import { Link, useNavigate } from '@tanstack/react-router';
import { useMemo, useState } from 'react';
import { missingAt } from '../../session/held';
import { can, useMe } from '../../session/me';
import { useCreate } from '../../shell/shortcuts';
import { Page } from '../../shell/page';
import { PageHead } from '../../shell/page_head';
import { LoadFailed, NoMatch, NoPermission } from '../../state/blank';
import { type Column, DataTable, type RowAction } from '../../table/data_table';
import { useListState } from '../../table/list_state';
import { SearchInput } from '../../table/search_input';
import { number } from '../../words';
import { useRoles, useRootPath } from './data';
import { fixedReason, type Role } from './grants';
import { CreateRoleDialog, DeleteRoleDialog } from './role_dialogs';

/** Roles */
export function RolesPage() {
  const me = useMe();
  if (can(me, 'claviger.roles:read', 'claviger.roles:manage')) return <Roles />;
  return (
    <Page kind="plain">
      <PageHead title="Roles" help="roles" />
      <NoPermission right="Roles: look" />
    </Page>
  );
}

/** Whether the caller may make and change roles: they count everywhere, so it takes the right at the root. */
export function useMayShape(): boolean {
  const me = useMe();
  const root = useRootPath();
  return root ? missingAt(me, root, ['claviger.roles:manage']).length === 0 : can(me, 'claviger.roles:manage');
}

function Roles() {
  const navigate = useNavigate();
  const list = useListState('name');
  const { query, items, byID } = useRoles();
  const mayShape = useMayShape();
  const [creating, setCreating] = useState<{ from?: Role }>();
  const [deleting, setDeleting] = useState<Role>();
  useCreate(mayShape ? () => setCreating({}) : undefined);

  const open = (role: Role, essentials = false) =>
    void navigate({ to: `/roles/${role.id}`, search: (essentials ? { essentials: 'open' } : {}) as never });
  const needle = list.search.trim().toLowerCase();
  const rows = useMemo(
    () => items.filter((role) => [role.name, role.description].some((text) => text?.toLowerCase().includes(needle))),
    [items, needle],
  );
  const columns = useMemo<Column<Role>[]>(
    () => [
      {
        title: 'Name',
        cell: (role) => (
          <span className="namewith">
            <Link to={`/roles/${role.id}`} className="keyname trunc" title={role.name}>
              {role.name}
            </Link>
          </span>
        ),
      },
      {
        title: 'Essentials',
        width: 96,
        cell: (role) => (
          <Tooltip label="Essentials">
            <ActionIcon
              component={Link}
              to={`/roles/${role.id}`}
              search={{ essentials: 'open' } as never}
              size={28}
              aria-label={`Essentials of ${role.name}`}
            >
              <IconListCheck size={17} stroke={1.6} />
            </ActionIcon>
          </Tooltip>
        ),
      },
      { title: 'Kind', width: 110, cell: (role) => (role.built_in ? 'Built-in' : 'Custom') },
      {
        title: 'Description',
        width: 400,
        cell: (role) => (
          <span className="trunc" title={role.description}>
            {role.description}
          </span>
        ),
      },
      {
        title: 'Includes',
        width: 180,
        cell: (role) => {
          const names = role.includes.map((id) => byID.get(id)?.name ?? '…').join(', ');
          return names ? (
            <span className="trunc" title={names}>
              {names}
            </span>
          ) : (
            <span className="muted">–</span>
          );
        },
      },
      { title: 'Held by', width: 90, align: 'right', cell: (role) => number(role.holders) },
    ],
    [byID],
  );
  const actions = (role: Role): RowAction[] => [
    { label: 'Essentials', onClick: () => open(role, true) },
    ...(mayShape
      ? [
          { label: 'Copy', onClick: () => setCreating({ from: role }) },
          {
            label: 'Delete',
            destroys: true,
            onClick: () => setDeleting(role),
            disabled: role.built_in
              ? (fixedReason(role) ?? 'Built-in roles cannot be deleted.')
              : role.holders > 0
                ? 'Someone has this role.'
                : undefined,
          },
        ]
      : []),
  ];
  return (
    <Page>
      <PageHead title="Roles" help="roles">
        {mayShape && (
          <Button leftSection={<IconPlus size={16} aria-hidden />} onClick={() => setCreating({})}>
            Create role
          </Button>
        )}
      </PageHead>
      <div className="filters">
        <SearchInput what="roles" value={list.search} onChange={list.setSearch} />
      </div>
      {query.error && !query.data ? (
        <LoadFailed what="The roles" error={query.error} onRetry={() => void query.refetch()} />
      ) : (
        <DataTable
          label="Roles"
          noun={['role', 'roles']}
          rows={query.data ? rows : undefined}
          columns={columns}
          idOf={(role) => role.id}
          nameOf={(role) => role.name}
          iconOf={() => IconShieldLock}
          onOpen={open}
          actions={actions}
          phone={(role) => ({
            badge: role.built_in ? undefined : <Badge color="gray">Custom</Badge>,
            about: role.description || `Held by ${number(role.holders)}`,
          })}
          total={query.data ? rows.length : undefined}
          fetching={query.isFetching}
          empty={<NoMatch what="roles" search={list.search} onClear={list.clear} />}
        />
      )}
      <CreateRoleDialog
        key={creating?.from?.id ?? 'new'}
        open={creating !== undefined}
        from={creating?.from}
        onClose={() => setCreating(undefined)}
        onCreated={(role) => open(role, true)}
      />
      {deleting && <DeleteRoleDialog role={deleting} open onClose={() => setDeleting(undefined)} />}
    </Page>
  );
}
