import { Popover, TextInput, UnstyledButton } from '@mantine/core';
import { useDebouncedValue, useMediaQuery } from '@mantine/hooks';
import {
  IconBuilding,
  IconBuildingSkyscraper,
  IconCheck,
  IconChevronDown,
  IconChevronLeft,
  IconSearch,
} from '@tabler/icons-react';
import { useQuery } from '@tanstack/react-query';
import { type KeyboardEvent, useEffect, useId, useRef, useState } from 'react';
import { answered, api } from '../api/client';
import { useMe } from '../session/me';
import { useScope } from '../session/scope';
import { inTreeOrder, useOrganizations, useScopeOrganization } from './organizations';

/** A tenant by its ID, for system callers. */
export function useTenant(id: string | undefined) {
  return useQuery({
    queryKey: ['tenants', 'one', id],
    enabled: id !== undefined,
    staleTime: 60_000,
    placeholderData: undefined,
    queryFn: () => answered(api.GET('/v1/tenants/{id}', { params: { path: { id: id! } } })),
  }).data;
}

/**
 * The organization menu: everything the console shows is at the chosen organization and
 * below it. For people of the system tenant it begins with the tenants.
 */
export function ScopeMenu() {
  const me = useMe();
  const scope = useScope();
  const [open, setOpen] = useState(false);
  const small = useMediaQuery('(max-width: 767px)', window.innerWidth < 768, { getInitialValueInEffect: false });
  const tenant = useTenant(scope.tenant);
  const organization = useScopeOrganization();
  const tenantName = scope.tenant ? (tenant?.name ?? '…') : me.tenant.name;
  const organizationName = scope.org ? (organization ?? '…') : 'All organizations';
  return (
    <Popover opened={open} onChange={setOpen} position="bottom-start" width={340} shadow="md" trapFocus returnFocus>
      <Popover.Target>
        <UnstyledButton
          className="scope"
          aria-label={`Organization: ${tenantName}, ${organizationName}`}
          aria-haspopup="dialog"
          aria-expanded={open}
          onClick={() => setOpen((o) => !o)}
        >
          <IconBuilding size={16} stroke={1.6} className="muted fixed" aria-hidden />
          {(!small || !scope.org) && <span className="trunc strong">{tenantName}</span>}
          {!small && <span className="muted">/</span>}
          {(!small || scope.org) && <span className="trunc">{organizationName}</span>}
          <IconChevronDown size={14} className="muted fixed" aria-hidden />
        </UnstyledButton>
      </Popover.Target>
      <Popover.Dropdown p={0} aria-label="Choose an organization">
        <Choices
          onChoose={(to) => {
            scope.setScope(to);
            setOpen(false);
          }}
        />
      </Popover.Dropdown>
    </Popover>
  );
}

interface Choice {
  id: string;
  label: string;
  depth: number;
  chosen: boolean;
  tenant?: boolean;
  choose: () => void;
}

function Choices({ onChoose }: { onChoose: (to: { tenant?: string; org?: string }) => void }) {
  const me = useMe();
  const scope = useScope();
  // Which tenant's tree is open; system callers begin with the tenants.
  const [tenant, setTenant] = useState<string | undefined>(scope.tenant);
  const [level, setLevel] = useState<'tenants' | 'organizations'>(
    me.system && !scope.tenant ? 'tenants' : 'organizations',
  );
  const [text, setText] = useState('');
  const [search] = useDebouncedValue(text.trim(), 150);
  const tenants = useQuery({
    queryKey: ['tenants', 'menu', search],
    enabled: me.system && level === 'tenants',
    queryFn: () =>
      answered(api.GET('/v1/tenants', { params: { query: { ...(search ? { search } : {}), limit: 100 } } })),
  });
  const organizations = useOrganizations(tenant, search, level === 'organizations');
  const name = useTenant(tenant)?.name ?? me.tenant.name;

  const list: Choice[] = [];
  if (level === 'tenants') {
    list.push({
      id: 'own',
      label: `${me.tenant.name} (this installation)`,
      depth: 0,
      chosen: !scope.tenant,
      tenant: true,
      choose: () => onChoose({}),
    });
    for (const t of tenants.data?.items ?? []) {
      if (t.id === me.tenant.id) continue;
      list.push({
        id: t.id,
        label: t.name,
        depth: 0,
        chosen: scope.tenant === t.id,
        tenant: true,
        choose: () => {
          setTenant(t.id);
          setLevel('organizations');
          setText('');
        },
      });
    }
  } else {
    // Lists show one branch at a time, so where there are several nothing stands for all.
    const branches = tenant ? [] : scope.branches;
    const whole = branches.length === 0;
    if (whole)
      list.push({
        id: 'all',
        label: 'All organizations',
        depth: 0,
        chosen: scope.tenant === tenant && !scope.org,
        choose: () => onChoose({ tenant }),
      });
    const known = new Set(organizations.items.map((o) => o.id));
    const asked = search.toLowerCase();
    const others = branches.filter((b) => !known.has(b.id) && b.name.toLowerCase().includes(asked));
    for (const { organization, depth } of inTreeOrder([...organizations.items, ...others])) {
      list.push({
        id: organization.id,
        label: organization.name,
        depth: whole ? depth + 1 : depth,
        chosen: scope.org === organization.id,
        choose: () => onChoose({ tenant, org: organization.id }),
      });
    }
  }
  const more = level === 'tenants' ? tenants.data?.next_cursor !== undefined : organizations.more;
  return (
    <div className="scopemenu">
      {me.system && level === 'organizations' && (
        <UnstyledButton
          className="scopeback"
          onClick={() => {
            setLevel('tenants');
            setText('');
          }}
        >
          <IconChevronLeft size={14} aria-hidden /> All tenants
          <span className="muted trunc">{name}</span>
        </UnstyledButton>
      )}
      <ChoiceList key={level} what={level} list={list} text={text} onText={setText} />
      {more && <div className="scopemore muted">Search to find the others.</div>}
    </div>
  );
}

/** A searchable list: arrows move, Enter chooses. */
function ChoiceList({
  what,
  list,
  text,
  onText,
}: {
  what: string;
  list: Choice[];
  text: string;
  onText: (text: string) => void;
}) {
  const id = useId();
  const [current, setCurrent] = useState(0);
  const box = useRef<HTMLDivElement>(null);
  const at = Math.min(current, list.length - 1);
  useEffect(() => {
    box.current?.querySelector('[data-current]')?.scrollIntoView({ block: 'nearest' });
  }, [at]);
  function keys(event: KeyboardEvent) {
    if (event.key === 'ArrowDown') setCurrent(Math.min(at + 1, list.length - 1));
    else if (event.key === 'ArrowUp') setCurrent(Math.max(at - 1, 0));
    else if (event.key === 'Enter') list[at]?.choose();
    else return;
    event.preventDefault();
  }
  return (
    <>
      <TextInput
        className="scopesearch"
        variant="unstyled"
        data-autofocus
        placeholder={`Search ${what}`}
        aria-label={`Search ${what}`}
        role="combobox"
        aria-expanded
        aria-controls={id}
        aria-activedescendant={list[at] ? `${id}-${list[at].id}` : undefined}
        leftSection={<IconSearch size={16} stroke={1.6} aria-hidden />}
        value={text}
        onChange={(event) => {
          onText(event.currentTarget.value);
          setCurrent(0);
        }}
        onKeyDown={keys}
      />
      <div className="scopelist" role="listbox" id={id} aria-label={what} ref={box}>
        {list.map((choice, i) => (
          <div
            key={choice.id}
            id={`${id}-${choice.id}`}
            role="option"
            aria-selected={choice.chosen}
            data-current={i === at || undefined}
            className="scopeitem"
            style={{ paddingLeft: 12 + Math.min(choice.depth, 8) * 16 }}
            onClick={choice.choose}
            onMouseMove={() => setCurrent(i)}
          >
            {choice.tenant && <IconBuildingSkyscraper size={15} stroke={1.6} className="muted fixed" aria-hidden />}
            <span className="trunc">{choice.label}</span>
            {choice.chosen && <IconCheck size={15} className="fixed" aria-hidden />}
          </div>
        ))}
      </div>
    </>
  );
}
