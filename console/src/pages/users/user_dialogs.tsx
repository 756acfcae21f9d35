import { Group, Select, Stack, Text } from '@mantine/core';
import { type ReactNode, useState } from 'react';
import { answer, answered, api, type Schema } from '../../api/client';
import { useOnce } from '../../api/once';
import { ConfirmDialog, Dialog, DialogForm, FieldError } from '../../dialog/dialog';
import { TextField } from '../../dialog/text_field';
import { OrganizationPicker } from '../../shell/organization_picker';
import { useOrganization } from '../../shell/organizations';
import { toast } from '../../state/toast';
import { counted } from '../../words';
import { everythingChanged } from '../roles/data';
import { living, type Owned, useLicences, useOwned, type User, userName } from './data';
import { LinkShown } from './invite';
import { LeaveDialog } from './leaving';
import { RoleSelect } from './role_select';

export type UserAction = 'edit' | 'suspend' | 'resume' | 'delete' | 'invite' | 'add-role';

interface UserDialogsProps {
  user: User;
  action: UserAction | undefined;
  onClose: () => void;
  /** After the user was deleted: their page is about nobody. */
  onDeleted?: () => void;
}

/** What can be done with a user, one dialogue for each decision. */
export function UserDialogs({ user, action, onClose, onDeleted }: UserDialogsProps) {
  return (
    <>
      <Dialog open={action === 'edit'} onClose={onClose} title={`Edit ${userName(user)}`}>
        <EditForm user={user} onClose={onClose} />
      </Dialog>
      <LeaveDialog user={user} then="suspend" open={action === 'suspend'} onClose={onClose} />
      <ResumeDialog user={user} open={action === 'resume'} onClose={onClose} />
      <LeaveDialog user={user} then="delete" open={action === 'delete'} onClose={onClose} onDeleted={onDeleted} />
      <InviteAgain user={user} open={action === 'invite'} onClose={onClose} />
      <Dialog open={action === 'add-role'} onClose={onClose} title={`Add a role for ${userName(user)}`}>
        <AddRoleForm user={user} onClose={onClose} />
      </Dialog>
    </>
  );
}

const editFields = ['username', 'display_name', 'email', 'licence', 'organization_id', 'external_id'] as const;

function EditForm({ user, onClose }: { user: User; onClose: () => void }) {
  const licences = useLicences();
  const [username, setUsername] = useState(user.username);
  const [displayName, setDisplayName] = useState(user.display_name ?? '');
  const [email, setEmail] = useState(user.email ?? '');
  const [licence, setLicence] = useState(user.licence ?? '');
  const [organization, setOrganization] = useState(user.organization_id);
  const [externalID, setExternalID] = useState(user.external_id ?? '');

  async function submit() {
    if (username.trim() === '') throw new FieldError('username', 'Enter a user name');
    // Only what differs: user name and e-mail are part of signing in and need more.
    const body: Schema<'ChangeUserRequest'> = {};
    if (username.trim() !== user.username) body.username = username.trim();
    if (displayName.trim() !== (user.display_name ?? '')) body.display_name = displayName.trim();
    if (email.trim() !== (user.email ?? '')) body.email = email.trim();
    if (licence !== (user.licence ?? '')) body.licence = licence;
    if (organization !== user.organization_id) body.organization_id = organization;
    if (externalID.trim() !== (user.external_id ?? '')) body.external_id = externalID.trim();
    if (Object.keys(body).length > 0) {
      await answered(api.PATCH('/v1/users/{id}', { params: { path: { id: user.id } }, body }));
      await everythingChanged();
      toast('Changes have been saved');
    }
    onClose();
  }

  const known = licences.options.some((l) => l.value === licence) || licence === '';
  return (
    <DialogForm fields={editFields} onSubmit={submit} onCancel={onClose} action="Save">
      {(errors) => (
        <>
          <Group grow align="flex-start" gap={12}>
            <TextField
              label="Display name"
              data-autofocus
              value={displayName}
              onChange={setDisplayName}
              error={errors.display_name}
            />
            <TextField
              label="User name"
              spellCheck={false}
              value={username}
              onChange={setUsername}
              error={errors.username}
            />
          </Group>
          <TextField label="E-mail" type="email" value={email} onChange={setEmail} error={errors.email} />
          <OrganizationPicker
            label="Organization"
            description={
              organization === user.organization_id
                ? undefined
                : 'Their keys move along, and the roles they have on the way down count for them.'
            }
            value={organization}
            onChange={setOrganization}
            error={errors.organization_id}
          />
          <Group grow align="flex-start" gap={12}>
            <Select
              label="Licence"
              data={[
                { value: '', label: 'None' },
                ...licences.options,
                ...(known ? [] : [{ value: licence, label: licence }]),
              ]}
              value={licence}
              onChange={(value) => setLicence(value ?? '')}
              error={errors.licence}
            />
            <TextField
              label="External ID"
              spellCheck={false}
              value={externalID}
              onChange={setExternalID}
              error={errors.external_id}
            />
          </Group>
        </>
      )}
    </DialogForm>
  );
}

interface OneDialogProps {
  user: User;
  open: boolean;
  onClose: () => void;
}

function ResumeDialog({ user, open, onClose }: OneDialogProps) {
  const name = userName(user);
  async function resume() {
    await answered(api.POST('/v1/users/{id}/resume', { params: { path: { id: user.id } } }));
    await everythingChanged();
    toast('User resumed');
  }
  return (
    <ConfirmDialog
      open={open}
      onClose={onClose}
      title={`Resume “${name}”?`}
      action="Resume user"
      onConfirm={resume}
      mild
    >
      <Text size="md">{name} can sign in again, and calls with their credentials work again.</Text>
      <Affected user={user} of={(c) => c.state === 'active'} verb={['works again', 'work again']} />
    </ConfirmDialog>
  );
}

/** Which credentials a decision touches, by name. */
function Affected({ user, of, verb }: { user: User; of: (c: Owned) => boolean; verb: [one: string, many: string] }) {
  const owned = useOwned(user);
  if (owned.loading) return <Text size="sm">Looking at their credentials…</Text>;
  const list = living(owned.items).filter(of);
  const shown = list.slice(0, 6);
  return (
    <Stack gap={4}>
      {list.length > 0 && (
        <>
          <Text size="sm" fw={500}>
            {counted(list.length, 'credential', 'credentials')} {verb[list.length === 1 ? 0 : 1]}
          </Text>
          <ul className="inway">
            {shown.map((c) => (
              <li key={c.id}>
                {c.name} <span className="mono muted">{c.hint}</span>
              </li>
            ))}
            {list.length > shown.length && <li className="muted">and {list.length - shown.length} more</li>}
          </ul>
        </>
      )}
      {owned.hidden.map((text) => (
        <Text key={text} size="sm" c="dimmed">
          {text}
        </Text>
      ))}
    </Stack>
  );
}

function InviteAgain({ user, open, onClose }: OneDialogProps) {
  const once = useOnce();
  const [invitation, setInvitation] = useState<Schema<'Invitation'>>();
  async function invite() {
    const made = await answered(
      api.POST('/v1/users/{id}/invite', { params: { path: { id: user.id }, header: once.headers() } }),
    );
    once.renew();
    setInvitation(made.invitation);
    void everythingChanged();
  }
  function close() {
    setInvitation(undefined);
    onClose();
  }
  const name = userName(user);
  return (
    <Dialog
      open={open}
      onClose={close}
      title={invitation ? `${name} invited again` : `Invite “${name}” again?`}
      held={invitation !== undefined}
    >
      {invitation ? (
        <LinkShown user={user} invitation={invitation} failed={[]} onSaved={close} />
      ) : (
        <DialogForm fields={[]} onSubmit={invite} onCancel={close} action="Make invitation link">
          {() => (
            <Text size="md">
              You get a link with which {name} sets a password. Links that were given before stop working. Until the new
              one is used, the present password stays.
            </Text>
          )}
        </DialogForm>
      )}
    </Dialog>
  );
}

const roleFields = ['organization_id', 'role_id'] as const;

function AddRoleForm({ user, onClose }: { user: User; onClose: () => void }) {
  const once = useOnce();
  const [organization, setOrganization] = useState(user.organization_id);
  const [role, setRole] = useState<string>();
  const where = useOrganization(organization);
  const taken = new Map(
    (user.roles ?? [])
      .filter((r) => r.organization_id === organization)
      .map((r) => [r.role_id, 'Given here already.'] as const),
  );
  async function submit() {
    if (!role) throw new FieldError('role_id', 'Choose a role');
    await answered(
      api.POST('/v1/assignments', {
        params: { header: once.headers() },
        body: { principal_type: 'user', principal_id: user.id, role_id: role, organization_id: organization },
      }),
    );
    await everythingChanged();
    toast('Role added');
    onClose();
  }
  return (
    <DialogForm fields={roleFields} onSubmit={submit} onCancel={onClose} action="Add role">
      {(errors) => (
        <>
          <OrganizationPicker
            label="Organization"
            description="The role counts there and everywhere below."
            autofocus
            value={organization}
            onChange={(id) => {
              setOrganization(id);
              setRole(undefined);
            }}
            error={errors.organization_id}
          />
          <RoleSelect
            label="Role"
            path={where?.path}
            where={where?.name}
            taken={taken}
            value={role}
            onChange={setRole}
            error={errors.role_id}
          />
        </>
      )}
    </DialogForm>
  );
}

/** Takes a role away from a user. */
export function RemoveRoleDialog({
  user,
  role,
  onClose,
  children,
}: {
  user: User;
  role: Schema<'UserRole'> | undefined;
  onClose: () => void;
  children?: ReactNode;
}) {
  const name = userName(user);
  async function remove() {
    await answer(api.DELETE('/v1/assignments/{id}', { params: { path: { id: role!.assignment_id } } }));
    await everythingChanged();
    toast('Role taken away');
  }
  return (
    <ConfirmDialog
      open={role !== undefined}
      onClose={onClose}
      title={`Take “${role?.role_name ?? ''}” away from ${name}?`}
      action="Take role away"
      onConfirm={remove}
    >
      <Text size="md">
        As soon as you confirm, {name} and their keys lose what only this role gives them in{' '}
        {role?.organization_name || 'this organization'} and below.
      </Text>
      {children}
    </ConfirmDialog>
  );
}
