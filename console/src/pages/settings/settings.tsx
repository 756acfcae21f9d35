import { Button, Group, Stack, Switch, TextInput } from '@mantine/core';
import { useQueryClient } from '@tanstack/react-query';
import { type FormEvent, useState } from 'react';
import { $api, answered, api, type Schema } from '../../api/client';
import { fieldErrors } from '../../api/problem';
import { useCan, useMe } from '../../session/me';
import { useScope } from '../../session/scope';
import { Card, Facts, Page } from '../../shell/page';
import { PageHead } from '../../shell/page_head';
import { DeprecatedBadge } from '../../state/badge';
import { NoPermission, ObjectFailed } from '../../state/blank';
import { Notice, ProblemNote } from '../../state/problem_note';
import { toast } from '../../state/toast';
import { kinds } from '../../words';
import { type Days, ruledKinds, toDays, toPolicy, wrong } from './lifetimes';

type Tenant = Schema<'Tenant'>;

/** Settings: the company's name and its rules for credentials. */
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
            <Rules key={tenant.data.modified_at} tenant={tenant.data} />
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

function Rules({ tenant }: { tenant: Tenant }) {
  const change = useChange(tenant.id);
  const [form, setForm] = useState(() => toDays(tenant.policy));
  const [accountKeys, setAccountKeys] = useState(tenant.policy.legacy_account_keys ?? false);
  const [errors, setErrors] = useState<Record<string, string>>({});
  const [problem, setProblem] = useState<unknown>();
  const [busy, setBusy] = useState(false);
  const changed =
    JSON.stringify(form) !== JSON.stringify(toDays(tenant.policy)) ||
    accountKeys !== (tenant.policy.legacy_account_keys ?? false);
  const set = (kind: string, field: keyof Days, value: string) => {
    setForm((old) => ({ ...old, [kind]: { ...old[kind]!, [field]: value } }));
    setErrors({});
  };
  async function submit(event: FormEvent) {
    event.preventDefault();
    const found = wrong(form);
    setErrors(found);
    if (Object.keys(found).length > 0) return;
    setBusy(true);
    setProblem(undefined);
    try {
      await change({ policy: toPolicy(tenant.policy, form, accountKeys) });
    } catch (error) {
      setProblem(fieldErrors(error, [])[''] ?? error);
    } finally {
      setBusy(false);
    }
  }
  return (
    <Card title="Rules for credentials" note="For new ones; existing ones stay as they are">
      <form onSubmit={submit} noValidate>
        <Stack gap={16}>
          <table className="plain rules">
            <thead>
              <tr>
                <th scope="col">Kind</th>
                <th scope="col">Longest life, days</th>
                <th scope="col">Usual life, days</th>
              </tr>
            </thead>
            <tbody>
              {ruledKinds.map((kind) => (
                <RuleRow key={kind} kind={kind} value={form[kind]!} errors={errors} onChange={set} />
              ))}
            </tbody>
          </table>
          <div>
            <Switch
              label={
                <span className="namewith">
                  Take account API keys in the address of a call <DeprecatedBadge />
                </span>
              }
              checked={accountKeys}
              onChange={(event) => setAccountKeys(event.currentTarget.checked)}
            />
          </div>
          {accountKeys && <Notice>Account API keys are deprecated. Use a service account for anything new.</Notice>}
          <ProblemNote error={problem} />
          <Group justify="flex-end">
            <Button type="submit" loading={busy} disabled={!changed}>
              Save rules
            </Button>
          </Group>
        </Stack>
      </form>
    </Card>
  );
}

interface RuleRowProps {
  kind: string;
  value: Days;
  errors: Record<string, string>;
  onChange: (kind: string, field: keyof Days, value: string) => void;
}

function RuleRow({ kind, value, errors, onChange }: RuleRowProps) {
  const name = kinds[kind] ?? kind;
  return (
    <tr>
      <th scope="row">{name}</th>
      <td>
        <TextInput
          aria-label={`${name}: longest life in days`}
          placeholder="No limit"
          inputMode="numeric"
          value={value.max}
          onChange={(event) => onChange(kind, 'max', event.currentTarget.value.trim())}
          error={errors[`${kind}.max`]}
        />
      </td>
      <td>
        <TextInput
          aria-label={`${name}: usual life in days`}
          placeholder={kind === 'organization_key' ? '365' : 'Never ends'}
          inputMode="numeric"
          value={value.usual}
          onChange={(event) => onChange(kind, 'usual', event.currentTarget.value.trim())}
          error={errors[`${kind}.usual`]}
        />
      </td>
    </tr>
  );
}
