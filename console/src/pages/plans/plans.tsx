import { Button, Checkbox, Stack, Textarea } from '@mantine/core';
import { IconPackages, IconPlus } from '@tabler/icons-react';
import { useQueryClient } from '@tanstack/react-query';
import { useNavigate, useSearch } from '@tanstack/react-router';
import { useMemo, useState } from 'react';
import { $api, answer, answered, api, type Schema } from '../../api/client';
import { useOnce } from '../../api/once';
import { ConfirmDialog, Dialog, DialogForm, FieldError } from '../../dialog/dialog';
import { TextField } from '../../dialog/text_field';
import { useCan, useMe } from '../../session/me';
import { Page } from '../../shell/page';
import { PageHead } from '../../shell/page_head';
import { useCreate } from '../../shell/shortcuts';
import { Blank, LoadFailed, NoPermission } from '../../state/blank';
import { Notice } from '../../state/problem_note';
import { toast } from '../../state/toast';
import { type Column, DataTable } from '../../table/data_table';
import { Past } from '../../time/when';
import { everything } from '../../words';
import { shortNameOf } from '../tenants/data';

type Plan = Schema<'Plan'>;

const icon = () => IconPackages;

/** Plans: what tenants can have bought. */
export function PlansPage() {
  const me = useMe();
  const allowed = useCan('claviger.plans:manage') && me.system;
  if (!allowed) {
    return (
      <Page>
        <PageHead title="Plans" help="plans" />
        <NoPermission />
      </Page>
    );
  }
  return <PlanList />;
}

function PlanList() {
  const navigate = useNavigate();
  const { open } = useSearch({ strict: false }) as { open?: string };
  const plans = $api.useQuery('get', '/v1/plans');
  const [deleting, setDeleting] = useState<Plan>();
  const client = useQueryClient();
  const refresh = () => client.invalidateQueries({ queryKey: ['get', '/v1/plans'] });
  const setOpen = (id: string | undefined) =>
    void navigate({ to: '.', search: ((old: object) => ({ ...old, open: id })) as never });
  useCreate(() => setOpen('new'));
  const edited = plans.data?.items.find((plan) => plan.id === open);
  const columns = useColumns(setOpen);
  return (
    <Page>
      <PageHead title="Plans" help="plans">
        <Button leftSection={<IconPlus size={16} stroke={1.8} aria-hidden />} onClick={() => setOpen('new')}>
          Create plan
        </Button>
      </PageHead>
      {plans.isError && !plans.data ? (
        <LoadFailed what="The plans" error={plans.error} onRetry={() => void plans.refetch()} />
      ) : (
        <DataTable<Plan>
          label="Plans"
          noun={['plan', 'plans']}
          rows={plans.data?.items}
          columns={columns}
          idOf={(p) => p.id}
          nameOf={(p) => p.name}
          iconOf={icon}
          onOpen={(p) => setOpen(p.id)}
          actions={(p) => [
            { label: 'Edit', onClick: () => setOpen(p.id) },
            { label: 'Delete', destroys: true, onClick: () => setDeleting(p) },
          ]}
          phone={(p) => ({ key: p.key, about: p.api_access ? 'With API access' : 'Without API access' })}
          total={plans.data?.total}
          fetching={plans.isFetching}
          empty={
            <Blank icon={IconPackages} title="No plans yet">
              A plan says whether a tenant has API access, and which permissions reach it. Create the first one.
            </Blank>
          }
        />
      )}
      <Dialog
        open={open === 'new' || edited !== undefined}
        onClose={() => setOpen(undefined)}
        title={edited ? `Edit “${edited.name}”` : 'Create plan'}
        size={520}
      >
        <PlanForm
          plan={edited}
          onCancel={() => setOpen(undefined)}
          onDone={async () => {
            await refresh();
            setOpen(undefined);
            toast(edited ? 'Changes have been saved' : 'Plan created');
          }}
        />
      </Dialog>
      <ConfirmDialog
        open={deleting !== undefined}
        onClose={() => setDeleting(undefined)}
        title={`Delete “${deleting?.name ?? ''}”?`}
        action="Delete plan"
        onConfirm={async () => {
          await answer(api.DELETE('/v1/plans/{id}', { params: { path: { id: deleting!.id } } }));
          await refresh();
          toast('Plan deleted');
        }}
      >
        <span>No tenant can be given this plan any more. This cannot be undone.</span>
      </ConfirmDialog>
    </Page>
  );
}

function useColumns(open: (id: string) => void): Column<Plan>[] {
  return useMemo(
    () => [
      {
        title: 'Name',
        cell: (p) => (
          <button type="button" className="keyname" onClick={() => open(p.id)}>
            {p.name}
          </button>
        ),
      },
      { title: 'Key', width: 180, cell: (p) => <span className="mono">{p.key}</span> },
      { title: 'API access', width: 140, cell: (p) => (p.api_access ? 'Included' : 'Not included') },
      {
        title: 'Permissions',
        width: 320,
        cell: (p) =>
          everything(p.permissions) ?? (
            <span className="mono" title={p.permissions.join('\n')}>
              {p.permissions.join(' ')}
            </span>
          ),
      },
      { title: 'Created', width: 170, cell: (p) => <Past at={p.created_at} /> },
    ],
    // Opening is the same act whichever closure does it.
    // eslint-disable-next-line react-hooks/exhaustive-deps
    [],
  );
}

function PlanForm({ plan, onCancel, onDone }: { plan?: Plan; onCancel: () => void; onDone: () => Promise<void> }) {
  const once = useOnce();
  const [name, setName] = useState(plan?.name ?? '');
  const [key, setKey] = useState<string>();
  const [access, setAccess] = useState(plan?.api_access ?? true);
  const [text, setText] = useState((plan?.permissions ?? ['*:*']).join('\n'));
  const short = key ?? shortNameOf(name);
  async function submit() {
    if (name.trim() === '') throw new FieldError('name', 'Enter a name');
    const permissions = text.split(/[\s,]+/).filter(Boolean);
    const body = { name: name.trim(), api_access: access, permissions };
    if (plan) await answered(api.PATCH('/v1/plans/{id}', { params: { path: { id: plan.id } }, body }));
    else await answered(api.POST('/v1/plans', { params: { header: once.headers() }, body: { ...body, key: short } }));
    await onDone();
  }
  return (
    <DialogForm
      fields={['name', 'key', 'permissions']}
      onSubmit={submit}
      onCancel={onCancel}
      action={plan ? 'Save' : 'Create plan'}
    >
      {(errors) => (
        <Stack gap={16}>
          <TextField label="Name" data-autofocus value={name} onChange={setName} error={errors.name} />
          {!plan && (
            <TextField
              label="Key"
              description="For programs: lower-case letters, digits and hyphens"
              spellCheck={false}
              value={short}
              onChange={setKey}
              error={errors.key}
            />
          )}
          <Checkbox
            label="API access"
            description="Without it nobody of the tenant can manage keys, and its keys do not work."
            checked={access}
            onChange={(event) => setAccess(event.currentTarget.checked)}
          />
          {plan?.api_access && !access && (
            <Notice>As soon as you save, all keys of the tenants on this plan stop working.</Notice>
          )}
          <Textarea
            label="Permissions"
            description="One a line. * stands for any one part: *:* is everything."
            autosize
            minRows={3}
            maxRows={10}
            spellCheck={false}
            classNames={{ input: 'monoinput' }}
            value={text}
            onChange={(event) => setText(event.currentTarget.value)}
            error={errors.permissions}
          />
        </Stack>
      )}
    </DialogForm>
  );
}
