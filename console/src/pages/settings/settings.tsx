import { Button, Group, Stack } from '@mantine/core';
import { useQueryClient } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { type FormEvent, type ReactNode, useState } from 'react';
import { answered, api, type Schema } from '../../api/client';
import { fieldErrors } from '../../api/problem';
import { TextField } from '../../dialog/text_field';
import { useCan, useMe } from '../../session/me';
import { Card, Facts } from '../../shell/page';
import { ProblemNote } from '../../state/problem_note';
import { toast } from '../../state/toast';
import { NoticesCard } from './notices';
import { type Tenant, TenantPage } from './tenant_page';

/** Settings: the company's name, and the way to what has a page of its own. */
export function SettingsPage() {
  const mayImport = useCan('claviger.api_keys:manage');
  return (
    <TenantPage kind="form" title="Settings" help="settings">
      {(tenant) => (
        <>
          <Company tenant={tenant} />
          <LinkCard title="Policy" to="/settings/policy" action="Open policy">
            How long credentials live, who makes them, what they are called, where they work from, and what becomes of
            those that nobody uses.
          </LinkCard>
          <NoticesCard key={tenant.modified_at} tenant={tenant} />
          <LinkCard title="Webhooks" to="/settings/webhooks" action="Open webhooks">
            Programs of yours that are told what happens to credentials.
          </LinkCard>
          {mayImport && (
            <LinkCard title="Keys of other systems" to="/settings/import" action="Import keys">
              Keys that were in use before Claviger go on working: import them from a file.
            </LinkCard>
          )}
        </>
      )}
    </TenantPage>
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
          <TextField label="Name" value={name} onChange={setName} error={errors.name} />
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

interface LinkCardProps {
  title: string;
  to: string;
  action: string;
  children: ReactNode;
}

/** The way to settings that have a page of their own. */
function LinkCard({ title, to, action, children }: LinkCardProps) {
  return (
    <Card title={title}>
      <p className="muted formnote">{children}</p>
      <Group justify="flex-end" mt={12}>
        <Button component={Link} to={to} variant="default">
          {action}
        </Button>
      </Group>
    </Card>
  );
}
