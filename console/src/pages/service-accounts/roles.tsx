import { ActionIcon, Button, Select, Tooltip } from '@mantine/core';
import { IconPlus, IconX } from '@tabler/icons-react';
import { useCan, useMe } from '../../session/me';
import { missingAt } from '../../session/held';
import { useOrganization } from '../../shell/organizations';
import { usePermissions, useRoles } from '../roles/data';
import { listed } from '../roles/grants';

/**
 * The roles of the tenant, and of those that the caller may not give at an organization the
 * reason: nobody gives more than they hold there.
 */
export function useGivableRoles(organization: string | undefined) {
  const me = useMe();
  const mayRead = useCan('claviger.roles:read', 'claviger.roles:manage');
  const roles = useRoles(mayRead);
  const { known } = usePermissions();
  const at = useOrganization(organization);
  const reasons = new Map<string, string>();
  for (const role of at ? roles.items : []) {
    const missing = missingAt(me, at!.path, role.resolved ?? role.permissions);
    if (missing.length > 0) reasons.set(role.id, `Grants ${listed(missing, known)}, which you do not have there.`);
  }
  return { mayRead, roles: roles.items, byID: roles.byID, reasons, error: roles.query.error };
}

export type GivableRoles = ReturnType<typeof useGivableRoles>;

interface RolePickProps {
  label: string;
  givable: GivableRoles;
  value: string;
  onChange: (role: string) => void;
  /** Chosen elsewhere, or given already. */
  taken: readonly string[];
  error?: string;
  autofocus?: boolean;
}

/** Chooses one role; what may not be given is disabled, with the reason. */
export function RolePick({ label, givable, value, onChange, taken, error, autofocus }: RolePickProps) {
  const why = (id: string) => (id !== value && taken.includes(id) ? 'Chosen already.' : givable.reasons.get(id));
  return (
    <Select
      aria-label={label}
      className="grow"
      placeholder="Choose a role"
      data={givable.roles.map((role) => ({ value: role.id, label: role.name, disabled: why(role.id) !== undefined }))}
      value={value || null}
      onChange={(id) => id && onChange(id)}
      renderOption={({ option }) => (
        <span className="rolepick">
          <span>{option.label}</span>
          <span className={why(option.value) ? 'muted why' : 'muted'}>
            {why(option.value) ?? givable.byID.get(option.value)?.description}
          </span>
        </span>
      )}
      error={error}
      searchable
      nothingFoundMessage="No role is called that."
      maxDropdownHeight={300}
      data-autofocus={autofocus || undefined}
    />
  );
}

interface RolesFieldProps {
  givable: GivableRoles;
  /** IDs; an empty one is a row without a choice yet. */
  value: readonly string[];
  onChange: (roles: string[]) => void;
  /** Problems by row. */
  errorOf: (row: number) => string | undefined;
}

/** Any number of roles, one row each. */
export function RolesField({ givable, value, onChange, errorOf }: RolesFieldProps) {
  return (
    <div role="group" aria-label="Roles">
      <span className="fieldlabel">Roles</span>
      <p className="fieldhint">
        {value.length === 0
          ? 'Without a role it may call the basic methods only: look at the account and at the service’s status.'
          : 'They decide which methods it may call, and can be changed later.'}
      </p>
      {!givable.mayRead && (
        <p className="fieldhint">You may not see the roles of this account, so you cannot give any.</p>
      )}
      <div className="rolerows">
        {value.map((role, row) => (
          <div key={row} className="rolerow">
            <RolePick
              label={`Role ${row + 1}`}
              givable={givable}
              value={role}
              taken={value}
              onChange={(id) => onChange(value.map((old, i) => (i === row ? id : old)))}
              error={errorOf(row)}
            />
            <Tooltip label="Remove this role">
              <ActionIcon
                aria-label={`Remove role ${row + 1}`}
                onClick={() => onChange(value.filter((_, i) => i !== row))}
              >
                <IconX size={16} />
              </ActionIcon>
            </Tooltip>
          </div>
        ))}
      </div>
      {givable.mayRead && (
        <Button
          variant="default"
          leftSection={<IconPlus size={15} aria-hidden />}
          onClick={() => onChange([...value, ''])}
        >
          Add role
        </Button>
      )}
    </div>
  );
}
