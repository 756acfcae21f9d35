import { Button, Select } from '@mantine/core';
import { useDebouncedCallback } from '@mantine/hooks';
import { IconDownload, IconHistory } from '@tabler/icons-react';
import { keepPreviousData } from '@tanstack/react-query';
import { Link, useNavigate, useSearch } from '@tanstack/react-router';
import { useEffect, useMemo, useState } from 'react';
import { $api } from '../../api/client';
import { TextField } from '../../dialog/text_field';
import { useCan, useMe } from '../../session/me';
import { useScope } from '../../session/scope';
import { useStepUp } from '../../session/step_up';
import { useScopeName } from '../../shell/organizations';
import { Page } from '../../shell/page';
import { PageHead } from '../../shell/page_head';
import { Blank, LoadFailed, NoMatch, NoPermission } from '../../state/blank';
import { ProblemNote } from '../../state/problem_note';
import { cutKey } from '../../table/cut_key';
import { type Column, DataTable } from '../../table/data_table';
import { Filters } from '../../table/filters';
import { type ListState, useListState } from '../../table/list_state';
import { SearchInput } from '../../table/search_input';
import { Moment } from '../../time/when';
import { choices, inWords } from './actions';
import { Checkpoint } from './checkpoint';
import { downloadEvents } from './download';
import { EventPanel, Who } from './event_panel';
import { type AuditEvent, pageOf, targetOf, whoOf } from './words';

const filters = ['action', 'id', 'from', 'to'] as const;

/** Audit log: who changed what, and whether the record of it is whole. */
export function AuditLogPage() {
  const allowed = useCan('claviger.audit_events:read');
  if (!allowed) {
    return (
      <Page>
        <PageHead title="Audit log" help="audit-log" />
        <NoPermission right="Audit log" />
      </Page>
    );
  }
  return <Log />;
}

function Log() {
  const list = useListState('-sequence', filters);
  const query = useQuery(list);
  const { sort, order, cursor, limit } = list.query;
  const events = $api.useQuery(
    'get',
    '/v1/audit-events',
    { params: { query: { ...query, sort, order, limit, ...(cursor ? { cursor } : {}) } } },
    { placeholderData: keepPreviousData },
  );
  const where = useScopeName();
  const [opened, open] = useOpened();
  const here = events.data?.items.find((e) => String(e.sequence) === opened);
  const elsewhere = useEvent(here ? undefined : opened);
  const event = here ?? elsewhere;
  const columns = useColumns(open);
  return (
    <Page>
      <PageHead title="Audit log" help="audit-log">
        <Download query={query} disabled={events.data?.total === 0} />
      </PageHead>
      <Checkpoint />
      <LogFilters list={list} />
      {events.isError && !events.data ? (
        <LoadFailed what="The audit log" error={events.error} onRetry={() => void events.refetch()} />
      ) : (
        <DataTable<AuditEvent>
          label="Audit log"
          noun={['event', 'events']}
          rows={events.data?.items}
          columns={columns}
          idOf={(e) => String(e.sequence)}
          nameOf={(e) => inWords(e.action)}
          onOpen={(e) => open(String(e.sequence))}
          phone={(e) => ({ key: targetOf(e), about: <AboutOnPhone event={e} /> })}
          total={events.data?.total}
          list={list}
          next={events.data?.next_cursor}
          previous={events.data?.previous_cursor}
          fetching={events.isFetching}
          empty={<Nothing list={list} where={where} />}
        />
      )}
      <EventPanel event={event} onClose={() => open(undefined)} />
    </Page>
  );
}

function AboutOnPhone({ event }: { event: AuditEvent }) {
  return (
    <>
      {whoOf(event)} · <Moment at={event.at} />
    </>
  );
}

function Nothing({ list, where }: { list: ListState; where: string }) {
  const { org } = useScope();
  if (list.narrowed || org)
    return <NoMatch what="events" search={list.search} where={org ? where : undefined} onClear={list.clear} />;
  return (
    <Blank icon={IconHistory} title="No events yet">
      Every change, and every time a secret is shown, is written here with who did it and from where.
    </Blank>
  );
}

/** The API's parameters that say what the filters say. Days are the viewer's. */
function useQuery(list: ListState) {
  const { query: scope } = useScope();
  const action = list.filter('action');
  const id = list.filter('id');
  const from = dayStart(list.filter('from'), 0);
  const to = dayStart(list.filter('to'), 1);
  return useMemo(
    () => ({
      ...scope,
      ...(list.search ? { who: list.search } : {}),
      ...(action ? { action } : {}),
      ...(id ? (id.startsWith('crd_') ? { credential_id: id } : { target_id: id }) : {}),
      ...(from ? { from } : {}),
      ...(to ? { to } : {}),
    }),
    // The scope is a new object each time; its members are what counts.
    // eslint-disable-next-line react-hooks/exhaustive-deps
    [scope.tenant_id, scope.organization_id, list.search, action, id, from, to],
  );
}

function dayStart(text: string | undefined, later: number): string | undefined {
  const parts = /^(\d{4})-(\d{2})-(\d{2})$/.exec(text ?? '');
  if (!parts) return undefined;
  const at = new Date(Number(parts[1]), Number(parts[2]) - 1, Number(parts[3]) + later);
  return Number.isNaN(at.getTime()) ? undefined : at.toISOString();
}

/** The event that stands open, in the URL. */
function useOpened(): [string | undefined, (sequence: string | undefined) => void] {
  const { open } = useSearch({ strict: false }) as { open?: string };
  const navigate = useNavigate();
  return [
    open,
    (sequence) => void navigate({ to: '.', search: ((old: object) => ({ ...old, open: sequence })) as never }),
  ];
}

function useColumns(open: (sequence: string) => void): Column<AuditEvent>[] {
  return useMemo(
    () => [
      { title: 'Time', sort: 'sequence', width: 160, cell: (e) => <Moment at={e.at} /> },
      { title: 'Who', width: 170, cell: (e) => <Who event={e} /> },
      {
        title: 'What',
        cell: (e) => (
          <button type="button" className="keyname" onClick={() => open(String(e.sequence))}>
            {inWords(e.action)}
          </button>
        ),
      },
      { title: 'To what', width: 240, cell: (e) => <Target event={e} /> },
      { title: 'Organization', width: 170, cell: (e) => e.organization_name ?? <span className="muted">–</span> },
      { title: 'From', width: 130, cell: (e) => <Source event={e} /> },
    ],
    // Opening is the same act whichever closure does it.
    // eslint-disable-next-line react-hooks/exhaustive-deps
    [],
  );
}

function Target({ event }: { event: AuditEvent }) {
  const name = targetOf(event);
  const to = pageOf(event);
  if (name === '') return <span className="muted">–</span>;
  return to ? (
    <Link to={to} title={name}>
      {name}
    </Link>
  ) : (
    <span title={name}>{name}</span>
  );
}

function Source({ event }: { event: AuditEvent }) {
  if (event.source) return <span className="mono">{event.source}</span>;
  return <span className="muted">{event.via === 'system' ? 'Claviger' : '–'}</span>;
}

function LogFilters({ list }: { list: ListState }) {
  const me = useMe();
  const actions = useMemo(() => choices(me.system), [me.system]);
  const active = filters.some((name) => list.filter(name));
  return (
    <Filters active={active} search={<SearchInput what="who did it" value={list.search} onChange={list.setSearch} />}>
      <Select
        aria-label="What"
        placeholder="Anything done"
        data={actions}
        searchable
        clearable
        allowDeselect
        nothingFoundMessage="Nothing is called that."
        maxDropdownHeight={360}
        value={list.filter('action') ?? null}
        onChange={(value) => list.setFilter({ action: value ?? undefined })}
        w={230}
        clearButtonProps={{ 'aria-label': 'Anything done' }}
      />
      <IDInput value={list.filter('id') ?? ''} onChange={(id) => list.setFilter({ id: id || undefined })} />
      <DayInput label="From" value={list.filter('from')} onChange={(from) => list.setFilter({ from })} />
      <DayInput label="To" value={list.filter('to')} onChange={(to) => list.setFilter({ to })} />
      {list.narrowed && (
        <Button variant="subtle" color="gray" onClick={list.clear}>
          Clear filters
        </Button>
      )}
    </Filters>
  );
}

function IDInput({ value, onChange }: { value: string; onChange: (id: string) => void }) {
  const [text, setText] = useState(value);
  const send = useDebouncedCallback(onChange, 300);
  useEffect(() => setText(value), [value]);
  return (
    <TextField
      aria-label="Credential, or ID of what was changed"
      placeholder="crd_… or another ID"
      spellCheck={false}
      w={190}
      value={text}
      onChange={(typed) => {
        const id = cutKey(typed).trim();
        setText(id);
        send(id);
      }}
    />
  );
}

function DayInput({
  label,
  value,
  onChange,
}: {
  label: string;
  value: string | undefined;
  onChange: (day: string | undefined) => void;
}) {
  return (
    <TextField
      type="date"
      aria-label={label}
      leftSection={<span className="dayname">{label}</span>}
      leftSectionWidth={48}
      w={184}
      value={value ?? ''}
      onChange={(text) => onChange(text || undefined)}
    />
  );
}

function Download({ query, disabled }: { query: Record<string, string>; disabled: boolean }) {
  const stepUp = useStepUp();
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState<unknown>();
  async function run() {
    setBusy(true);
    setError(undefined);
    try {
      await stepUp(() => downloadEvents(query));
    } catch (problem) {
      setError(problem);
    } finally {
      setBusy(false);
    }
  }
  return (
    <>
      <ProblemNote error={error} />
      <Button
        variant="default"
        leftSection={<IconDownload size={16} stroke={1.7} aria-hidden />}
        loading={busy}
        disabled={disabled}
        onClick={() => void run()}
      >
        Download
      </Button>
    </>
  );
}

/** An event that is not on the page that is shown. */
function useEvent(sequence: string | undefined): AuditEvent | undefined {
  const { tenantQuery } = useScope();
  const wanted = Number(sequence);
  const found = $api.useQuery(
    'get',
    '/v1/audit-events',
    { params: { query: { ...tenantQuery, up_to: wanted, sort: 'sequence', order: 'desc', limit: 1 } } },
    { enabled: Number.isSafeInteger(wanted) && wanted > 0, placeholderData: undefined },
  );
  return found.data?.items.find((e) => e.sequence === wanted);
}
