import { Select } from '@mantine/core';
import { useDebouncedValue } from '@mantine/hooks';
import { type ReactNode, useState } from 'react';
import { useMe } from '../session/me';
import { useScope } from '../session/scope';
import { inTreeOrder, type Organization, useOrganization, useOrganizations } from './organizations';

interface OrganizationPickerProps {
  label: string;
  description?: ReactNode;
  value: string | undefined;
  onChange: (id: string) => void;
  error?: string;
  /** Leaves out what cannot be chosen: an organization's own subtree, when it moves. */
  exclude?: (organization: Organization) => boolean;
  autofocus?: boolean;
}

/** Chooses one organization of the tree; typing searches all of it. */
export function OrganizationPicker({
  label,
  description,
  value,
  onChange,
  error,
  exclude,
  autofocus,
}: OrganizationPickerProps) {
  const me = useMe();
  const { tenant } = useScope();
  const chosen = useOrganization(value);
  const [text, setText] = useState('');
  const asked = text === chosen?.name ? '' : text.trim();
  const [search] = useDebouncedValue(asked, 150);
  const found = useOrganizations(tenant, search);
  const list = found.items.filter((o) => !exclude?.(o));
  const names = new Map(found.items.map((o) => [o.id, o.name]));
  const rows = new Map<string, { depth: number; within?: string }>();
  const options = inTreeOrder(list).map(({ organization, depth }) => {
    const parent = organization.parent_id ? names.get(organization.parent_id) : undefined;
    rows.set(organization.id, { depth, within: search && depth === 0 ? parent : undefined });
    return { value: organization.id, label: organization.name };
  });
  if (chosen && !rows.has(chosen.id)) options.push({ value: chosen.id, label: chosen.name });
  else if (value && !chosen && value === me.organization.id && !rows.has(value))
    options.push({ value, label: me.organization.name });
  return (
    <Select
      label={label}
      description={description ?? (found.more ? 'Type to find one that is not listed.' : undefined)}
      data={options}
      value={value ?? null}
      onChange={(id) => id && onChange(id)}
      error={error}
      searchable
      openOnFocus={false}
      searchValue={text}
      onSearchChange={setText}
      filter={({ options: all }) => all}
      nothingFoundMessage={found.isPending ? 'Loading' : 'No organization is called that.'}
      maxDropdownHeight={300}
      data-autofocus={autofocus || undefined}
      renderOption={({ option }) => {
        const row = rows.get(option.value);
        return (
          <span className="orgoption" style={{ paddingLeft: Math.min(row?.depth ?? 0, 8) * 16 }}>
            <span className="trunc">{option.label}</span>
            {row?.within && <span className="muted">in {row.within}</span>}
          </span>
        );
      }}
      comboboxProps={{ withinPortal: true }}
    />
  );
}
