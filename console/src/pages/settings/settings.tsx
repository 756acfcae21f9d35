import { Button, Group, Stack, TextInput } from '@mantine/core';
import { useQueryClient } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { type FormEvent, useState } from 'react';
import { $api, answered, api, type Schema } from '../../api/client';
import { fieldErrors } from '../../api/problem';
import { useCan, useMe } from '../../session/me';
import { useScope } from '../../session/scope';
import { Card, Facts, Page } from '../../shell/page';
import { PageHead } from '../../shell/page_head';
import { NoPermission, ObjectFailed } from '../../state/blank';
import { ProblemNote } from '../../state/problem_note';
import { toast } from '../../state/toast';
import { NoticesCard } from './notices';

type Tenant = Schema<'Tenant'>;

/** Settings: the company's name, and the way to its policy. */
export function SettingsPage() {
  const me = useMe();
  const scope = useScope();
  const allowed = useCan('claviger.tenant:manage');
  const id = scope.tenant ?? me.tenant.id;
  const tenant = $api.useQuery(
    'get',
    '/v1/tenants/{id}',
    { params: { path: { id } } },
    { enabled: allowed, placeholderData: undefined },
  );
  return (
    <Page kind="form">
      <PageHead title="Settings" help="settings" />
      {!allowed ? (
        <NoPermission right="Account settings" />
      ) : tenant.isError ? (
        <ObjectFailed what="tenant" error={tenant.error} onRetry={() => void tenant.refetch()} />
      ) : (
        tenant.data && (
          <Stack gap={16} key={id}>
            <Company tenant={tenant.data} />
            <PolicyCard />
            <NoticesCard key={tenant.data.modified_at} tenant={tenant.data} />
            <WebhooksCard />
            <ImportCard />
          </Stack>
        )
      )}
    </Page>
  );
}

function useChange(id: string) {
  const client = useQueryClient();
  return async (body: Schema<'ChangeTenantRequest'>) => {
    await answered(api.PATCH('/v1/tenants/{id}', { params: { path: { id } }, body }));
    await Promise.all([
      client.invalidateQueries({ queryKey: ['get', '/v1/tenants/{id}'] }),
      client.invalidateQueries({ queryKey: ['tenants'] }),
      client.invalidateQueries({ queryKey: ['me'] }),
    ]);
    toast('Changes have been saved');
  };
}

function Company({ tenant }: { tenant: Tenant }) {
  const me = useMe();
  const change = useChange(tenant.id);
  const [name, setName] = useState(tenant.name);
  const [errors, setErrors] = useState<Record<string, string>>({});
  const [busy, setBusy] = useState(false);
  async function submit(event: FormEvent) {
    event.preventDefault();
    if (name.trim() === '') return setErrors({ name: 'Enter a name' });
    setBusy(true);
    setErrors({});
    try {
      await change({ name: name.trim() });
    } catch (problem) {
      setErrors(fieldErrors(problem, ['name']));
    } finally {
      setBusy(false);
    }
  }
  return (
    <Card title="Company">
      <form onSubmit={submit} noValidate>
        <Stack gap={16}>
          <TextInput
            label="Name"
            value={name}
            autoComplete="off"
            onChange={(event) => setName(event.currentTarget.value)}
            error={errors.name}
          />
          <Facts
            wide
            items={[
              ['Short name', <span className="mono">{tenant.slug}</span>],
              ['Account', <span className="mono">{tenant.account_id}</span>],
              ['Plan', tenant.id === me.tenant.id ? me.tenant.plan_name : undefined],
              ['External ID', tenant.external_id && <span className="mono">{tenant.external_id}</span>],
              ['ID', <span className="mono">{tenant.id}</span>],
            ]}
          />
          <p className="muted formnote">
            People type the short name at sign-in. It, the plan and the external ID are changed by the operators.
          </p>
          <ProblemNote error={errors['']} />
          <Group justify="flex-end">
            <Button type="submit" loading={busy} disabled={name.trim() === tenant.name}>
              Save name
            </Button>
          </Group>
        </Stack>
      </form>
    </Card>
  );
}

/** The way to the policy, which is a page of its own. */
function PolicyCard() {
  return (
    <Card title="Policy">
      <p className="muted formnote">
        How long credentials live, who makes them, what they are called, where they work from, and what becomes of those
        that nobody uses.
      </p>
      <Group justify="flex-end" mt={12}>
        <Button component={Link} to="/settings/policy" variant="default">
          Open policy
        </Button>
      </Group>
    </Card>
  );
}

function WebhooksCard() {
  return (
    <Card title="Webhooks">
      <p className="muted formnote">Programs of yours that are told what happens to credentials.</p>
      <Group justify="flex-end" mt={12}>
        <Button component={Link} to="/settings/webhooks" variant="default">
          Open webhooks
        </Button>
      </Group>
    </Card>
  );
}

/** The way to the import of keys, for those who may manage them. */
function ImportCard() {
  const allowed = useCan('claviger.api_keys:manage');
  if (!allowed) return null;
  return (
    <Card title="Keys of other systems">
      <p className="muted formnote">Keys that were in use before Claviger go on working: import them from a file.</p>
      <Group justify="flex-end" mt={12}>
        <Button component={Link} to="/settings/import" variant="default">
          Import keys
        </Button>
      </Group>
    </Card>
  );
}
