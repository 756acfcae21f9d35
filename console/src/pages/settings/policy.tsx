import { Button, Group, Progress, Select, Stack, Switch, Text, Textarea } from '@mantine/core';
import { useQueryClient } from '@tanstack/react-query';
import { useNavigate, useSearch } from '@tanstack/react-router';
import { type FormEvent, useEffect, useState } from 'react';
import { $api, answered, api, type Schema } from '../../api/client';
import { TextField } from '../../dialog/text_field';
import { Card } from '../../shell/page';
import { DeprecatedBadge } from '../../state/badge';
import { Notice, ProblemNote } from '../../state/problem_note';
import { toast } from '../../state/toast';
import { kinds, number } from '../../words';
import { type Days, ruledKinds } from './lifetimes';
import { keptKinds, type Policy, type PolicyForm, refused, toForm, toPolicy, wrong } from './policy_form';
import { PolicyPreviewDialog } from './policy_preview';
import { settings, type Tenant, TenantPage } from './tenant_page';

/** Settings / Policy: what a company's credentials may be, with a preview of what a change touches. */
export function PolicyPage() {
  return (
    <TenantPage kind="settings" title="Policy" parent={settings} help="policy">
      {(tenant) => (
        <>
          <Applying />
          <PolicyCards key={tenant.modified_at} tenant={tenant} />
        </>
      )}
    </TenantPage>
  );
}

type Set = <Name extends keyof PolicyForm>(name: Name, value: PolicyForm[Name]) => void;

interface PartProps {
  form: PolicyForm;
  set: Set;
  errors: Record<string, string>;
  floor: Policy | undefined;
}

function PolicyCards({ tenant }: { tenant: Tenant }) {
  const client = useQueryClient();
  const navigate = useNavigate();
  const [form, setForm] = useState(() => toForm(tenant.policy));
  const [errors, setErrors] = useState<Record<string, string>>({});
  const [busy, setBusy] = useState(false);
  const [preview, setPreview] = useState<Schema<'PolicyPreview'>>();
  const path = { id: tenant.id };
  const policy = toPolicy(tenant.policy, form);
  const changed = JSON.stringify(form) !== JSON.stringify(toForm(tenant.policy));
  const set: Set = (name, value) => {
    setForm((old) => ({ ...old, [name]: value }));
    setErrors({});
  };
  async function review(event: FormEvent) {
    event.preventDefault();
    const found = wrong(form);
    setErrors(found);
    if (Object.keys(found).length > 0) return;
    setBusy(true);
    try {
      setPreview(await answered(api.POST('/v1/tenants/{id}/policy/preview', { params: { path }, body: { policy } })));
    } catch (error) {
      setErrors(refused(error));
    } finally {
      setBusy(false);
    }
  }
  async function save(apply: 'new' | 'all') {
    const { operation } = await answered(
      api.PUT('/v1/tenants/{id}/policy', { params: { path }, body: { policy, apply } }),
    );
    toast('Changes have been saved');
    if (operation) {
      await navigate({
        to: '.',
        search: ((old: object) => ({ ...old, operation: operation.id })) as never,
        replace: true,
      });
    }
    await Promise.all([
      client.invalidateQueries({ queryKey: ['get', '/v1/tenants/{id}'] }),
      client.invalidateQueries({ queryKey: ['tenants'] }),
    ]);
  }
  const part: PartProps = { form, set, errors, floor: tenant.policy_floor };
  return (
    <form onSubmit={review} noValidate>
      <Stack gap={16}>
        {tenant.policy_floor && (
          <Text size="sm" c="dimmed">
            The operators of this installation set some of these rules. You can make them stricter, not looser.
          </Text>
        )}
        <KindsCard {...part} />
        <SecretsCard {...part} />
        <UseCard {...part} />
        <NamesCard {...part} />
        <TokensCard {...part} />
        <ProblemNote error={errors['']} />
        <Group justify="space-between" gap={12}>
          <Text size="sm" c="dimmed">
            Before anything is saved you see what it affects.
          </Text>
          <Button type="submit" loading={busy} disabled={!changed && !wasForNew(tenant.policy)}>
            Review and save
          </Button>
        </Group>
      </Stack>
      {preview && <PolicyPreviewDialog preview={preview} onSave={save} onClose={() => setPreview(undefined)} />}
    </form>
  );
}

/** A policy that has rules can be applied to all later, also when nothing is changed. */
function wasForNew(policy: Policy): boolean {
  return (
    Object.keys(policy.max_lifetime_seconds ?? {}).length > 0 ||
    (policy.show_once ?? []).length > 0 ||
    (policy.networks ?? []).length > 0 ||
    (policy.suspend_idle_days ?? 0) > 0
  );
}

const creators = [
  { value: 'permitted', label: 'Whoever has the permission' },
  { value: 'administrators', label: 'Administrators only' },
  { value: 'nobody', label: 'Nobody' },
];

function KindsCard({ form, set, errors, floor }: PartProps) {
  const days = (kind: string, field: keyof Days, value: string) =>
    set('days', { ...form.days, [kind]: { ...form.days[kind]!, [field]: value } });
  return (
    <Card title="Lifetimes and who makes them">
      <table className="plain rules stacked">
        <thead>
          <tr>
            <th scope="col">Kind</th>
            <th scope="col">Longest life, days</th>
            <th scope="col">Usual life, days</th>
            <th scope="col">Who may make one</th>
          </tr>
        </thead>
        <tbody>
          {ruledKinds.map((kind) => {
            const name = kinds[kind] ?? kind;
            const most = floor?.max_lifetime_seconds?.[kind];
            return (
              <tr key={kind}>
                <th scope="row">{name}</th>
                <td data-label="Longest life, days">
                  <TextField
                    aria-label={`${name}: longest life in days`}
                    placeholder="No limit"
                    inputMode="numeric"
                    value={form.days[kind]!.max}
                    onChange={(text) => days(kind, 'max', text.trim())}
                    description={most ? `At most ${number(Math.floor(most / 86_400))}` : undefined}
                    inputWrapperOrder={['label', 'input', 'description', 'error']}
                    error={errors[`${kind}.max`]}
                  />
                </td>
                <td data-label="Usual life, days">
                  <TextField
                    aria-label={`${name}: usual life in days`}
                    placeholder={kind === 'organization_key' ? '365' : 'Never ends'}
                    inputMode="numeric"
                    value={form.days[kind]!.usual}
                    onChange={(text) => days(kind, 'usual', text.trim())}
                    error={errors[`${kind}.usual`]}
                  />
                </td>
                <td data-label="Who may make one">
                  <Select
                    aria-label={`${name}: who may make one`}
                    data={creators}
                    value={form.creators[kind]}
                    onChange={(value) => set('creators', { ...form.creators, [kind]: value ?? 'permitted' })}
                    allowDeselect={false}
                  />
                </td>
              </tr>
            );
          })}
        </tbody>
      </table>
      <p className="muted formnote">
        Administrators are those who may change these settings. Existing keys can always be rotated.
      </p>
    </Card>
  );
}

const keptNames: Record<string, [label: string, description: string]> = {
  organization_key: [
    'Show organization keys only once',
    'Otherwise administrators can show and copy them again later.',
  ],
  app: ['Show keys and secrets of apps only once', 'Otherwise whoever manages an app can show them again later.'],
};

function SecretsCard({ form, set, floor }: PartProps) {
  return (
    <Card title="Secrets">
      <Stack gap={16}>
        {keptKinds.map((kind) => (
          <Switch
            key={kind}
            label={keptNames[kind]![0]}
            description={floor?.show_once?.includes(kind) ? 'Set by the operators.' : keptNames[kind]![1]}
            checked={form.showOnce.includes(kind)}
            onChange={(event) =>
              set(
                'showOnce',
                event.currentTarget.checked
                  ? [...form.showOnce, kind].sort()
                  : form.showOnce.filter((other) => other !== kind),
              )
            }
          />
        ))}
      </Stack>
    </Card>
  );
}

function UseCard({ form, set, errors, floor }: PartProps) {
  const inside = floor?.networks?.length ? ` The operators allow ${floor.networks.join(', ')}.` : '';
  const idle = floor?.suspend_idle_days ? ` The operators allow ${number(floor.suspend_idle_days)} at most.` : '';
  return (
    <Card title="Use">
      <Stack gap={16}>
        <Textarea
          label="Networks"
          description={`Addresses or networks, one a line. Credentials work from nowhere else. Empty: from anywhere.${inside}`}
          placeholder="192.0.2.0/24"
          classNames={{ input: 'monoinput' }}
          autosize
          minRows={2}
          maxRows={10}
          spellCheck={false}
          value={form.networks}
          onChange={(event) => set('networks', event.currentTarget.value)}
          error={errors.networks}
        />
        <TextField
          label="Suspend after idle days"
          description={`A credential that is not used for so many days is suspended, until someone resumes it. Empty: never.${idle}`}
          placeholder="Never"
          inputMode="numeric"
          maw={480}
          value={form.idleDays}
          onChange={(text) => set('idleDays', text.trim())}
          error={errors.suspend_idle_days}
        />
      </Stack>
    </Card>
  );
}

function NamesCard({ form, set, errors, floor }: PartProps) {
  return (
    <Card title="Names">
      <Stack gap={16}>
        <TextField
          label="Pattern"
          description={
            floor?.name_pattern
              ? 'Set by the operators.'
              : 'A regular expression that the whole name has to match. Existing names stay.'
          }
          placeholder="(prod|test)-[a-z0-9-]+"
          classNames={{ input: 'monoinput' }}
          spellCheck={false}
          value={form.namePattern}
          onChange={(text) => set('namePattern', text)}
          error={errors.name_pattern}
        />
        <TextField
          label="Hint"
          description="What people read when they choose a name that does not match."
          placeholder="Begin with prod- or test-."
          disabled={form.namePattern === ''}
          value={form.nameHint}
          onChange={(text) => set('nameHint', text)}
          error={errors.name_hint}
        />
      </Stack>
    </Card>
  );
}

function TokensCard({ form, set, errors, floor }: PartProps) {
  const most = floor?.token_lifetime_seconds;
  return (
    <Card title="Tokens and sign-in">
      <Stack gap={16}>
        <TextField
          label="Token lifetime, minutes"
          description={`How long access tokens and session tokens are good for: 1 to ${most ? Math.floor(most / 60) : 120}.`}
          placeholder="15"
          inputMode="numeric"
          maw={480}
          value={form.tokenMinutes}
          onChange={(text) => set('tokenMinutes', text.trim())}
          error={errors.token_lifetime_seconds}
        />
        <Switch
          label="Sign administrators in automatically, too"
          description="Desktop clients sign people in with an organization key. Off: not those with administrative rights."
          checked={form.administrators}
          onChange={(event) => set('administrators', event.currentTarget.checked)}
        />
        <Switch
          label={
            <span className="namewith">
              Take account API keys in the address of a call <DeprecatedBadge />
            </span>
          }
          checked={form.accountKeys}
          onChange={(event) => set('accountKeys', event.currentTarget.checked)}
        />
        {form.accountKeys && <Notice>Account API keys are deprecated. Use a service account for anything new.</Notice>}
      </Stack>
    </Card>
  );
}

const pollEvery = 400; // ms

/** How far the policy is applied; the work stands in the address, so that one may come back to it. */
function Applying() {
  const navigate = useNavigate();
  const { operation: id = '' } = useSearch({ strict: false }) as { operation?: string };
  const { data, error } = $api.useQuery(
    'get',
    '/v1/operations/{id}',
    { params: { path: { id } } },
    {
      enabled: id !== '',
      placeholderData: undefined,
      retry: false,
      refetchInterval: (query) => (query.state.data?.state === 'done' ? false : pollEvery),
    },
  );
  const operation = id === '' ? undefined : data;
  const over = operation?.state === 'done' && operation.failed_total === 0;
  useEffect(() => {
    if (!over && !error) return;
    if (over) toast('The policy is applied to all credentials');
    void navigate({
      to: '.',
      search: ((old: object) => ({ ...old, operation: undefined })) as never,
      replace: true,
    });
  }, [over, error, navigate]);
  if (!operation || over) return null;
  if (operation.state === 'done') return <ProblemNote error={operation.failed[0]?.message} />;
  return (
    <Card title="Applying the policy">
      <Stack gap={8}>
        <Text size="sm" role="status">
          {number(operation.done)} of {number(operation.total)} credentials looked at. It goes on when you leave this
          page.
        </Text>
        <Progress value={operation.total > 0 ? (100 * operation.done) / operation.total : 100} aria-label="Applied" />
      </Stack>
    </Card>
  );
}
