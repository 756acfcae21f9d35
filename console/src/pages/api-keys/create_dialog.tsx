import { Button, Collapse, Radio, Select, Stack } from '@mantine/core';
import { useDebouncedValue } from '@mantine/hooks';
import { IconChevronDown, IconChevronRight } from '@tabler/icons-react';
import { useState } from 'react';
import { $api, answered, api, type Schema } from '../../api/client';
import { useOnce } from '../../api/once';
import { Dialog, DialogForm, FieldError } from '../../dialog/dialog';
import { TextField } from '../../dialog/text_field';
import { useMe } from '../../session/me';
import { useScope } from '../../session/scope';
import { OrganizationPicker } from '../../shell/organization_picker';
import { useNow } from '../../time/now';
import { day } from '../../time/time';
import { KeyShown } from './created';
import { defaultEnd, endOfDay, fieldDay, latestEnd, wrongEnd } from './expiry';
import { type KeyKind, refreshKeys } from './keys';

type Issued = Schema<'IssuedAPIKey'>;

/** Makes a key; the same dialogue then shows it, until "I have saved it". */
export function CreateDialog({ open, onClose, kinds }: { open: boolean; onClose: () => void; kinds: KeyKind[] }) {
  const [issued, setIssued] = useState<Issued>();
  function close() {
    setIssued(undefined);
    onClose();
  }
  return (
    <Dialog
      open={open}
      onClose={close}
      title={issued ? 'API key created' : 'Create API Key'}
      size={issued ? 600 : 480}
      held={issued !== undefined}
    >
      {issued ? (
        <KeyShown issued={issued} onSaved={close} />
      ) : (
        <CreateForm
          kinds={kinds}
          onCancel={close}
          onIssued={(key) => {
            setIssued(key);
            void refreshKeys();
          }}
        />
      )}
    </Dialog>
  );
}

const fields = ['name', 'organization_id', 'owner_id', 'owner', 'expires_at'] as const;

function CreateForm({
  kinds,
  onCancel,
  onIssued,
}: {
  kinds: KeyKind[];
  onCancel: () => void;
  onIssued: (key: Issued) => void;
}) {
  const me = useMe();
  const scope = useScope();
  const now = useNow();
  const once = useOnce();
  const [kind, setKind] = useState<KeyKind>(kinds[0] ?? 'user_key');
  const [name, setName] = useState('');
  const [organization, setOrganization] = useState(scope.org ?? (scope.tenant ? undefined : me.organization.id));
  const [owner, setOwner] = useState<string>();
  const [more, setMore] = useState(false);
  const [end, setEnd] = useState('');
  const policy = usePolicy(scope.tenant ?? me.tenant.id);
  const latest = latestEnd(policy, kind, now);
  const usual = defaultEnd(policy, kind, now);
  const forOther = kind === 'user_key' && scope.tenant !== undefined;

  async function submit() {
    if (name.trim() === '') throw new FieldError('name', 'Enter a name');
    if (kind === 'organization_key' && !organization) throw new FieldError('organization_id', 'Choose an organization');
    if (forOther && !owner) throw new FieldError('owner_id', 'Choose whose key it is');
    const wrong = end ? wrongEnd(end, now, latest) : undefined;
    if (wrong) throw new FieldError('expires_at', wrong);
    onIssued(
      await answered(
        api.POST('/v1/api-keys', {
          params: { query: scope.tenantQuery, header: once.headers() },
          body: {
            kind,
            name: name.trim(),
            ...(kind === 'organization_key' ? { organization_id: organization! } : {}),
            ...(forOther ? { owner_id: owner! } : {}),
            ...(end ? { expires_at: endOfDay(end).toISOString() } : {}),
          },
        }),
      ),
    );
  }

  return (
    <DialogForm
      fields={fields}
      onCancel={onCancel}
      action="Save"
      onSubmit={async () => {
        try {
          await submit();
        } catch (problem) {
          // What was refused was not made: the next try is another one.
          if (!(problem instanceof FieldError) && (problem as { status?: number }).status) once.renew();
          if (!(problem instanceof FieldError) && JSON.stringify(problem).includes('/expires_at')) setMore(true);
          throw problem;
        }
      }}
    >
      {(errors) => (
        <Stack gap={16}>
          {kinds.length > 1 && (
            <Radio.Group label="Kind" value={kind} onChange={(value) => setKind(value as KeyKind)}>
              <Stack gap={8} mt={4}>
                <Radio
                  value="user_key"
                  label="User key"
                  description={
                    forOther
                      ? 'A program acts with a person’s current permissions.'
                      : 'A program acts with your current permissions.'
                  }
                />
                <Radio
                  value="organization_key"
                  label="Organization key"
                  description="A desktop client signs people of an organization in."
                />
              </Stack>
            </Radio.Group>
          )}
          <TextField
            label="Name"
            description="Say which program uses it, and where."
            data-autofocus
            maxLength={200}
            value={name}
            error={errors.name}
            onChange={setName}
          />
          {kind === 'organization_key' && (
            <OrganizationPicker
              label="Organization"
              description="Its people, and those of everything below it, are signed in."
              value={organization}
              onChange={setOrganization}
              error={errors.organization_id}
            />
          )}
          {forOther && <OwnerPicker value={owner} onChange={setOwner} error={errors.owner_id ?? errors.owner} />}
          <div>
            <Button
              variant="subtle"
              size="compact-sm"
              px={4}
              aria-expanded={more}
              leftSection={more ? <IconChevronDown size={14} /> : <IconChevronRight size={14} />}
              onClick={() => setMore((m) => !m)}
            >
              More
            </Button>
            <Collapse expanded={more} transitionDuration={0}>
              <TextField
                mt={8}
                type="date"
                label="Expiration date"
                description={
                  usual
                    ? `Without one it ends on ${day(usual)}. It works to the end of the day.`
                    : 'Without one it never ends. It works to the end of the day.'
                }
                min={fieldDay(now)}
                max={latest && fieldDay(latest)}
                value={end}
                error={errors.expires_at}
                onChange={setEnd}
              />
            </Collapse>
          </div>
        </Stack>
      )}
    </DialogForm>
  );
}

/** The tenant's policy, where the caller may read it. */
export function usePolicy(tenant: string) {
  return $api.useQuery('get', '/v1/tenants/{id}', { params: { path: { id: tenant } } }, { staleTime: 60_000 }).data
    ?.policy;
}

/** For operators, who make keys for others. */
function OwnerPicker({
  value,
  onChange,
  error,
}: {
  value: string | undefined;
  onChange: (id: string) => void;
  error?: string;
}) {
  const { tenantQuery } = useScope();
  const [text, setText] = useState('');
  const [search] = useDebouncedValue(text.trim(), 150);
  const users = $api.useQuery('get', '/v1/users', {
    params: { query: { ...tenantQuery, ...(search ? { search } : {}), limit: 50 } },
  });
  return (
    <Select
      label="Owner"
      description="The key acts with this person’s permissions."
      searchable
      data={(users.data?.items ?? []).map((u) => ({ value: u.id, label: u.display_name || u.username }))}
      filter={({ options }) => options}
      nothingFoundMessage={users.isPending ? 'Loading' : 'Nobody is called that.'}
      value={value ?? null}
      onChange={(id) => id && onChange(id)}
      onSearchChange={setText}
      error={error}
    />
  );
}
