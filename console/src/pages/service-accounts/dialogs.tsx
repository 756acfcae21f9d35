import { Text } from '@mantine/core';
import { useState } from 'react';
import { answer, answered, api } from '../../api/client';
import { useOnce } from '../../api/once';
import { queryClient } from '../../api/query';
import { ConfirmDialog, Dialog, DialogForm, FieldError } from '../../dialog/dialog';
import { TextField } from '../../dialog/text_field';
import { Facts } from '../../shell/page';
import { toast } from '../../state/toast';
import { Past } from '../../time/when';
import { counted } from '../../words';
import { accountName, accountsChanged, type ServiceAccount, type ServiceAccountKey, shortID } from './account';
import { RolePick, useGivableRoles } from './roles';

interface DialogProps {
  account: ServiceAccount;
  open: boolean;
  onClose: () => void;
}

/** Changes an account's description. */
export function EditAccount({ account, open, onClose }: DialogProps) {
  return (
    <Dialog open={open} onClose={onClose} title={`Edit “${accountName(account)}”`}>
      <EditForm account={account} onClose={onClose} />
    </Dialog>
  );
}

function EditForm({ account, onClose }: Omit<DialogProps, 'open'>) {
  const [description, setDescription] = useState(account.description ?? '');
  async function save() {
    await answered(
      api.PATCH('/v1/service-accounts/{id}', {
        params: { path: { id: account.id } },
        body: { description: description.trim() },
      }),
    );
    await accountsChanged();
    toast('Changes have been saved');
    onClose();
  }
  return (
    <DialogForm fields={['description']} onSubmit={save} onCancel={onClose} action="Save">
      {(errors) => (
        <TextField
          label="Description"
          description="Optional; it tells this account from others"
          data-autofocus
          maxLength={200}
          value={description}
          onChange={setDescription}
          error={errors.description}
        />
      )}
    </DialogForm>
  );
}

/** Gives an account one more role, where the account is. */
export function AddRole({ account, open, onClose }: DialogProps) {
  return (
    <Dialog open={open} onClose={onClose} title={`Add a role to “${accountName(account)}”`}>
      <AddRoleForm account={account} onClose={onClose} />
    </Dialog>
  );
}

function AddRoleForm({ account, onClose }: Omit<DialogProps, 'open'>) {
  const once = useOnce();
  const givable = useGivableRoles(account.organization_id);
  const [role, setRole] = useState('');
  const has = account.roles.filter((r) => r.organization_id === account.organization_id).map((r) => r.role_id);
  async function add() {
    if (role === '') throw new FieldError('role_id', 'Choose a role');
    await answered(
      api.POST('/v1/assignments', {
        params: { header: once.headers(), query: { tenant_id: account.tenant_id } },
        body: {
          principal_type: 'service_account',
          principal_id: account.id,
          role_id: role,
          organization_id: account.organization_id,
        },
      }),
    );
    await accountsChanged();
    toast('Role added');
    onClose();
  }
  return (
    <DialogForm fields={['role_id']} onSubmit={add} onCancel={onClose} action="Add role" disabled={!givable.mayRead}>
      {(errors) => (
        <>
          <Text size="md">
            {givable.mayRead
              ? `It holds at ${account.organization_name ?? 'the account’s organization'} and everywhere below, at once.`
              : 'You may not see the roles of this account, so you cannot give any. A Super Admin can give you “Roles: look”.'}
          </Text>
          {givable.mayRead && (
            <RolePick
              label="Role"
              givable={givable}
              value={role}
              onChange={setRole}
              taken={has}
              error={errors.role_id}
              autofocus
            />
          )}
        </>
      )}
    </DialogForm>
  );
}

/** Takes a role away. */
export function RemoveRole({ account, role, open, onClose }: DialogProps & { role: ServiceAccount['roles'][number] }) {
  const name = role.role_name ?? role.role_id;
  return (
    <ConfirmDialog
      open={open}
      onClose={onClose}
      title={`Take “${name}” from “${accountName(account)}”?`}
      action="Take role away"
      onConfirm={async () => {
        await answer(api.DELETE('/v1/assignments/{id}', { params: { path: { id: role.assignment_id } } }));
        await accountsChanged();
        toast('Role taken away');
      }}
    >
      <Text size="md">
        Calls that only this role allows fail at once.
        {account.roles.length === 1 && ' It is the last one: what remains is the basic methods.'}
      </Text>
    </ConfirmDialog>
  );
}

/** Ends one key of an account. */
export function RevokeKey({ account, serviceKey, open, onClose }: DialogProps & { serviceKey: ServiceAccountKey }) {
  const once = useOnce();
  return (
    <ConfirmDialog
      open={open}
      onClose={onClose}
      title={`Revoke key ${shortID(serviceKey)}?`}
      action="Yes, revoke key"
      onConfirm={async () => {
        await answered(
          api.POST('/v1/service-account-keys/{id}/revoke', {
            params: { path: { id: serviceKey.id }, header: once.headers() },
          }),
        );
        await accountsChanged();
        toast('Key revoked');
      }}
    >
      <Text size="md">As soon as you confirm, calls with this key fail. This cannot be undone.</Text>
      <Text size="md">
        {account.keys > 1
          ? `${counted(account.keys - 1, 'other key goes', 'other keys go')} on working.`
          : 'It is the only key of this account. To replace it without a gap, rotate it instead.'}
      </Text>
      <Facts items={[['Last used', <Past key="used" at={serviceKey.last_used_at} />]]} />
    </ConfirmDialog>
  );
}

/** Stops an account and its keys until it is resumed. */
export function SuspendAccount({ account, open, onClose }: DialogProps) {
  const once = useOnce();
  return (
    <ConfirmDialog
      open={open}
      onClose={onClose}
      title={`Suspend “${accountName(account)}”?`}
      action="Suspend service account"
      onConfirm={async () => {
        await answered(
          api.POST('/v1/service-accounts/{id}/suspend', {
            params: { path: { id: account.id }, header: once.headers() },
          }),
        );
        once.renew();
        await accountsChanged();
        toast('Service account suspended');
      }}
    >
      <Text size="md">Calls with any of its keys fail until you resume it.</Text>
      <Facts items={[['Last used', <Past key="used" at={account.last_used_at} />]]} />
    </ConfirmDialog>
  );
}

/** Lets a suspended account go on. */
export async function resumeAccount(account: ServiceAccount) {
  await answered(
    api.POST('/v1/service-accounts/{id}/resume', {
      params: { path: { id: account.id }, header: { 'Idempotency-Key': crypto.randomUUID() } },
    }),
  );
  await accountsChanged();
  toast('Service account resumed');
}

/** Ends an account and its keys. */
export function DeleteAccount({
  account,
  open,
  onClose,
  onDeleted,
}: DialogProps & { onDeleted?: () => Promise<void> }) {
  return (
    <ConfirmDialog
      open={open}
      onClose={onClose}
      title={`Delete “${accountName(account)}”?`}
      action="Delete service account"
      onConfirm={async () => {
        await answer(api.DELETE('/v1/service-accounts/{id}', { params: { path: { id: account.id } } }));
        await onDeleted?.();
        queryClient.removeQueries({ queryKey: ['get', '/v1/service-accounts/{id}'] });
        await queryClient.invalidateQueries({ queryKey: ['get', '/v1/service-accounts'] });
        toast('Service account deleted');
      }}
    >
      <Text size="md">As soon as you confirm, calls with any of its keys fail. This cannot be undone.</Text>
      <Facts
        items={[
          ['Keys', account.keys],
          ['Last used', <Past key="used" at={account.last_used_at} />],
        ]}
      />
    </ConfirmDialog>
  );
}
