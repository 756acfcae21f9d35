import { Button, Select, UnstyledButton } from '@mantine/core';
import { IconAlertTriangle, IconBuildingSkyscraper, IconKey, IconPlus, IconX } from '@tabler/icons-react';
import { useQuery } from '@tanstack/react-query';
import { useNavigate } from '@tanstack/react-router';
import { useCallback, useEffect, useMemo, useRef, useState } from 'react';
import { $api, answered, api } from '../../api/client';
import { can, useMe } from '../../session/me';
import { useScope } from '../../session/scope';
import { Page } from '../../shell/page';
import { PageHead } from '../../shell/page_head';
import { useScopeName } from '../../shell/organizations';
import { useTenant } from '../../shell/scope_menu';
import { useCreate } from '../../shell/shortcuts';
import { Blank, NoMatch } from '../../state/blank';
import { ListRefused, PlanNotice } from '../../state/plan_gate';
import { DataTable, type RowAction } from '../../table/data_table';
import { Filters, whenOpened } from '../../table/filters';
import { useListState } from '../../table/list_state';
import { SearchInput } from '../../table/search_input';
import { useSelection } from '../../table/selection';
import { DAY } from '../../time/time';
import { BulkDialog, type Chosen, useBulkDeletion } from './bulk';
import { columns, iconOf, KeyBadge, pageOf, PhoneAbout } from './columns';
import { CreateDialog } from './create_dialog';
import { useDownload } from './download_button';
import { useKeyDialogs } from './key_dialogs';
import {
  type APIKey,
  COUNTED,
  countedTo,
  filterFor,
  kindsFor,
  living,
  states,
  whyNotChange,
  whyNotRotate,
  withinDays,
} from './keys';
import { keyOrder, keysQuery } from './list_query';
import { ExpiryBanner } from './expiry_banner';
import { LegacyBanner } from './legacy_banner';

const help = 'api-keys';
const none: APIKey[] = [];
const idOf = (key: APIKey) => key.id;

/** All keys of the account: Settings / API Keys. */
export function APIKeysPage() {
  const me = useMe();
  const scope = useScope();
  const navigate = useNavigate();
  const scopeName = useScopeName();
  const tenantName = useTenant(scope.tenant)?.name ?? me.tenant.name;
  const list = useListState(keyOrder.all, ['kind', 'state', 'expiring'], keyOrder.searched);
  const { sees, makes } = kindsFor(me);
  const expiring = list.filter('expiring') !== undefined;
  const within = withinDays(list.filter('expiring'));
  // From when the page was opened: a moment of its own would be another list each time.
  const [opened] = useState(() => Date.now());
  const soon = new Date(opened + within * DAY).toISOString();
  const filter = useMemo(
    () =>
      filterFor(
        { tenant_id: scope.tenant, organization_id: scope.org },
        list.search,
        list.filter('kind'),
        list.filter('state'),
        expiring ? soon : undefined,
      ),
    [scope.tenant, scope.org, list, expiring, soon],
  );
  const { data, error, isPlaceholderData, isFetching, refetch } = useQuery(keysQuery(filter, list.query));
  // Where it is searched, the list counts only so far.
  const uncounted = (data?.total ?? 0) > COUNTED && (filter.search !== undefined || expiring);
  const counts = $api.useQuery('get', '/v1/api-keys/count', { params: { query: filter } }, { enabled: uncounted });
  // How many the chip would show: the total of a list that nobody sees.
  const soonList = $api.useQuery(
    'get',
    '/v1/api-keys',
    { params: { query: { ...filter, state: 'living', expiring_before: soon, sort: 'expires_at', limit: 1 } } },
    { enabled: data !== undefined },
  );
  const rows = data?.items;
  const total = (uncounted ? counts.data?.count : undefined) ?? data?.total;
  const order = useMemo(() => (rows ?? none).map(idOf), [rows]);
  const selection = useSelection(list.key, order, total ?? 0);
  const seen = useSeen(rows);

  const [creating, setCreating] = useState(false);
  const { show, copyKey, dialogs } = useKeyDialogs();
  const deletion = useBulkDeletion();
  const download = useDownload(exportURL(filter, list.sort, list.descending));
  const [chosen, setChosen] = useState<Chosen>();
  const [confirming, setConfirming] = useState(false);
  const mayMake = makes.length > 0 && (me.tenant.api_access || me.system) && !error;
  const create = useCallback(() => setCreating(true), []);
  useCreate(mayMake ? create : undefined);

  const open = useCallback((key: APIKey) => void navigate({ to: pageOf(key) }), [navigate]);
  const actions = (key: APIKey): RowAction[] => {
    const not = whyNotChange(me, key);
    const openIt = { label: 'Open', onClick: () => open(key) };
    const deleteIt = { label: 'Delete', destroys: true, disabled: not, onClick: () => show('delete', key) };
    if (!living(key)) return key.state === 'revoked' && !key.deleted_at ? [openIt, deleteIt] : [openIt];
    if (key.kind === 'organization_key') {
      return [
        { label: 'Edit', onClick: () => open(key) },
        {
          label: 'Copy key to clipboard',
          disabled: key.recoverable ? undefined : 'No copy of it was kept.',
          onClick: () => void copyKey(key),
        },
        deleteIt,
      ];
    }
    return [
      { label: 'Edit', disabled: not, onClick: () => show('rename', key) },
      { label: 'Rotate', disabled: whyNotRotate(me, key), onClick: () => show('rotate', key) },
      { label: 'Revoke', destroys: true, disabled: not, onClick: () => show('revoke', key) },
    ];
  };

  // The settings are a page of those who may change them.
  const parent = { label: 'Settings', to: can(me, 'claviger.tenant:manage') ? '/settings' : undefined };

  async function choose() {
    const once = crypto.randomUUID();
    let next: Chosen;
    if (!selection.all) {
      const ids = [...selection.ids];
      next = { ...sums(ids, seen.current), count: ids.length, ids, once };
    } else {
      try {
        const { count, revision, by_kind, used_last_7_days } = await answered(
          api.GET('/v1/api-keys/count', { params: { query: filter } }),
        );
        next = { count, revision, byKind: by_kind, usedLately: used_last_7_days, filter, once };
        next.filterName = inWords(filter, tenantName, scopeName);
      } catch (problem) {
        next = { count: selection.count, byKind: {}, usedLately: 0, error: problem, once };
      }
    }
    setChosen(next);
    setConfirming(true);
  }

  if (error && !data) {
    return (
      <Page kind="plain">
        <PageHead title="API Keys" parent={parent} help={help} />
        <div className="tbl">
          <ListRefused
            what="The keys"
            things="keys"
            right="Grant access to API keys generation"
            error={error}
            onRetry={() => void refetch()}
          />
        </div>
      </Page>
    );
  }
  const nothing = rows?.length === 0 && !list.narrowed && !isPlaceholderData && !deletion.bar;
  const createButton = mayMake && (
    <Button leftSection={<IconPlus size={16} stroke={2} aria-hidden />} onClick={create}>
      Create API Key
    </Button>
  );
  return (
    <Page kind={nothing ? 'plain' : 'fill'}>
      <PageHead title="API Keys" parent={parent} help={help}>
        {!nothing && download.button(!rows || total === 0)}
        {!nothing && createButton}
      </PageHead>
      <PlanNotice />
      <LegacyBanner />
      {!expiring && !nothing && <ExpiryBanner />}
      {nothing ? (
        <div className="tbl">
          {me.system && !scope.tenant ? (
            <Blank
              icon={IconBuildingSkyscraper}
              title="The system itself has no API keys"
              actions={createButton || undefined}
            >
              Choose a tenant in the menu at the top to see its keys.
            </Blank>
          ) : (
            <Blank
              icon={IconKey}
              title={scope.org ? `No API keys in ${scopeName} yet` : 'No API keys yet'}
              actions={
                <>
                  {createButton}
                  <Button
                    component="a"
                    href="/help/guides/quick-start"
                    target="_blank"
                    rel="noopener"
                    variant="default"
                  >
                    Read the quick start
                  </Button>
                </>
              }
            >
              A key lets a program act with your permissions. Create one, copy it into your program, and revoke it here
              when it is no longer needed.
            </Blank>
          )}
        </div>
      ) : (
        <>
          <Filters
            search={<SearchInput what="keys" value={list.search} onChange={list.setSearch} />}
            active={list.filter('kind') !== undefined || list.filter('state') !== undefined || expiring}
          >
            {sees.length > 1 && (
              <Select
                aria-label="Kind"
                w={160}
                comboboxProps={whenOpened}
                data={[
                  { value: '', label: 'All kinds' },
                  { value: 'user_key', label: 'User keys' },
                  { value: 'organization_key', label: 'Organization keys' },
                ]}
                value={list.filter('kind') ?? ''}
                onChange={(kind) => list.setFilter({ kind: kind || undefined })}
              />
            )}
            <Select
              aria-label="State"
              w={200}
              comboboxProps={whenOpened}
              data={states as unknown as { value: string; label: string }[]}
              value={filter.state ?? 'living'}
              onChange={(state) =>
                list.setFilter({ state: state === 'living' ? undefined : (state ?? undefined), expiring: undefined })
              }
            />
            <SoonChip
              count={soonList.data?.total ?? 0}
              days={within}
              on={expiring}
              onClick={() => list.setFilter({ expiring: expiring ? undefined : '30', state: undefined })}
            />
          </Filters>
          <DataTable<APIKey>
            label="API keys"
            noun={['key', 'keys']}
            rows={rows}
            columns={columns}
            idOf={idOf}
            nameOf={(key) => key.name}
            iconOf={iconOf}
            quiet={(key) => key.state !== 'active'}
            onOpen={open}
            actions={actions}
            phone={(key) => ({
              badge: <KeyBadge apiKey={key} />,
              key: key.hint,
              about: <PhoneAbout apiKey={key} />,
            })}
            total={total}
            list={list}
            next={isPlaceholderData ? undefined : data?.next_cursor}
            previous={isPlaceholderData ? undefined : data?.previous_cursor}
            fetching={isFetching}
            selection={selection}
            onDelete={() => void choose()}
            progress={deletion.bar || download.bar}
            empty={
              <NoMatch
                what="keys"
                search={list.search}
                where={scope.org ? scopeName : undefined}
                onClear={list.clear}
              />
            }
          />
        </>
      )}
      <CreateDialog open={creating} onClose={() => setCreating(false)} kinds={makes} />
      {chosen && (
        <BulkDialog
          chosen={chosen}
          open={confirming}
          onClose={() => setConfirming(false)}
          onAccepted={(operation) => {
            deletion.begin(operation);
            selection.clear();
          }}
        />
      )}
      {deletion.dialog}
      {dialogs}
    </Page>
  );
}

/** "4 expire within 30 days", which is a filter. */
function SoonChip({ count, days, on, onClick }: { count: number; days: number; on: boolean; onClick: () => void }) {
  if (count === 0 && !on) return null;
  return (
    <UnstyledButton className="chip" aria-pressed={on} onClick={onClick}>
      <IconAlertTriangle size={15} stroke={1.7} className="warn" aria-hidden />
      <span>
        <b>{countedTo(count)}</b> {count === 1 ? 'expires' : 'expire'} within {days}
        {days === 1 ? ' day' : ' days'}
      </span>
      {on && <IconX size={14} aria-hidden />}
    </UnstyledButton>
  );
}

/** Every row that was on a page so far: what is selected may be on another. */
function useSeen(rows: readonly APIKey[] | undefined) {
  const seen = useRef(new Map<string, APIKey>());
  useEffect(() => {
    for (const key of rows ?? none) seen.current.set(key.id, key);
  }, [rows]);
  return seen;
}

function sums(ids: string[], seen: Map<string, APIKey>): Pick<Chosen, 'byKind' | 'usedLately'> {
  const byKind: Record<string, number> = {};
  let usedLately = 0;
  for (const id of ids) {
    const key = seen.get(id);
    if (!key) continue;
    byKind[key.kind] = (byKind[key.kind] ?? 0) + 1;
    if (key.last_used_at && Date.now() - new Date(key.last_used_at).getTime() < 7 * DAY) usedLately++;
  }
  return { byKind, usedLately };
}

/** "Northwind Voice, all organizations, “kiosk”" */
function inWords(filter: ReturnType<typeof filterFor>, tenant: string, organization: string): string {
  const kind = filter.kind === 'user_key' ? 'user keys' : filter.kind === 'organization_key' ? 'organization keys' : '';
  const state =
    filter.state === 'living' ? '' : (states.find((s) => s.value === filter.state)?.label.toLowerCase() ?? '');
  return [
    tenant,
    organization,
    filter.search && `“${filter.search}”`,
    kind,
    state,
    filter.expiring_before && 'expire soon',
  ]
    .filter(Boolean)
    .join(', ');
}

function exportURL(filter: ReturnType<typeof filterFor>, sort: string, descending: boolean): string {
  const query = new URLSearchParams({ sort, order: descending ? 'desc' : 'asc' });
  for (const [name, value] of Object.entries(filter)) if (value !== undefined) query.set(name, String(value));
  return `/v1/api-keys/export?${query.toString()}`;
}
