import { Button, Group, Select, Stack, Text } from '@mantine/core';
import { useEffect, useRef, useState } from 'react';
import { answered, api, type Schema } from '../../api/client';
import { useOnce } from '../../api/once';
import { problemOf } from '../../api/problem';
import { Dialog, DialogForm, FieldError } from '../../dialog/dialog';
import { ShownValue, useHoldPage } from '../../dialog/secret';
import { TextField } from '../../dialog/text_field';
import { can, useMe } from '../../session/me';
import { useScope } from '../../session/scope';
import { OrganizationPicker } from '../../shell/organization_picker';
import { useOrganization } from '../../shell/organizations';
import { useTenant } from '../../shell/scope_menu';
import { Facts } from '../../shell/page';
import { Notice } from '../../state/problem_note';
import { Moment } from '../../time/when';
import { everythingChanged, useRoles } from '../roles/data';
import { useLicences, type User, userName } from './data';
import { RolesSelect } from './role_select';

interface Invited {
  user: User;
  invitation?: Schema<'Invitation'>;
  /** What could not be given, in words. */
  failed: string[];
}

/** Invites a user; what comes of it is a link that is shown once. */
export function InviteDialog({ open, onClose }: { open: boolean; onClose: () => void }) {
  const [done, setDone] = useState<Invited>();
  function close() {
    setDone(undefined);
    onClose();
  }
  return (
    <Dialog
      open={open}
      onClose={close}
      title={done ? `${userName(done.user)} invited` : 'Invite user'}
      held={done?.invitation !== undefined}
    >
      {done ? <LinkShown {...done} onSaved={close} /> : <InviteForm onDone={setDone} onCancel={close} />}
    </Dialog>
  );
}

const fields = ['organization_id', 'username', 'display_name', 'email', 'licence', 'roles'] as const;

function InviteForm({ onDone, onCancel }: { onDone: (invited: Invited) => void; onCancel: () => void }) {
  const me = useMe();
  const scope = useScope();
  const licences = useLicences();
  const once = useOnce();
  const mayGive = can(me, 'claviger.assignments:manage');
  const { byID } = useRoles(mayGive);
  const tenant = useTenant(scope.tenant);
  const [chosen, setOrganization] = useState<string>();
  const home = scope.tenant ? tenant?.root_organization_id : me.organization.id;
  const organization = chosen ?? scope.org ?? home;
  const [username, setUsername] = useState('');
  const [displayName, setDisplayName] = useState('');
  const [email, setEmail] = useState('');
  const [licence, setLicence] = useState('');
  const [roles, setRoles] = useState<string[]>([]);
  const where = useOrganization(organization);
  const keys = useRef(new Map<string, string>());

  function keyOf(role: string): string {
    const key = keys.current.get(role) ?? crypto.randomUUID();
    keys.current.set(role, key);
    return key;
  }

  async function submit() {
    if (!organization) throw new FieldError('organization_id', 'Choose an organization');
    if (username.trim() === '') throw new FieldError('username', 'Enter a user name');
    const { user, invitation } = await answered(
      api.POST('/v1/users', {
        params: { header: once.headers() },
        body: {
          organization_id: organization,
          username: username.trim(),
          ...(displayName.trim() ? { display_name: displayName.trim() } : {}),
          ...(email.trim() ? { email: email.trim() } : {}),
          ...(licence ? { licence } : {}),
        },
      }),
    );
    // The person exists now: a role that cannot be given does not undo that, it is told.
    const failed: string[] = [];
    for (const role of roles) {
      try {
        await answered(
          api.POST('/v1/assignments', {
            params: { header: { 'Idempotency-Key': keyOf(role) } },
            body: { principal_type: 'user', principal_id: user.id, role_id: role, organization_id: organization },
          }),
        );
      } catch (error) {
        failed.push(`${byID.get(role)?.name ?? 'A role'} was not given. ${problemOf(error).detail}`);
      }
    }
    onDone({ user, invitation, failed });
    void everythingChanged();
  }

  return (
    <DialogForm fields={fields} onSubmit={submit} onCancel={onCancel} action="Invite user">
      {(errors) => (
        <>
          <TextField
            label="User name"
            description="What they type to sign in. Capital letters make no difference."
            data-autofocus
            spellCheck={false}
            value={username}
            onChange={setUsername}
            error={errors.username}
          />
          <Group grow align="flex-start" gap={12}>
            <TextField label="Display name" value={displayName} onChange={setDisplayName} error={errors.display_name} />
            <TextField label="E-mail" type="email" value={email} onChange={setEmail} error={errors.email} />
          </Group>
          <OrganizationPicker
            label="Organization"
            value={organization}
            onChange={(id) => {
              setOrganization(id);
              setRoles([]);
            }}
            error={errors.organization_id}
          />
          <Select
            label="Licence"
            data={[{ value: '', label: 'None' }, ...licences.options]}
            value={licence}
            onChange={(value) => setLicence(value ?? '')}
            error={errors.licence}
          />
          {mayGive && (
            <RolesSelect
              label={where ? `Roles in ${where.name} and below` : 'Roles'}
              path={where?.path}
              where={where?.name}
              value={roles}
              onChange={setRoles}
              error={errors.roles}
            />
          )}
        </>
      )}
    </DialogForm>
  );
}

/** The one-time link, for the person to open; it is in this component and nowhere else. */
export function LinkShown({ user, invitation, failed, onSaved }: Invited & { onSaved: () => void }) {
  const [copied, setCopied] = useState(false);
  const box = useRef<HTMLDivElement>(null);
  useHoldPage(invitation !== undefined);
  // What had the focus, the form's button, is gone.
  useEffect(() => box.current?.querySelector<HTMLElement>('button')?.focus(), []);
  return (
    <Stack gap={16} ref={box}>
      {failed.map((text) => (
        <Notice key={text}>{text}</Notice>
      ))}
      {invitation ? (
        <>
          <Text size="md">
            Give this link to {userName(user)}. Whoever opens it sets the password, once. It is shown only now; if it is
            lost, invite again.
          </Text>
          <ShownValue
            label="Invitation link"
            value={invitation.url}
            secret
            primary={!copied}
            onCopied={() => setCopied(true)}
          />
          <Facts
            items={[
              ['User name', user.username],
              ['Works until', <Moment at={invitation.expires_at} />],
            ]}
          />
        </>
      ) : (
        <Text size="md">
          The user was invited by an earlier try of yours, whose link was not shown. Open the user and invite again to
          get another one.
        </Text>
      )}
      <Group justify="flex-end" mt={4}>
        <Button variant={copied || !invitation ? 'filled' : 'default'} onClick={onSaved}>
          {invitation ? 'I have saved it' : 'Close'}
        </Button>
      </Group>
    </Stack>
  );
}
