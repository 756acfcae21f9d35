import { MultiSelect, Select } from '@mantine/core';
import { useMe } from '../../session/me';
import { missingAt } from '../../session/held';
import { usePermissions, useRoles } from '../roles/data';
import { listed } from '../roles/grants';

/** Why the caller may not give a role at an organization, by role; a role that may be given has none. */
export function useRoleReasons(path: readonly string[] | undefined, where: string | undefined) {
  const me = useMe();
  const roles = useRoles();
  const { known } = usePermissions();
  const reasons = new Map<string, string>();
  if (!path) return { roles, reasons };
  const may = missingAt(me, path, ['claviger.assignments:manage']).length === 0;
  const place = where ? `in ${where}` : 'there';
  for (const role of roles.items) {
    const missing = missingAt(me, path, role.resolved ?? role.permissions);
    if (!may) reasons.set(role.id, `You may not give roles ${place}.`);
    else if (missing.length > 0)
      reasons.set(role.id, `Grants ${listed(missing, known)}, which you do not have ${place}.`);
  }
  return { roles, reasons };
}

interface RoleSelectProps {
  path: readonly string[] | undefined;
  where: string | undefined;
  label: string;
  error?: string;
  /** Roles that are given already, with the reason. */
  taken?: ReadonlyMap<string, string>;
}

function useOptions({ path, where, taken }: Pick<RoleSelectProps, 'path' | 'where' | 'taken'>) {
  const { roles, reasons } = useRoleReasons(path, where);
  const why = (id: string) => taken?.get(id) ?? reasons.get(id);
  const data = roles.items.map((role) => ({
    value: role.id,
    label: role.name,
    disabled: path === undefined || why(role.id) !== undefined,
  }));
  const renderOption = ({ option }: { option: { value: string; label: string } }) => (
    <span className="roleoption">
      <span>{option.label}</span>
      <span className="muted">{why(option.value) ?? roles.byID.get(option.value)?.description}</span>
    </span>
  );
  return { data, renderOption };
}

/** Chooses one role to be given at an organization; what may not be given says why. */
export function RoleSelect({
  value,
  onChange,
  ...props
}: RoleSelectProps & { value: string | undefined; onChange: (id: string) => void }) {
  const { data, renderOption } = useOptions(props);
  return (
    <Select
      label={props.label}
      error={props.error}
      data={data}
      value={value ?? null}
      onChange={(id) => id && onChange(id)}
      renderOption={renderOption}
      placeholder="Choose a role"
      searchable
      openOnFocus={false}
      nothingFoundMessage="No role is called that."
      maxDropdownHeight={320}
    />
  );
}

/** Chooses any number of roles to be given at an organization. */
export function RolesSelect({
  value,
  onChange,
  ...props
}: RoleSelectProps & { value: string[]; onChange: (ids: string[]) => void }) {
  const { data, renderOption } = useOptions(props);
  return (
    <MultiSelect
      label={props.label}
      error={props.error}
      data={data}
      value={value}
      onChange={onChange}
      renderOption={renderOption}
      placeholder={value.length === 0 ? 'None yet' : undefined}
      searchable
      openOnFocus={false}
      hidePickedOptions
      nothingFoundMessage="No other role is called that."
      maxDropdownHeight={320}
    />
  );
}
