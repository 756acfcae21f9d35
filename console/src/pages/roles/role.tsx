import { ActionIcon, Badge, Button, Text, Tooltip } from '@mantine/core';
import {
  IconChevronLeft,
  IconChevronRight,
  IconListCheck,
  IconPlus,
  IconRobot,
  IconUser,
  IconX,
} from '@tabler/icons-react';
import { Link, useNavigate, useParams, useSearch } from '@tanstack/react-router';
import { useState } from 'react';
import { $api } from '../../api/client';
import { heldAt, missingAt } from '../../session/held';
import { useMe } from '../../session/me';
import { useScope } from '../../session/scope';
import { Card, Facts, Page } from '../../shell/page';
import { PageHead } from '../../shell/page_head';
import { ObjectPage } from '../../state/object_page';
import { Info } from '../../state/problem_note';
import { Moment, Past } from '../../time/when';
import { counted } from '../../words';
import { usePermissions, useRoles, useRootPath } from './data';
import { Essentials } from './essentials';
import {
  allIncluded,
  fixedReason,
  grantName,
  grouped,
  hasStar,
  listed,
  type Permission,
  type Role,
  starText,
} from './grants';
import { CreateRoleDialog, DeleteRoleDialog, ExcludeDialog, IncludeDialog, RenameRoleDialog } from './role_dialogs';
import { useMayShape } from './roles';

/** A role */
export function RolePage() {
  const { id } = useParams({ strict: false }) as { id: string };
  const role = $api.useQuery(
    'get',
    '/v1/roles/{id}',
    { params: { path: { id } } },
    { placeholderData: undefined, retry: false },
  );
  return (
    <ObjectPage query={role} what="role" things="roles" parent={{ label: 'Roles', to: '/roles' }} help="roles">
      {(data) => <RoleShown key={id} role={data} />}
    </ObjectPage>
  );
}

type Asked = 'rename' | 'copy' | 'delete' | 'include';

function RoleShown({ role }: { role: Role }) {
  const me = useMe();
  const navigate = useNavigate();
  const search = useSearch({ strict: false }) as { essentials?: string };
  const root = useRootPath();
  const mayShape = useMayShape();
  const { query, items: permissions, known } = usePermissions();
  const { items: roles, byID } = useRoles();
  const [asked, setAsked] = useState<Asked>();
  const close = () => setAsked(undefined);
  const beyond = root ? missingAt(me, root, role.resolved ?? role.permissions) : [];
  const locked =
    fixedReason(role) ??
    (!mayShape
      ? 'You can look at roles, not change them. That takes “Roles: change” in the whole account.'
      : beyond.length > 0
        ? `You cannot change this role: it grants ${listed(beyond, known)}, which you do not have yourself.`
        : undefined);
  const included = allIncluded(role, byID);
  const includedBy = roles.filter((r) => r.includes.includes(role.id));
  const opened = search.essentials === 'open';
  const toggle = () =>
    void navigate({
      to: '.',
      search: ((old: object) => ({ ...old, essentials: opened ? undefined : 'open' })) as never,
    });
  const toRole = (r: Role) => void navigate({ to: `/roles/${r.id}`, search: { essentials: 'open' } as never });
  return (
    <Page kind="detail">
      <PageHead
        title={role.name}
        parent={{ label: 'Roles', to: '/roles' }}
        help="roles"
        badge={role.built_in ? <Badge color="gray">Built-in</Badge> : undefined}
        sub={role.description}
      >
        {mayShape && (
          <>
            {!role.built_in && (
              <Button variant="default" disabled={locked !== undefined} onClick={() => setAsked('rename')}>
                Edit name
              </Button>
            )}
            <Button variant="default" onClick={() => setAsked('copy')}>
              Copy role
            </Button>
            {!role.built_in && (
              <Button variant="outline" color="red" disabled={locked !== undefined} onClick={() => setAsked('delete')}>
                Delete role
              </Button>
            )}
          </>
        )}
      </PageHead>
      {locked && (
        <div className="pagenote">
          <Info>{locked}</Info>
        </div>
      )}
      <div className="split">
        <div className="stack">
          <Card
            title="Permissions"
            note={`${counted(role.permissions.length, 'permission', 'permissions')}${included.length > 0 ? ', and what it includes' : ''}`}
            flush
            actions={
              <Button
                variant={opened ? 'light' : 'default'}
                leftSection={<IconListCheck size={16} stroke={1.7} aria-hidden />}
                aria-expanded={opened}
                aria-controls={opened ? 'essentials' : undefined}
                onClick={toggle}
              >
                Essentials
              </Button>
            }
          >
            {opened ? (
              query.data && (
                <Essentials
                  role={role}
                  permissions={permissions}
                  known={known}
                  held={root ? heldAt(me, root) : me.permissions}
                  included={included}
                  locked={locked}
                />
              )
            ) : (
              <Summary role={role} permissions={permissions} known={known} included={included} />
            )}
          </Card>
          <HoldersCard role={role} />
        </div>
        <div className="stack">
          <IncludesCard role={role} byID={byID} locked={locked} onAdd={() => setAsked('include')} />
          <Card title="Details">
            <Facts
              items={[
                ['Kind', role.built_in ? 'Built-in' : 'Custom'],
                [
                  'Included by',
                  includedBy.length > 0 &&
                    includedBy.map((r, i) => (
                      <span key={r.id}>
                        {i > 0 && ', '}
                        <Link to={`/roles/${r.id}`}>{r.name}</Link>
                      </span>
                    )),
                ],
                ['Created', <Moment at={role.created_at} />],
                ['ID', <span className="mono">{role.id}</span>],
              ]}
            />
          </Card>
        </div>
      </div>
      <CreateRoleDialog open={asked === 'copy'} from={role} onClose={close} onCreated={toRole} />
      <RenameRoleDialog role={role} open={asked === 'rename'} onClose={close} />
      <IncludeDialog role={role} open={asked === 'include'} onClose={close} />
      <DeleteRoleDialog
        role={role}
        open={asked === 'delete'}
        onClose={close}
        onDeleted={() => void navigate({ to: '/roles' })}
      />
    </Page>
  );
}

/** What the role grants, to be read. */
function Summary({
  role,
  permissions,
  known,
  included,
}: {
  role: Role;
  permissions: readonly Permission[];
  known: ReadonlyMap<string, Permission>;
  included: readonly Role[];
}) {
  const groups = grouped(permissions.filter((p) => role.permissions.includes(p.permission)));
  const stars = role.permissions.filter(hasStar);
  const rest = role.permissions.filter((grant) => !hasStar(grant) && !known.has(grant));
  const items: [string, string][] = groups.map((group) => [
    group.name,
    group.permissions.map((p) => p.label).join('. ') + '.',
  ]);
  if (stars.length > 0) items.push(['All of the vendor’s APIs', `${stars.map((s) => starText(s)).join('. ')}.`]);
  if (rest.length > 0)
    items.push(['Not in the API catalogue', rest.map((grant) => grantName(grant, known)).join(', ')]);
  if (included.length > 0)
    items.push(['Through included roles', `All that ${included.map((r) => `“${r.name}”`).join(', ')} grants.`]);
  if (items.length === 0)
    return (
      <Text size="sm" c="dimmed" p={16}>
        Nothing is granted yet. Open the essentials and tick what this role should allow.
      </Text>
    );
  return (
    <div className="cardb">
      <Facts wide items={items} />
      {stars.length > 0 && (
        <div className="essstar">
          <Info>This role grows with the vendor’s APIs: what they offer later, it grants too.</Info>
        </div>
      )}
    </div>
  );
}

function IncludesCard({
  role,
  byID,
  locked,
  onAdd,
}: {
  role: Role;
  byID: ReadonlyMap<string, Role>;
  locked?: string;
  onAdd: () => void;
}) {
  const [removing, setRemoving] = useState<Role>();
  return (
    <Card
      title="Includes"
      flush
      actions={
        locked === undefined && (
          <Button variant="default" leftSection={<IconPlus size={15} aria-hidden />} onClick={onAdd}>
            Add role
          </Button>
        )
      }
    >
      {role.includes.length === 0 ? (
        <Text size="sm" c="dimmed" p={16}>
          No other role.
        </Text>
      ) : (
        <ul className="rowlist">
          {role.includes.map((id) => {
            const other = byID.get(id);
            return (
              <li key={id}>
                <span className="grow">
                  <Link to={`/roles/${id}`} className="keyname strong">
                    {other?.name ?? id}
                  </Link>
                  <span className="muted rowabout">{other?.description}</span>
                </span>
                {locked === undefined && other && (
                  <Tooltip label="Stop including">
                    <ActionIcon
                      size={28}
                      aria-label={`Stop including ${other.name}`}
                      onClick={() => setRemoving(other)}
                    >
                      <IconX size={16} />
                    </ActionIcon>
                  </Tooltip>
                )}
              </li>
            );
          })}
        </ul>
      )}
      <ExcludeDialog role={role} included={removing} onClose={() => setRemoving(undefined)} />
    </Card>
  );
}

/** Who has the role, and where. */
function HoldersCard({ role }: { role: Role }) {
  const scope = useScope();
  const [cursor, setCursor] = useState<string>();
  const { data, error } = $api.useQuery(
    'get',
    '/v1/assignments',
    { params: { query: { ...scope.tenantQuery, role_id: role.id, limit: 50, ...(cursor ? { cursor } : {}) } } },
    { retry: false },
  );
  const total = data?.total;
  return (
    <Card
      title="Who has it"
      note={total !== undefined && total > 0 ? counted(total, 'assignment', 'assignments') : undefined}
      flush
    >
      {error ? (
        <Text size="sm" c="dimmed" p={16}>
          You may not see who has this role.
        </Text>
      ) : data && data.items.length === 0 ? (
        <Text size="sm" c="dimmed" p={16}>
          Nobody that you may see. A role is given on a person’s page, or a service account’s.
        </Text>
      ) : (
        <div className="tscroll">
          <table className="plain" aria-label="Who has it">
            <thead>
              <tr>
                <th scope="col">Name</th>
                <th scope="col">In</th>
                <th scope="col">Since</th>
              </tr>
            </thead>
            <tbody>
              {(data?.items ?? []).map((a) => {
                const account = a.principal.type === 'service_account';
                const Icon = account ? IconRobot : IconUser;
                return (
                  <tr key={a.id}>
                    <td>
                      <span className="namewith">
                        <Icon
                          size={16}
                          stroke={1.6}
                          className="muted fixed"
                          aria-label={account ? 'Service account' : 'User'}
                        />
                        <Link
                          to={account ? `/service-accounts/${a.principal.id}` : `/users/${a.principal.id}`}
                          className="keyname strong"
                        >
                          {a.principal.display_name || a.principal.name || a.principal.id}
                        </Link>
                      </span>
                    </td>
                    <td>{a.organization_name || '–'}</td>
                    <td>
                      <Past at={a.created_at} />
                    </td>
                  </tr>
                );
              })}
            </tbody>
          </table>
        </div>
      )}
      {(data?.next_cursor || data?.previous_cursor) && (
        <div className="tfoot">
          <div className="spring" />
          <ActionIcon
            variant="default"
            aria-label="Previous page"
            disabled={!data.previous_cursor}
            onClick={() => setCursor(data.previous_cursor)}
          >
            <IconChevronLeft size={16} />
          </ActionIcon>
          <ActionIcon
            variant="default"
            aria-label="Next page"
            disabled={!data.next_cursor}
            onClick={() => setCursor(data.next_cursor)}
          >
            <IconChevronRight size={16} />
          </ActionIcon>
        </div>
      )}
    </Card>
  );
}
