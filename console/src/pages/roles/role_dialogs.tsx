import { Select, Text } from '@mantine/core';
import { useState } from 'react';
import { answer, answered, api, type Schema } from '../../api/client';
import { useOnce } from '../../api/once';
import { missingAt } from '../../session/held';
import { useMe } from '../../session/me';
import { useScope } from '../../session/scope';
import { ConfirmDialog, Dialog, DialogForm, FieldError } from '../../dialog/dialog';
import { TextField } from '../../dialog/text_field';
import { toast } from '../../state/toast';
import { counted } from '../../words';
import { everythingChanged, usePermissions, useRoles, useRootPath } from './data';
import { allIncluded, listed, type Role } from './grants';

/** Why the caller may not put what a role grants into another role, by role. */
function useBeyond(): (role: Role) => string | undefined {
  const me = useMe();
  const root = useRootPath();
  const { known } = usePermissions();
  return (role) => {
    const missing = root ? missingAt(me, root, role.resolved ?? role.permissions) : [];
    return missing.length > 0 ? `Grants ${listed(missing, known)}, which you do not have yourself.` : undefined;
  };
}

function option(reason: (id: string) => string | undefined, text: (id: string) => string | undefined) {
  return function renderOption({ option: { value, label } }: { option: { value: string; label: string } }) {
    return (
      <span className="roleoption">
        <span>{label}</span>
        <span className="muted">{reason(value) ?? text(value)}</span>
      </span>
    );
  };
}

interface CreateRoleProps {
  open: boolean;
  onClose: () => void;
  /** The role to begin with, when one is copied. */
  from?: Role;
  onCreated: (role: Role) => void;
}

/** Makes a custom role, of nothing or as a copy of another. */
export function CreateRoleDialog({ open, onClose, from, onCreated }: CreateRoleProps) {
  return (
    <Dialog open={open} onClose={onClose} title={from ? `Copy “${from.name}”` : 'Create role'}>
      <CreateRoleForm from={from} onClose={onClose} onCreated={onCreated} />
    </Dialog>
  );
}

const createFields = ['name', 'description', 'from'] as const;

function CreateRoleForm({ from, onClose, onCreated }: Omit<CreateRoleProps, 'open'>) {
  const once = useOnce();
  const { tenantQuery } = useScope();
  const { items, byID } = useRoles();
  const beyond = useBeyond();
  const [name, setName] = useState(from ? `Copy of ${from.name}` : '');
  const [description, setDescription] = useState(from?.description ?? '');
  const [source, setSource] = useState(from?.id ?? '');
  const why = (id: string) => (byID.has(id) ? beyond(byID.get(id)!) : undefined);
  async function submit() {
    if (name.trim() === '') throw new FieldError('name', 'Enter a name');
    const copied = byID.get(source);
    const made = await answered(
      api.POST('/v1/roles', {
        params: { query: tenantQuery, header: once.headers() },
        body: {
          name: name.trim(),
          permissions: copied?.permissions ?? [],
          ...(copied && copied.includes.length > 0 ? { includes: copied.includes } : {}),
          ...(description.trim() ? { description: description.trim() } : {}),
        },
      }),
    );
    await everythingChanged();
    toast('Role created');
    onClose();
    onCreated(made);
  }
  return (
    <DialogForm fields={createFields} onSubmit={submit} onCancel={onClose} action="Create role">
      {(errors) => (
        <>
          <TextField label="Name" data-autofocus value={name} onChange={setName} error={errors.name} />
          <TextField label="Description" value={description} onChange={setDescription} error={errors.description} />
          <Select
            label="Begin with the permissions of"
            data={[
              { value: '', label: 'No role: grant nothing yet' },
              ...items.map((role) => ({ value: role.id, label: role.name, disabled: why(role.id) !== undefined })),
            ]}
            value={source}
            onChange={(id) => setSource(id ?? '')}
            renderOption={option(why, (id) => byID.get(id)?.description)}
            maxDropdownHeight={300}
            error={errors.from}
          />
        </>
      )}
    </DialogForm>
  );
}

/** Changes what a custom role is called. */
export function RenameRoleDialog({ role, open, onClose }: { role: Role; open: boolean; onClose: () => void }) {
  return (
    <Dialog open={open} onClose={onClose} title={`Edit “${role.name}”`}>
      <RenameForm role={role} onClose={onClose} />
    </Dialog>
  );
}

const renameFields = ['name', 'description'] as const;

function RenameForm({ role, onClose }: { role: Role; onClose: () => void }) {
  const [name, setName] = useState(role.name);
  const [description, setDescription] = useState(role.description ?? '');
  async function submit() {
    if (name.trim() === '') throw new FieldError('name', 'Enter a name');
    await changeRole(role, { name: name.trim(), description: description.trim() });
    onClose();
  }
  return (
    <DialogForm fields={renameFields} onSubmit={submit} onCancel={onClose} action="Save">
      {(errors) => (
        <>
          <TextField label="Name" data-autofocus value={name} onChange={setName} error={errors.name} />
          <TextField label="Description" value={description} onChange={setDescription} error={errors.description} />
        </>
      )}
    </DialogForm>
  );
}

/** Changes a role and says so; everybody who has it feels it at once. */
export async function changeRole(role: Role, body: Schema<'ChangeRoleRequest'>) {
  await answered(api.PATCH('/v1/roles/{id}', { params: { path: { id: role.id } }, body }));
  await everythingChanged();
  toast('Changes have been saved');
}

/** Includes another role. */
export function IncludeDialog({ role, open, onClose }: { role: Role; open: boolean; onClose: () => void }) {
  return (
    <Dialog open={open} onClose={onClose} title={`Include a role in “${role.name}”`}>
      <IncludeForm role={role} onClose={onClose} />
    </Dialog>
  );
}

const includeFields = ['includes'] as const;

function IncludeForm({ role, onClose }: { role: Role; onClose: () => void }) {
  const { items, byID } = useRoles();
  const beyond = useBeyond();
  const [chosen, setChosen] = useState<string>();
  const why = (id: string): string | undefined => {
    const other = byID.get(id);
    if (!other) return undefined;
    if (role.includes.includes(id)) return 'Included already.';
    if (allIncluded(other, byID).some((r) => r.id === role.id)) return `Includes “${role.name}” itself.`;
    return beyond(other);
  };
  async function submit() {
    if (!chosen) throw new FieldError('includes', 'Choose a role');
    await changeRole(role, { includes: [...role.includes, chosen] });
    onClose();
  }
  return (
    <DialogForm fields={includeFields} onSubmit={submit} onCancel={onClose} action="Include role">
      {(errors) => (
        <>
          <Text size="md">
            “{role.name}” then grants all that the other role grants, now and later.
            {role.holders > 0 && ` ${heldBy(role)} and will get it at once.`}
          </Text>
          <Select
            label="Role"
            data-autofocus
            placeholder="Choose a role"
            data={items
              .filter((r) => r.id !== role.id)
              .map((r) => ({ value: r.id, label: r.name, disabled: why(r.id) !== undefined }))}
            value={chosen ?? null}
            onChange={(id) => id && setChosen(id)}
            renderOption={option(why, (id) => byID.get(id)?.description)}
            searchable
            openOnFocus={false}
            nothingFoundMessage="No role is called that."
            maxDropdownHeight={300}
            error={errors.includes}
          />
        </>
      )}
    </DialogForm>
  );
}

/** Stops including another role. */
export function ExcludeDialog({
  role,
  included,
  onClose,
}: {
  role: Role;
  included: Role | undefined;
  onClose: () => void;
}) {
  return (
    <ConfirmDialog
      open={included !== undefined}
      onClose={onClose}
      title={`Stop including “${included?.name ?? ''}”?`}
      action="Stop including role"
      onConfirm={() => changeRole(role, { includes: role.includes.filter((id) => id !== included?.id) })}
    >
      <Text size="md">
        As soon as you confirm, “{role.name}” no longer grants what only “{included?.name}” gave it.{' '}
        {role.holders > 0 && `${heldBy(role)}.`}
      </Text>
    </ConfirmDialog>
  );
}

/** Deletes a custom role that nobody has. */
export function DeleteRoleDialog({
  role,
  open,
  onClose,
  onDeleted,
}: {
  role: Role;
  open: boolean;
  onClose: () => void;
  onDeleted?: () => void;
}) {
  async function remove() {
    await answer(api.DELETE('/v1/roles/{id}', { params: { path: { id: role.id } } }));
    onDeleted?.();
    toast('Role deleted');
    void everythingChanged();
  }
  return (
    <ConfirmDialog
      open={open}
      onClose={onClose}
      title={`Delete “${role.name}”?`}
      action="Delete role"
      onConfirm={remove}
    >
      <Text size="md">
        The role is gone for good. {role.holders > 0 ? `${heldBy(role)}: take it away first.` : 'Nobody has it.'}
      </Text>
    </ConfirmDialog>
  );
}

/** "3 users and service accounts have this role" */
export function heldBy(role: Role): string {
  return role.holders === 1
    ? '1 user or service account has this role'
    : `${counted(role.holders, '', 'users and service accounts')} have this role`;
}
