import { Select, Stack } from '@mantine/core';
import { useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import { answered, api } from '../../api/client';
import { useOnce } from '../../api/once';
import { Dialog, DialogForm, FieldError } from '../../dialog/dialog';
import { TextField } from '../../dialog/text_field';
import { shortNameOf, type Tenant, usePlans } from './data';

interface TenantDialogProps {
  /** Absent: a new one is made. */
  tenant?: Tenant;
  open: boolean;
  onClose: () => void;
  onDone: (tenant: Tenant) => void;
}

/** Makes a tenant, or changes its names. */
export function TenantDialog({ open, onClose, ...rest }: TenantDialogProps) {
  return (
    <Dialog open={open} onClose={onClose} title={rest.tenant ? `Edit “${rest.tenant.name}”` : 'Create tenant'}>
      <TenantForm onClose={onClose} {...rest} />
    </Dialog>
  );
}

function TenantForm({ tenant, onClose, onDone }: Omit<TenantDialogProps, 'open'>) {
  const client = useQueryClient();
  const once = useOnce();
  const plans = usePlans();
  const [name, setName] = useState(tenant?.name ?? '');
  const [slug, setSlug] = useState<string | undefined>(tenant?.slug);
  const [plan, setPlan] = useState<string | null>(tenant?.plan_id ?? null);
  const [external, setExternal] = useState(tenant?.external_id ?? '');
  const short = slug ?? shortNameOf(name);

  async function submit() {
    if (name.trim() === '') throw new FieldError('name', 'Enter a name');
    if (short === '') throw new FieldError('slug', 'Enter a short name');
    if (!plan) throw new FieldError('plan_id', 'Choose a plan');
    const body = { name: name.trim(), slug: short.trim(), plan_id: plan, external_id: external.trim() };
    const done = tenant
      ? await answered(
          api.PATCH('/v1/tenants/{id}', {
            params: { path: { id: tenant.id } },
            body: { name: body.name, slug: body.slug, external_id: body.external_id },
          }),
        )
      : await answered(api.POST('/v1/tenants', { params: { header: once.headers() }, body }));
    await Promise.all([
      client.invalidateQueries({ queryKey: ['get', '/v1/tenants'] }),
      client.invalidateQueries({ queryKey: ['get', '/v1/tenants/{id}'] }),
      client.invalidateQueries({ queryKey: ['tenants'] }),
    ]);
    onDone(done);
  }

  return (
    <DialogForm
      fields={['name', 'slug', 'plan_id', 'external_id']}
      onSubmit={submit}
      onCancel={onClose}
      action={tenant ? 'Save' : 'Create tenant'}
    >
      {(errors) => (
        <Stack gap={16}>
          <TextField label="Name" data-autofocus value={name} onChange={setName} error={errors.name} />
          <TextField
            label="Short name"
            description="What people type at sign-in: lower-case letters, digits and hyphens"
            spellCheck={false}
            value={short}
            onChange={setSlug}
            error={errors.slug}
          />
          {!tenant && (
            <Select
              label="Plan"
              placeholder="Choose a plan"
              data={(plans ?? []).filter((p) => p.key !== 'system').map((p) => ({ value: p.id, label: p.name }))}
              value={plan}
              onChange={setPlan}
              error={errors.plan_id}
            />
          )}
          <TextField
            label="External ID"
            description="Your own name for it; verification returns it"
            value={external}
            onChange={setExternal}
            error={errors.external_id}
          />
        </Stack>
      )}
    </DialogForm>
  );
}
