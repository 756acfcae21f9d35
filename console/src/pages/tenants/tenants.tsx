import { Badge, Button, Select } from '@mantine/core';
import { IconBuildingSkyscraper, IconPlus } from '@tabler/icons-react';
import { keepPreviousData } from '@tanstack/react-query';
import { Link, useNavigate } from '@tanstack/react-router';
import { useMemo, useState } from 'react';
import { $api } from '../../api/client';
import { useCan, useMe } from '../../session/me';
import { Page } from '../../shell/page';
import { PageHead } from '../../shell/page_head';
import { useCreate } from '../../shell/shortcuts';
import { ExceptionBadge } from '../../state/badge';
import { Blank, LoadFailed, NoMatch, NoPermission } from '../../state/blank';
import { toast } from '../../state/toast';
import { type Column, DataTable } from '../../table/data_table';
import { Filters } from '../../table/filters';
import { useListState } from '../../table/list_state';
import { SearchInput } from '../../table/search_input';
import { Past } from '../../time/when';
import { type Tenant, usePlans } from './data';
import { TenantDialog } from './tenant_form';

const icon = () => IconBuildingSkyscraper;

/** Tenants: the installation's customers. */
export function TenantsPage() {
  const me = useMe();
  const allowed = useCan('claviger.tenants:read', 'claviger.tenants:manage') && me.system;
  if (!allowed) {
    return (
      <Page>
        <PageHead title="Tenants" help="tenants" />
        <NoPermission />
      </Page>
    );
  }
  return <TenantList />;
}

function TenantList() {
  const manage = useCan('claviger.tenants:manage');
  const navigate = useNavigate();
  const list = useListState('name', ['state']);
  const [creating, setCreating] = useState(false);
  useCreate(manage ? () => setCreating(true) : undefined);
  const state = list.filter('state') as 'active' | 'suspended' | 'deleted' | undefined;
  const tenants = $api.useQuery(
    'get',
    '/v1/tenants',
    { params: { query: { ...list.query, ...(state ? { state } : {}) } } },
    { placeholderData: keepPreviousData },
  );
  const columns = useColumns();
  const open = (tenant: Tenant) => void navigate({ to: `/tenants/${tenant.id}` });
  return (
    <Page>
      <PageHead title="Tenants" help="tenants">
        {manage && (
          <Button leftSection={<IconPlus size={16} stroke={1.8} aria-hidden />} onClick={() => setCreating(true)}>
            Create tenant
          </Button>
        )}
      </PageHead>
      <Filters
        active={state !== undefined}
        search={<SearchInput what="tenants" value={list.search} onChange={list.setSearch} />}
      >
        <Select
          aria-label="State"
          data={[
            { value: '', label: 'Every state' },
            { value: 'active', label: 'Active' },
            { value: 'suspended', label: 'Suspended' },
            { value: 'deleted', label: 'Deleted' },
          ]}
          value={state ?? ''}
          onChange={(value) => list.setFilter({ state: value || undefined })}
          w={150}
        />
      </Filters>
      {tenants.isError && !tenants.data ? (
        <LoadFailed what="The tenants" error={tenants.error} onRetry={() => void tenants.refetch()} />
      ) : (
        <DataTable<Tenant>
          label="Tenants"
          noun={['tenant', 'tenants']}
          rows={tenants.data?.items}
          columns={columns}
          idOf={(t) => t.id}
          nameOf={(t) => t.name}
          iconOf={icon}
          quiet={(t) => t.state !== 'active'}
          onOpen={open}
          phone={(t) => ({
            badge: <TenantBadges tenant={t} />,
            key: t.slug,
            about: (
              <>
                Created <Past at={t.created_at} />
              </>
            ),
          })}
          total={tenants.data?.total}
          list={list}
          next={tenants.data?.next_cursor}
          previous={tenants.data?.previous_cursor}
          fetching={tenants.isFetching}
          empty={
            list.narrowed ? (
              <NoMatch what="tenants" search={list.search} onClear={list.clear} />
            ) : (
              <Blank icon={IconBuildingSkyscraper} title="No tenants yet">
                A tenant is a customer with its own people, organizations and credentials. Create the first one.
              </Blank>
            )
          }
        />
      )}
      <TenantDialog
        open={creating}
        onClose={() => setCreating(false)}
        onDone={(tenant) => {
          setCreating(false);
          toast('Tenant created');
          open(tenant);
        }}
      />
    </Page>
  );
}

function TenantBadges({ tenant }: { tenant: Tenant }) {
  return (
    <>
      <ExceptionBadge state={tenant.state} />
      {tenant.api_access_requested_at && <Badge color="amber">API access requested</Badge>}
    </>
  );
}

function useColumns(): Column<Tenant>[] {
  const plans = usePlans();
  return useMemo(() => {
    const names = new Map((plans ?? []).map((p) => [p.id, p.name]));
    return [
      {
        title: 'Name',
        sort: 'name',
        cell: (t) => (
          <span className="namewith">
            <Link to={`/tenants/${t.id}`} className="keyname trunc" title={t.name}>
              {t.name}
            </Link>
            <TenantBadges tenant={t} />
          </span>
        ),
      },
      { title: 'Short name', width: 200, cell: (t) => <span className="mono">{t.slug}</span> },
      { title: 'Plan', width: 160, cell: (t) => names.get(t.plan_id) ?? <span className="muted">–</span> },
      { title: 'Account', width: 120, cell: (t) => <span className="mono">{t.account_id}</span> },
      {
        title: 'External ID',
        width: 160,
        cell: (t) => (t.external_id ? <span className="mono">{t.external_id}</span> : <span className="muted">–</span>),
      },
      { title: 'Created', sort: 'created_at', width: 170, cell: (t) => <Past at={t.created_at} /> },
    ];
  }, [plans]);
}
