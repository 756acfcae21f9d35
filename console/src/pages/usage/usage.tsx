import { Button, SegmentedControl, Select } from '@mantine/core';
import { useDebouncedValue } from '@mantine/hooks';
import { IconChartHistogram } from '@tabler/icons-react';
import { useQuery } from '@tanstack/react-query';
import { Link, useNavigate, useSearch } from '@tanstack/react-router';
import { lazy, Suspense, useMemo, useState } from 'react';
import { $api, answered, api, type Schema } from '../../api/client';
import { useCan } from '../../session/me';
import { useScope } from '../../session/scope';
import { useScopeName } from '../../shell/organizations';
import { Card, Page } from '../../shell/page';
import { PageHead } from '../../shell/page_head';
import { ExceptionBadge } from '../../state/badge';
import { Blank, LoadFailed, NoPermission, ObjectFailed } from '../../state/blank';
import { cutKey } from '../../table/cut_key';
import { useNow } from '../../time/now';
import { counted, kinds, number } from '../../words';
import { credentialPage } from '../audit-log/words';
import { asked, begins, type By, periodName, periods, reasonName, reasons, spans, sum } from './periods';

const UsageChart = lazy(() => import('./chart'));

interface Asked {
  credential?: string;
  span?: string;
  by?: string;
  view?: string;
}

/** Usage: how often credentials were used, and what was refused. */
export function UsagePage() {
  const search = useSearch({ strict: false }) as Asked;
  const allowed = useCan('claviger.usage:read');
  // People may see how their own credential is used; the server decides.
  if (!allowed && !search.credential) {
    return (
      <Page>
        <PageHead title="Usage" help="usage" />
        <NoPermission right="Usage" />
      </Page>
    );
  }
  return <UsageOf key={search.credential ?? ''} search={search} />;
}

function useSet() {
  const navigate = useNavigate();
  return (patch: Asked) => void navigate({ to: '.', search: ((old: object) => ({ ...old, ...patch })) as never });
}

function UsageOf({ search }: { search: Asked }) {
  const { credential } = search;
  const { query: scope, tenantQuery } = useScope();
  const { span, by } = asked(search.span, search.by);
  const from = begins(span, by, useNow()).toISOString();
  const usage = $api.useQuery(
    'get',
    '/v1/usage',
    { params: { query: { ...(credential ? { ...tenantQuery, credential_id: credential } : scope), from, by } } },
    { refetchInterval: 60_000 },
  );
  const found = useCredential(credential);
  const where = useScopeName();
  const name = found?.name ?? credential;
  const to = found && credentialPage(found.type, found.id);
  return (
    <Page kind="detail">
      <PageHead
        title={name ?? 'Usage'}
        parent={credential ? { label: 'Usage', to: '/usage' } : undefined}
        help="usage"
        sub={
          credential ? (
            <span className="mono">{credential}</span>
          ) : (
            `Calls with the credentials of ${where === 'all organizations' ? 'all organizations' : `${where} and below`}`
          )
        }
      >
        {to && (
          <Button component={Link} to={to} variant="default">
            Open the credential
          </Button>
        )}
      </PageHead>
      <Choices search={search} span={span.value} by={by} />
      {usage.isError && !usage.data ? (
        credential ? (
          <ObjectFailed what="credential" error={usage.error} onRetry={() => void usage.refetch()} />
        ) : (
          <LoadFailed what="The usage" error={usage.error} onRetry={() => void usage.refetch()} />
        )
      ) : (
        usage.data && <Shown usage={usage.data} table={search.view === 'table'} one={credential !== undefined} />
      )}
    </Page>
  );
}

/** What a credential is called; undefined while nobody knows. */
function useCredential(id: string | undefined) {
  const { tenantQuery } = useScope();
  const { data } = useQuery({
    queryKey: ['find', tenantQuery, id],
    enabled: id !== undefined,
    placeholderData: undefined,
    queryFn: () => answered(api.GET('/v1/find', { params: { query: { ...tenantQuery, q: id! } } })),
  });
  return data?.items[0];
}

function Choices({ search, span, by }: { search: Asked; span: string; by: By }) {
  const set = useSet();
  const units: readonly By[] = spans.find((s) => s.value === span)!.by;
  return (
    <div className="filters wraps">
      <CredentialChoice value={search.credential} onChange={(credential) => set({ credential })} />
      <Select
        aria-label="Time"
        data={spans.map(({ value, label }) => ({ value, label }))}
        value={span}
        onChange={(value) => set({ span: value ?? undefined, by: undefined })}
        w={160}
      />
      <SegmentedControl
        size="xs"
        aria-label="By hour or day"
        data={[
          { value: 'hour', label: 'By hour', disabled: !units.includes('hour') },
          { value: 'day', label: 'By day', disabled: !units.includes('day') },
        ]}
        value={by}
        onChange={(value) => set({ by: value })}
      />
    </div>
  );
}

/** Chooses one credential by name or crd_ ID. */
function CredentialChoice({
  value,
  onChange,
}: {
  value: string | undefined;
  onChange: (id: string | undefined) => void;
}) {
  const { tenantQuery } = useScope();
  const [text, setText] = useState('');
  const [words] = useDebouncedValue(text.trim(), 150);
  const { data } = useQuery({
    queryKey: ['find', tenantQuery, words],
    enabled: words.length >= 2,
    queryFn: () => answered(api.GET('/v1/find', { params: { query: { ...tenantQuery, q: words } } })),
  });
  const current = useCredential(value);
  const options = (data?.items ?? []).flatMap((found) => {
    const id = found.credential_id ?? (found.id.startsWith('crd_') ? found.id : undefined);
    return id ? [{ value: id, label: found.name }] : [];
  });
  if (value && !options.some((o) => o.value === value)) options.push({ value, label: current?.name ?? value });
  return (
    <Select
      aria-label="Credential"
      placeholder="All credentials"
      data={options}
      value={value ?? null}
      onChange={(id) => onChange(id ?? undefined)}
      searchable
      clearable
      searchValue={text}
      onSearchChange={(next) => setText(cutKey(next))}
      filter={({ options: all }) => all}
      nothingFoundMessage={words.length < 2 ? 'Type a name or a crd_ ID.' : 'No credential is called that.'}
      w={260}
      clearButtonProps={{ 'aria-label': 'All credentials' }}
    />
  );
}

function Shown({ usage, table, one }: { usage: Schema<'Usage'>; table: boolean; one: boolean }) {
  const list = useMemo(() => periods(usage), [usage]);
  const through = sum(list.map((p) => p.valid));
  const refused = sum(list.map((p) => p.denied));
  const why = useMemo(() => reasons(usage), [usage]);
  if (through + refused === 0) {
    return (
      <div className="card">
        <Blank icon={IconChartHistogram} title="No calls in this time">
          {one
            ? 'This credential was not used. Choose a longer time to see earlier calls.'
            : 'Calls appear here about a minute after they were made. Choose a longer time to see earlier ones.'}
        </Blank>
      </div>
    );
  }
  const label = `${counted(through, 'call', 'calls')} let through, ${number(refused)} refused`;
  return (
    <div className={one ? 'stack' : 'stack usage'}>
      <Calls list={list} by={usage.by} table={table} through={through} refused={refused} label={label} />
      {one ? (
        <Refused why={why} total={refused} />
      ) : (
        <div className="split">
          <MostUsed list={usage.most_used ?? []} />
          <Refused why={why} total={refused} />
        </div>
      )}
    </div>
  );
}

interface CallsProps {
  list: ReturnType<typeof periods>;
  by: By;
  table: boolean;
  through: number;
  refused: number;
  label: string;
}

function Calls({ list, by, table, through, refused, label }: CallsProps) {
  const set = useSet();
  return (
    <Card
      title="Calls"
      actions={
        <SegmentedControl
          size="xs"
          aria-label="Show as"
          data={[
            { value: 'chart', label: 'Chart' },
            { value: 'table', label: 'Table' },
          ]}
          value={table ? 'table' : 'chart'}
          onChange={(view) => set({ view: view === 'table' ? 'table' : undefined })}
        />
      }
    >
      <div className="usagesums" role="status" aria-label={label}>
        <div>
          <b>{number(through)}</b> <span className="muted">let through</span>
        </div>
        <div>
          <b>{number(refused)}</b>{' '}
          <span className="muted">refused{through + refused > 0 && `, ${share(refused, through + refused)}`}</span>
        </div>
      </div>
      {table ? (
        <PeriodTable list={list} by={by} />
      ) : (
        <Suspense fallback={<div className="usagechart" />}>
          <UsageChart list={list} by={by} label={`${label}. Choose “Table” for every number.`} />
        </Suspense>
      )}
      {by === 'day' && <p className="muted usagenote">Days are in UTC.</p>}
    </Card>
  );
}

function share(part: number, whole: number): string {
  const percent = (100 * part) / whole;
  return percent > 0 && percent < 0.1 ? 'less than 0.1 %' : `${percent.toFixed(percent < 10 ? 1 : 0)} %`;
}

function PeriodTable({ list, by }: { list: ReturnType<typeof periods>; by: By }) {
  return (
    <div className="tscroll usagetable" tabIndex={0} role="region" aria-label="Calls by period">
      <table className="plain">
        <thead>
          <tr>
            <th scope="col">{by === 'day' ? 'Day' : 'Hour'}</th>
            <th scope="col" data-align="right">
              Let through
            </th>
            <th scope="col" data-align="right">
              Refused
            </th>
          </tr>
        </thead>
        <tbody>
          {list.toReversed().map((period) => (
            <tr key={period.at.toISOString()}>
              <td>{periodName(period.at, by, true)}</td>
              <td data-align="right">{number(period.valid)}</td>
              <td data-align="right">{number(period.denied)}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

function Refused({ why, total }: { why: ReturnType<typeof reasons>; total: number }) {
  return (
    <Card title="Refused, by reason" flush>
      {why.length === 0 ? (
        <p className="cardb muted nochange">Nothing was refused.</p>
      ) : (
        <table className="plain">
          <thead>
            <tr>
              <th scope="col">Reason</th>
              <th scope="col" data-align="right">
                Calls
              </th>
              <th scope="col" data-align="right">
                Share
              </th>
            </tr>
          </thead>
          <tbody>
            {why.map(({ code, count }) => (
              <tr key={code}>
                <td>{reasonName(code)}</td>
                <td data-align="right">{number(count)}</td>
                <td data-align="right" className="muted">
                  {share(count, total)}
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      )}
    </Card>
  );
}

function MostUsed({ list }: { list: Schema<'UsedCredential'>[] }) {
  return (
    <Card title="Used most" flush>
      <div className="tscroll" tabIndex={0} role="region" aria-label="Used most">
        <table className="plain mostused">
          <thead>
            <tr>
              <th scope="col">Credential</th>
              <th scope="col">Organization</th>
              <th scope="col" data-align="right">
                Let through
              </th>
              <th scope="col" data-align="right">
                Refused
              </th>
              <th scope="col">
                <span className="hidden">Its page</span>
              </th>
            </tr>
          </thead>
          <tbody>
            {list.map((used) => (
              <MostUsedRow key={used.id} used={used} />
            ))}
          </tbody>
        </table>
      </div>
    </Card>
  );
}

function MostUsedRow({ used }: { used: Schema<'UsedCredential'> }) {
  const page = credentialPage(used.kind, used.id);
  return (
    <tr>
      <td>
        <span className="namewith">
          <Link
            to="/usage"
            search={((old: object) => ({ ...old, credential: used.id })) as never}
            className="keyname trunc"
            title={used.name}
          >
            {used.name}
          </Link>
          <ExceptionBadge state={used.state} />
        </span>
        <span className="muted usagekind">{kinds[used.kind] ?? used.kind}</span>
      </td>
      <td>{used.organization_name ?? '–'}</td>
      <td data-align="right">{number(used.valid)}</td>
      <td data-align="right">{number(used.denied)}</td>
      <td data-align="right">
        {page && (
          <Link to={page} aria-label={`Open ${used.name}`}>
            Open
          </Link>
        )}
      </td>
    </tr>
  );
}
