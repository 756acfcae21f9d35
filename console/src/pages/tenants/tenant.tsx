import { Button, Group, Select, Stack } from '@mantine/core';
import { IconArrowRight } from '@tabler/icons-react';
import { useQueryClient } from '@tanstack/react-query';
import { Link, useNavigate, useParams } from '@tanstack/react-router';
import { useState } from 'react';
import { $api, answer, answered, api } from '../../api/client';
import { problemOf } from '../../api/problem';
import { ConfirmDialog } from '../../dialog/dialog';
import { useCan } from '../../session/me';
import { Card, Facts, Page } from '../../shell/page';
import { PageHead } from '../../shell/page_head';
import { StateBadge } from '../../state/badge';
import { ObjectPage } from '../../state/object_page';
import { Notice, ProblemNote } from '../../state/problem_note';
import { toast } from '../../state/toast';
import { Moment } from '../../time/when';
import { everything } from '../../words';
import { type Tenant, usePlans } from './data';
import { TenantDialog } from './tenant_form';

type Asking = 'edit' | 'suspend' | 'delete';

/** One tenant, for operators. */
export function TenantPage() {
  const { id } = useParams({ strict: false }) as { id: string };
  const tenant = $api.useQuery('get', '/v1/tenants/{id}', { params: { path: { id } } }, { placeholderData: undefined });
  return (
    <ObjectPage
      query={tenant}
      what="tenant"
      things="tenants"
      parent={{ label: 'Tenants', to: '/tenants' }}
      help="tenants"
    >
      {(data) => (
        <Page kind="detail">
          <Shown key={id} tenant={data} />
        </Page>
      )}
    </ObjectPage>
  );
}

function useRefresh() {
  const client = useQueryClient();
  return () =>
    Promise.all([
      client.invalidateQueries({ queryKey: ['get', '/v1/tenants'] }),
      client.invalidateQueries({ queryKey: ['get', '/v1/tenants/{id}'] }),
      client.invalidateQueries({ queryKey: ['tenants'] }),
    ]);
}

function Shown({ tenant }: { tenant: Tenant }) {
  const manage = useCan('claviger.tenants:manage') && tenant.state !== 'deleted';
  const navigate = useNavigate();
  const refresh = useRefresh();
  const [asking, setAsking] = useState<Asking>();
  const [error, setError] = useState<unknown>();
  const path = { params: { path: { id: tenant.id } } };
  async function resume() {
    setError(undefined);
    try {
      await answered(api.POST('/v1/tenants/{id}/resume', path));
      await refresh();
      toast('Tenant resumed');
    } catch (problem) {
      setError(problem);
    }
  }
  return (
    <>
      <PageHead
        title={tenant.name}
        parent={{ label: 'Tenants', to: '/tenants' }}
        help="tenants"
        badge={<StateBadge state={tenant.state} />}
      >
        {manage && (
          <>
            <Button variant="default" onClick={() => setAsking('edit')}>
              Edit
            </Button>
            {tenant.state === 'suspended' ? (
              <Button variant="default" onClick={() => void resume()}>
                Resume
              </Button>
            ) : (
              <Button variant="default" onClick={() => setAsking('suspend')}>
                Suspend
              </Button>
            )}
            <Button variant="outline" color="red" onClick={() => setAsking('delete')}>
              Delete tenant
            </Button>
          </>
        )}
        {tenant.state !== 'deleted' && (
          <Button
            component={Link}
            to="/settings/api-keys"
            search={{ tenant: tenant.id } as never}
            rightSection={<IconArrowRight size={15} stroke={1.7} aria-hidden />}
          >
            Work in this tenant
          </Button>
        )}
      </PageHead>
      <ProblemNote error={error} />
      <div className="split">
        <div className="stack">
          <PlanCard tenant={tenant} manage={manage} onChanged={refresh} />
          {manage && <ImportWindow tenant={tenant} onChanged={refresh} />}
        </div>
        <TenantDetails tenant={tenant} />
      </div>
      <TenantDialog
        tenant={tenant}
        open={asking === 'edit'}
        onClose={() => setAsking(undefined)}
        onDone={() => {
          setAsking(undefined);
          toast('Changes have been saved');
        }}
      />
      <ConfirmDialog
        open={asking === 'suspend'}
        onClose={() => setAsking(undefined)}
        title={`Suspend “${tenant.name}”?`}
        action="Suspend tenant"
        onConfirm={async () => {
          await answered(api.POST('/v1/tenants/{id}/suspend', path));
          await refresh();
          toast('Tenant suspended');
        }}
      >
        <span>
          As soon as you confirm, its people cannot sign in and its credentials do not work, until you resume it.
        </span>
      </ConfirmDialog>
      <ConfirmDialog
        open={asking === 'delete'}
        onClose={() => setAsking(undefined)}
        title={`Delete “${tenant.name}”?`}
        action="Delete tenant"
        onConfirm={async () => {
          await answer(api.DELETE('/v1/tenants/{id}', path));
          await refresh();
          toast('Tenant deleted');
          void navigate({ to: '/tenants' });
        }}
      >
        <span>
          Every credential of the tenant stops working and its people are signed out. This cannot be undone. Its audit
          log stays.
        </span>
      </ConfirmDialog>
    </>
  );
}

function PlanCard({
  tenant,
  manage,
  onChanged,
}: {
  tenant: Tenant;
  manage: boolean;
  onChanged: () => Promise<unknown>;
}) {
  const plans = usePlans();
  const [chosen, setChosen] = useState<string>();
  const [error, setError] = useState<string>();
  const [busy, setBusy] = useState(false);
  const id = chosen ?? tenant.plan_id;
  const plan = plans?.find((p) => p.id === id);
  async function save() {
    setBusy(true);
    setError(undefined);
    try {
      await answered(api.PATCH('/v1/tenants/{id}', { params: { path: { id: tenant.id } }, body: { plan_id: id } }));
      await onChanged();
      setChosen(undefined);
      toast('Changes have been saved');
    } catch (problem) {
      setError(problemOf(problem).detail);
    } finally {
      setBusy(false);
    }
  }
  const changed = id !== tenant.plan_id;
  return (
    <Card title="Plan">
      <Stack gap={16}>
        {tenant.api_access_requested_at && (
          <Notice>
            API access was requested on <Moment at={tenant.api_access_requested_at} />. A plan that includes it answers
            the request.
          </Notice>
        )}
        <Select
          label="Plan"
          data={(plans ?? []).map((p) => ({ value: p.id, label: p.name }))}
          value={id}
          onChange={(value) => setChosen(value ?? undefined)}
          disabled={!manage}
          maw={320}
        />
        {plan && (
          <Facts
            wide
            items={[
              ['API access', plan.api_access ? 'Included' : 'Not included'],
              [
                'Permissions',
                everything(plan.permissions) ?? <span className="mono">{plan.permissions.join(' ')}</span>,
              ],
            ]}
          />
        )}
        {changed && plan && !plan.api_access && (
          <Notice>Without API access all keys of this tenant stop working, until it has it again.</Notice>
        )}
        <ProblemNote error={error} />
        {changed && (
          <Group justify="flex-end" gap={8}>
            <Button variant="default" onClick={() => setChosen(undefined)}>
              Discard
            </Button>
            <Button loading={busy} onClick={() => void save()}>
              Change plan
            </Button>
          </Group>
        )}
      </Stack>
    </Card>
  );
}

function TenantDetails({ tenant }: { tenant: Tenant }) {
  return (
    <Card title="Details">
      <Facts
        items={[
          ['Short name', <span className="mono">{tenant.slug}</span>],
          ['Account', <span className="mono">{tenant.account_id}</span>],
          ['External ID', tenant.external_id && <span className="mono">{tenant.external_id}</span>],
          ['Created', <Moment key="created" at={tenant.created_at} />],
          ['Changed', <Moment key="modified" at={tenant.modified_at} />],
          ['ID', <span className="mono">{tenant.id}</span>],
          [
            'Rules',
            <Link key="rules" to="/settings" search={{ tenant: tenant.id } as never}>
              Settings of this tenant
            </Link>,
          ],
        ]}
      />
    </Card>
  );
}

/** Lets a tenant's own people import keys for a while (PV3). */
function ImportWindow({ tenant, onChanged }: { tenant: Tenant; onChanged: () => Promise<unknown> }) {
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState<unknown>();
  const open = tenant.import_until && new Date(tenant.import_until) > new Date() ? tenant.import_until : undefined;
  const path = { params: { path: { id: tenant.id } } };
  async function change(to: boolean) {
    setBusy(true);
    setError(undefined);
    try {
      if (to)
        await answered(api.POST('/v1/tenants/{id}/import-window', { ...path, body: { open_seconds: 7 * 86_400 } }));
      else await answered(api.DELETE('/v1/tenants/{id}/import-window', path));
      await onChanged();
      toast(to ? 'Its people may import keys for 7 days' : 'Its people may import keys no longer');
    } catch (problem) {
      setError(problem);
    } finally {
      setBusy(false);
    }
  }
  return (
    <Card title="Import of keys">
      <p className="muted formnote">
        {open ? (
          <>
            Its Super Admins may import keys that another system made until <Moment at={open} />.
          </>
        ) : (
          'Only operators may import keys that another system made. You can let its Super Admins do so for a while.'
        )}
      </p>
      <ProblemNote error={error} />
      <Group justify="flex-end" mt={12}>
        <Button variant="default" loading={busy} onClick={() => void change(!open)}>
          {open ? 'Close now' : 'Let them for 7 days'}
        </Button>
      </Group>
    </Card>
  );
}
