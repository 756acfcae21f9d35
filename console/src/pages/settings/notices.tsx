import { Button, Group, Select, Stack, Switch } from '@mantine/core';
import { useQueryClient } from '@tanstack/react-query';
import { type FormEvent, useState } from 'react';
import { $api, answered, api, type Schema } from '../../api/client';
import { fieldErrors, problemOf } from '../../api/problem';
import { TextField } from '../../dialog/text_field';
import { Card } from '../../shell/page';
import { ProblemNote } from '../../state/problem_note';
import { toast } from '../../state/toast';
import { Moment } from '../../time/when';
import { counted, number } from '../../words';
import { hours, type NoticesForm, toForm, toNotices, wrong, zones } from './notices_form';

type Tenant = Schema<'Tenant'>;

/** When and whom to tell of keys that end soon, and what will be said next. */
export function NoticesCard({ tenant }: { tenant: Tenant }) {
  const client = useQueryClient();
  const was = toForm(tenant.policy.notices);
  const [form, setForm] = useState(was);
  const [errors, setErrors] = useState<Record<string, string>>({});
  const [busy, setBusy] = useState(false);
  const set = <Name extends keyof NoticesForm>(name: Name, value: NoticesForm[Name]) => {
    setForm((old) => ({ ...old, [name]: value }));
    setErrors({});
  };
  async function submit(event: FormEvent) {
    event.preventDefault();
    const found = wrong(form);
    setErrors(found);
    if (Object.keys(found).length > 0) return;
    setBusy(true);
    try {
      const policy = { ...tenant.policy, notices: toNotices(form) };
      await answered(api.PATCH('/v1/tenants/{id}', { params: { path: { id: tenant.id } }, body: { policy } }));
      await Promise.all([
        client.invalidateQueries({ queryKey: ['get', '/v1/tenants/{id}'] }),
        client.invalidateQueries({ queryKey: ['get', '/v1/notices/preview'] }),
      ]);
      toast('Changes have been saved');
    } catch (error) {
      setErrors(refused(error));
    } finally {
      setBusy(false);
    }
  }
  return (
    <Card title="Expiry notices">
      <form onSubmit={submit} noValidate>
        <Stack gap={16}>
          <p className="muted formnote">
            Before credentials expire, Customer Administrators get an e-mail: once for each number of days, together for
            a day.
          </p>
          <TextField
            label="Days before"
            description="Whole days, with commas between them"
            value={form.days}
            inputMode="numeric"
            onChange={(text) => set('days', text)}
            error={errors.days}
          />
          <Group gap={12} grow align="flex-start">
            <Select
              label="Hour"
              data={hours}
              value={form.hour}
              onChange={(hour) => set('hour', hour ?? '8')}
              allowDeselect={false}
              error={errors.hour}
            />
            <Select
              label="Time zone"
              data={zones(form.zone)}
              value={form.zone}
              onChange={(zone) => set('zone', zone ?? 'UTC')}
              searchable
              limit={100}
              allowDeselect={false}
              nothingFoundMessage="No such time zone"
              error={errors.time_zone}
            />
          </Group>
          <Switch
            label="Tell people of keys that speak for them, too"
            checked={form.owners}
            onChange={(event) => set('owners', event.currentTarget.checked)}
          />
          <Switch
            label="Tell people of what they have made, too"
            checked={form.creators}
            onChange={(event) => set('creators', event.currentTarget.checked)}
          />
          <Coming tenant={tenant} />
          <ProblemNote error={errors['']} />
          <Group justify="flex-end">
            <Button type="submit" loading={busy} disabled={JSON.stringify(form) === JSON.stringify(was)}>
              Save notices
            </Button>
          </Group>
        </Stack>
      </form>
    </Card>
  );
}

function refused(error: unknown): Record<string, string> {
  const problem = problemOf(error);
  const errors = problem.errors?.map((e) => ({ ...e, pointer: e.pointer.replace(/^\/policy\/notices/, '') }));
  return fieldErrors({ ...problem, errors }, ['days', 'hour', 'time_zone']);
}

const shown = 5;

/** What will be said next, and to how many. */
function Coming({ tenant }: { tenant: Tenant }) {
  const { data, error } = $api.useQuery(
    'get',
    '/v1/notices/preview',
    { params: { query: { tenant_id: tenant.id } } },
    { placeholderData: undefined },
  );
  if (error) return <ProblemNote error={error} />;
  if (!data) return null;
  const people = data.recipients.map((r) => r.display_name || r.username);
  return (
    <section aria-label="What will be said next">
      <p className="formnote">
        Next: <Moment at={data.at} />.{' '}
        {data.total === 0
          ? 'So far there is nothing to say then.'
          : `${counted(data.total, 'credential', 'credentials')} so far:`}
      </p>
      {data.total > 0 && (
        <ul className="formnote">
          {data.items.slice(0, shown).map((item) => (
            <li key={item.credential_id}>
              {item.name}, expires <Moment at={item.expires_at} />
            </li>
          ))}
          {data.total > shown && <li>and {number(data.total - shown)} more</li>}
        </ul>
      )}
      <p className={people.length === 0 ? 'warn formnote' : 'muted formnote'}>
        {people.length === 0
          ? 'Nobody would be told: no administrator has an e-mail address.'
          : `It goes to ${people.slice(0, shown).join(', ')}${people.length > shown ? ` and ${number(people.length - shown)} more` : ''}.`}
      </p>
    </section>
  );
}
