import { Text } from '@mantine/core';
import { useRef, useState } from 'react';
import { answered, api } from '../../api/client';
import { useOnce } from '../../api/once';
import { problemOf } from '../../api/problem';
import { Dialog, DialogForm, FieldError } from '../../dialog/dialog';
import { TextField } from '../../dialog/text_field';
import { useMe } from '../../session/me';
import { useScope } from '../../session/scope';
import { OrganizationPicker } from '../../shell/organization_picker';
import { accountsChanged, generateKey } from './account';
import { RolesField, useGivableRoles } from './roles';

interface AddProps {
  open: boolean;
  onClose: () => void;
  /** The account is there and its file saved. */
  onAdded: (account: string, key: string) => void;
}

/** Adds a service account: roles, a description, then its first key, whose file the browser saves. */
export function AddServiceAccount({ open, onClose, onAdded }: AddProps) {
  return (
    <Dialog open={open} onClose={onClose} title="Add service account" size={560}>
      <AddForm onClose={onClose} onAdded={onAdded} />
    </Dialog>
  );
}

function AddForm({ onClose, onAdded }: Omit<AddProps, 'open'>) {
  const me = useMe();
  const { org, tenant, tenantQuery } = useScope();
  const account = useOnce();
  const key = useOnce();
  // When only the key failed, trying again makes only the key.
  const made = useRef<string>(undefined);
  const [roles, setRoles] = useState<string[]>([]);
  const [description, setDescription] = useState('');
  const [at, setAt] = useState<string | undefined>(org ?? (tenant ? undefined : me.organization.id));
  const givable = useGivableRoles(at);

  async function add() {
    const empty = roles.findIndex((role) => role === '');
    if (empty >= 0) throw new FieldError(`role ${empty}`, 'Choose a role, or remove this row');
    if (made.current === undefined) {
      try {
        const answer = await answered(
          api.POST('/v1/service-accounts', {
            params: { query: tenantQuery, header: account.headers() },
            body: { roles, description: description.trim(), ...(at ? { organization_id: at } : {}) },
          }),
        );
        made.current = answer.id;
      } catch (problem) {
        throw atRow(problem) ?? problem;
      }
      await accountsChanged();
    }
    const keyID = await generateKey(made.current, key.headers());
    await accountsChanged();
    onClose();
    onAdded(made.current, keyID);
  }
  return (
    <DialogForm
      fields={['description', 'organization_id', 'roles']}
      onSubmit={add}
      onCancel={onClose}
      action="Generate key"
    >
      {(errors) => (
        <>
          <RolesField
            givable={givable}
            value={roles}
            onChange={setRoles}
            errorOf={(row) => errors[`role ${row}`] ?? (row === 0 ? errors.roles : undefined)}
          />
          <TextField
            label="Description"
            description="Optional; it tells this account from others"
            maxLength={200}
            value={description}
            onChange={setDescription}
            error={errors.description}
          />
          <OrganizationPicker label="Organization" value={at} onChange={setAt} error={errors.organization_id} />
          <Text size="sm" c="dimmed">
            Your browser saves a file with the private key. Claviger keeps the public half only, so the file cannot be
            made again.
          </Text>
        </>
      )}
    </DialogForm>
  );
}

function atRow(problem: unknown): FieldError | undefined {
  for (const { pointer, message } of problemOf(problem).errors ?? []) {
    const row = /^\/roles\/(\d+)/.exec(pointer);
    if (row) return new FieldError(`role ${row[1]}`, message);
  }
  return undefined;
}
