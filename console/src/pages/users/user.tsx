import { ActionIcon, Button, Text, Tooltip } from '@mantine/core';
import { IconPlus, IconX } from '@tabler/icons-react';
import { Link, useNavigate, useParams } from '@tanstack/react-router';
import { useState } from 'react';
import { $api, type Schema } from '../../api/client';
import { missingAt } from '../../session/held';
import { can, useMe } from '../../session/me';
import { useScope } from '../../session/scope';
import { Card, Facts, Page } from '../../shell/page';
import { PageHead } from '../../shell/page_head';
import { StateBadge } from '../../state/badge';
import { ObjectPage } from '../../state/object_page';
import { Info } from '../../state/problem_note';
import { useNow } from '../../time/now';
import { ahead } from '../../time/time';
import { Moment, Past } from '../../time/when';
import { kinds } from '../../words';
import { useRoles } from '../roles/data';
import { useLicences, useOwned, type User, userName, usePaths } from './data';
import { RemoveRoleDialog, type UserAction, UserDialogs } from './user_dialogs';
import { UserBadge } from './users';

/** A user */
export function UserPage() {
  const { id } = useParams({ strict: false }) as { id: string };
  const user = $api.useQuery(
    'get',
    '/v1/users/{id}',
    { params: { path: { id } } },
    { placeholderData: undefined, retry: false },
  );
  return (
    <ObjectPage query={user} what="user" things="users" parent={{ label: 'Users', to: '/users' }} help="users">
      {(data) => <UserShown key={id} user={data} />}
    </ObjectPage>
  );
}

/** What the caller may do with a user, and why not. */
function useRights(user: User) {
  const me = useMe();
  const roles = user.roles ?? [];
  const paths = usePaths([user.organization_id, ...roles.map((r) => r.organization_id)]);
  const mayReadRoles = can(me, 'claviger.roles:read', 'claviger.roles:manage', 'claviger.assignments:manage');
  const { byID } = useRoles(mayReadRoles);
  const home = paths.get(user.organization_id);
  const manage = home ? missingAt(me, home, ['claviger.users:manage']).length === 0 : can(me, 'claviger.users:manage');
  const beyond = (r: Schema<'UserRole'>) => {
    const path = paths.get(r.organization_id);
    const role = byID.get(r.role_id);
    if (!path || !role) return false;
    const ours = (role.resolved ?? role.permissions).filter((p) => p.startsWith('claviger.'));
    return missingAt(me, path, ours).length > 0;
  };
  const outranked = me.principal.id !== user.id && roles.some(beyond);
  const removable = (r: Schema<'UserRole'>): string | undefined => {
    const path = paths.get(r.organization_id);
    if (path && missingAt(me, path, ['claviger.assignments:manage']).length > 0)
      return `You may not take roles away in ${r.organization_name}.`;
    return beyond(r) ? 'This role has administrative rights that you do not have.' : undefined;
  };
  return { manage, outranked, removable, mayAssign: can(me, 'claviger.assignments:manage') };
}

function UserShown({ user }: { user: User }) {
  const me = useMe();
  const navigate = useNavigate();
  const licences = useLicences();
  const [action, setAction] = useState<UserAction>();
  const rights = useRights(user);
  const own = me.principal.id === user.id;
  const name = userName(user);
  const locked = rights.outranked;
  return (
    <Page kind="detail">
      <PageHead
        title={name}
        parent={{ label: 'Users', to: '/users' }}
        help="users"
        badge={
          user.state === 'active' && user.invited_until ? <UserBadge user={user} /> : <StateBadge state={user.state} />
        }
        sub={name === user.username ? undefined : user.username}
      >
        {rights.manage && (
          <>
            <Button variant="default" disabled={locked} onClick={() => setAction('edit')}>
              Edit
            </Button>
            {user.state === 'suspended' ? (
              <Button variant="default" disabled={locked} onClick={() => setAction('resume')}>
                Resume
              </Button>
            ) : (
              <Button variant="default" disabled={locked || own} onClick={() => setAction('suspend')}>
                Suspend
              </Button>
            )}
            <Button variant="outline" color="red" disabled={locked || own} onClick={() => setAction('delete')}>
              Delete user
            </Button>
          </>
        )}
      </PageHead>
      {rights.manage && (locked || own) && (
        <div className="pagenote">
          <Info>
            {locked
              ? `${name} has administrative rights that you do not have, so you cannot change them. Ask someone who has them.`
              : 'This is you. Somebody else has to suspend or delete you.'}
          </Info>
        </div>
      )}
      <div className="split">
        <div className="stack">
          <RolesCard
            user={user}
            onAdd={rights.mayAssign ? () => setAction('add-role') : undefined}
            removable={rights.removable}
          />
          <CredentialsCard user={user} />
        </div>
        <div className="stack">
          <Card title="Details">
            <Facts
              items={[
                ['User name', user.username],
                ['E-mail', user.email],
                [
                  'Organization',
                  can(me, 'claviger.organizations:read', 'claviger.organizations:manage') ? (
                    <Link to="/organizations" search={{ open: user.organization_id } as never}>
                      {user.organization_name || 'Show'}
                    </Link>
                  ) : (
                    user.organization_name
                  ),
                ],
                ['Licence', licences.nameOf(user.licence) ?? <span className="muted">None</span>],
                ['Created', <Moment at={user.created_at} />],
                ['External ID', user.external_id && <span className="mono">{user.external_id}</span>],
                ['ID', <span className="mono">{user.id}</span>],
              ]}
            />
          </Card>
          {rights.manage && <SignInCard user={user} locked={locked} onInvite={() => setAction('invite')} />}
        </div>
      </div>
      <UserDialogs
        user={user}
        action={action}
        onClose={() => setAction(undefined)}
        onDeleted={() => void navigate({ to: '/users' })}
      />
    </Page>
  );
}

function RolesCard({
  user,
  onAdd,
  removable,
}: {
  user: User;
  onAdd?: () => void;
  removable: (role: Schema<'UserRole'>) => string | undefined;
}) {
  const me = useMe();
  const [removing, setRemoving] = useState<Schema<'UserRole'>>();
  const roles = user.roles ?? [];
  const mayRead = can(me, 'claviger.roles:read', 'claviger.roles:manage');
  return (
    <Card
      title="Roles"
      note="Each counts in its organization and below"
      flush
      actions={
        onAdd && (
          <Button variant="default" leftSection={<IconPlus size={15} aria-hidden />} onClick={onAdd}>
            Add role
          </Button>
        )
      }
    >
      {roles.length === 0 ? (
        <Text size="sm" c="dimmed" p={16}>
          No roles. {userName(user)} can sign in and do nothing else{onAdd ? ' until you add one.' : '.'}
        </Text>
      ) : (
        <div className="tscroll">
          <table className="plain" aria-label="Roles">
            <thead>
              <tr>
                <th scope="col">Role</th>
                <th scope="col">Organization</th>
                {onAdd && (
                  <th scope="col">
                    <span className="hidden">Actions</span>
                  </th>
                )}
              </tr>
            </thead>
            <tbody>
              {roles.map((role) => (
                <tr key={role.assignment_id}>
                  <td className="strong">
                    {mayRead ? (
                      <Link to={`/roles/${role.role_id}`} className="keyname">
                        {role.role_name}
                      </Link>
                    ) : (
                      role.role_name
                    )}
                  </td>
                  <td>{role.organization_name || '–'}</td>
                  {onAdd && (
                    <td className="removecell">
                      <RemoveRole reason={removable(role)} name={role.role_name} onClick={() => setRemoving(role)} />
                    </td>
                  )}
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      )}
      <RemoveRoleDialog user={user} role={removing} onClose={() => setRemoving(undefined)} />
    </Card>
  );
}

function RemoveRole({ reason, name, onClick }: { reason?: string; name: string; onClick: () => void }) {
  if (reason) return <span className="muted">{reason}</span>;
  return (
    <Tooltip label="Take away">
      <ActionIcon size={28} aria-label={`Take ${name} away`} onClick={onClick}>
        <IconX size={16} />
      </ActionIcon>
    </Tooltip>
  );
}

function CredentialsCard({ user }: { user: User }) {
  const owned = useOwned(user);
  const scope = useScope();
  if (owned.loading) return <Card title="Credentials">{<span className="sk name" aria-label="Loading" />}</Card>;
  return (
    <Card
      title="Credentials"
      note={scope.tenant ? undefined : 'With this person’s rights'}
      flush={owned.items.length > 0}
    >
      {owned.items.length > 0 ? (
        <div className="tscroll">
          <table className="plain credtable" aria-label="Credentials">
            <thead>
              <tr>
                <th scope="col">Name</th>
                <th scope="col">Kind</th>
                <th scope="col">Key</th>
                <th scope="col">Last used</th>
                <th scope="col">State</th>
              </tr>
            </thead>
            <tbody>
              {owned.items.map((c) => (
                <tr key={c.id}>
                  <td>
                    <Link to={c.to} className="keyname strong">
                      {c.name}
                    </Link>
                  </td>
                  <td>{kinds[c.kind] ?? c.kind}</td>
                  <td className="mono">{c.hint}</td>
                  <td>
                    <Past at={c.last_used_at} />
                  </td>
                  <td>
                    <StateBadge state={c.state} />
                  </td>
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      ) : (
        owned.hidden.length < 2 && (
          <Text size="sm" c="dimmed">
            No credentials{owned.hidden.length > 0 ? ' that you may see' : ''}.
          </Text>
        )
      )}
      {owned.hidden.length > 0 && (
        <div className={owned.items.length > 0 ? 'tablenote' : undefined}>
          {owned.hidden.map((text) => (
            <Text key={text} size="sm" c="dimmed">
              {text}
            </Text>
          ))}
        </div>
      )}
    </Card>
  );
}

function SignInCard({ user, locked, onInvite }: { user: User; locked: boolean; onInvite: () => void }) {
  const now = useNow();
  const until = user.invited_until;
  const distance = until ? ahead(new Date(until), now) : undefined;
  return (
    <Card title="Sign-in">
      <Text size="sm" mb={12}>
        {until ? (
          <>
            An invitation link is open{distance ? `; it ends ${distance}` : ''} (<Moment at={until} />
            ).
          </>
        ) : (
          'No invitation link is open. A new one lets this person set another password.'
        )}
      </Text>
      <Button variant="default" disabled={locked || user.state !== 'active'} onClick={onInvite}>
        Invite again
      </Button>
      {user.state !== 'active' && (
        <Text size="xs" c="dimmed" mt={8}>
          Resume the user first.
        </Text>
      )}
    </Card>
  );
}
