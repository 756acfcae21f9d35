import { Checkbox, Select, Stack, Text } from '@mantine/core';
import { useState } from 'react';
import { answer, answered, api } from '../../api/client';
import { useOnce } from '../../api/once';
import { ConfirmDialog, Dialog, DialogForm, FieldError } from '../../dialog/dialog';
import { graces } from '../../dialog/grace_choice';
import { IssuedDialog } from '../../dialog/issued';
import { ShownValue } from '../../dialog/secret';
import { TextField } from '../../dialog/text_field';
import { useScope } from '../../session/scope';
import { toast } from '../../state/toast';
import { type EventType, events, type IssuedWebhook, type Webhook, webhooksChanged } from './data';

interface Open {
  open: boolean;
  onClose: () => void;
}

const newAddress = 'https://';

/** Makes a webhook, then shows its secret, once. */
export function NewWebhook({ open, onClose, onMade }: Open & { onMade: (id: string) => void }) {
  const { tenantQuery } = useScope();
  const once = useOnce();
  return (
    <IssuedDialog<IssuedWebhook>
      open={open}
      onClose={onClose}
      title="Create webhook"
      doneTitle="Webhook created"
      size={560}
      form={(done) => (
        <WebhookForm
          action="Create webhook"
          onCancel={onClose}
          onSubmit={async (body) => {
            const params = { header: once.headers(), query: tenantQuery };
            const made = await answered(api.POST('/v1/webhooks', { params, body }));
            once.renew();
            await webhooksChanged();
            done(made);
          }}
        />
      )}
      shown={(made, copied, primary) => <WebhookSecret made={made} copied={copied} primary={primary} />}
      onSaved={(made) => onMade(made.id)}
    />
  );
}

function WebhookSecret({ made, copied, primary }: { made: IssuedWebhook; copied: () => void; primary: boolean }) {
  return (
    <>
      <Text size="md">
        Your program checks with this secret that messages come from here. It is shown this once: put it into your
        program now.
      </Text>
      <ShownValue label="Secret" value={made.secret ?? ''} secret primary={primary} onCopied={copied} />
    </>
  );
}

/** Changes what a webhook is called, where it is, and what it is told. */
export function EditWebhook({ webhook, open, onClose }: Open & { webhook: Webhook }) {
  return (
    <Dialog open={open} onClose={onClose} title={`Edit “${webhook.name}”`} size={560}>
      <WebhookForm
        webhook={webhook}
        action="Save"
        onCancel={onClose}
        onSubmit={async (body) => {
          await answered(api.PATCH('/v1/webhooks/{id}', { params: { path: { id: webhook.id } }, body }));
          await webhooksChanged();
          onClose();
          toast('Changes have been saved');
        }}
      />
    </Dialog>
  );
}

interface WebhookFormProps {
  webhook?: Webhook;
  action: string;
  onCancel: () => void;
  onSubmit: (body: { name: string; url: string; events: EventType[] }) => Promise<unknown>;
}

function WebhookForm({ webhook, action, onCancel, onSubmit }: WebhookFormProps) {
  const [name, setName] = useState(webhook?.name ?? '');
  const [url, setURL] = useState(webhook?.url ?? newAddress);
  const [all, setAll] = useState((webhook?.events.length ?? 0) === 0);
  const [types, setTypes] = useState<string[]>(webhook?.events ?? []);
  async function submit() {
    if (name.trim() === '') throw new FieldError('name', 'Enter a name');
    if (url.trim() === '' || url.trim() === newAddress)
      throw new FieldError('url', 'Enter the address of your program');
    if (!all && types.length === 0) throw new FieldError('events', 'Choose at least one, or all');
    await onSubmit({ name: name.trim(), url: url.trim(), events: all ? [] : (types as EventType[]) });
  }
  return (
    <DialogForm fields={['name', 'url', 'events']} onSubmit={submit} onCancel={onCancel} action={action}>
      {(errors) => (
        <Stack gap={16}>
          <TextField label="Name" data-autofocus value={name} onChange={setName} error={errors.name} />
          <TextField
            label="Address"
            description="Where your program takes messages. It begins with https:// and is public."
            type="url"
            spellCheck={false}
            value={url}
            onChange={setURL}
            error={errors.url}
          />
          <Checkbox
            label="All events"
            description="Also kinds that later versions add"
            checked={all}
            onChange={(event) => setAll(event.currentTarget.checked)}
          />
          {!all && (
            <Checkbox.Group
              label="What happened to a credential"
              value={types}
              onChange={setTypes}
              error={errors.events}
            >
              <div className="eventchoice">
                {events.map((event) => (
                  <Checkbox key={event.type} value={event.type} label={event.label} />
                ))}
              </div>
            </Checkbox.Group>
          )}
        </Stack>
      )}
    </DialogForm>
  );
}

const overlaps = graces.map(({ value, label }) => ({
  value,
  label: value === '0' ? 'Ends at once' : label.replace('Works', 'Signs beside it'),
}));

/** Makes a new secret; the one before signs beside it for a while. */
export function NewSecret({ webhook, open, onClose }: Open & { webhook: Webhook }) {
  const once = useOnce();
  const [grace, setGrace] = useState('86400');
  return (
    <IssuedDialog<IssuedWebhook>
      open={open}
      onClose={onClose}
      title={`New secret for “${webhook.name}”`}
      doneTitle="New secret created"
      size={560}
      form={(done) => (
        <DialogForm
          fields={['grace_period_seconds']}
          action="Create new secret"
          onCancel={onClose}
          onSubmit={async () => {
            const params = { path: { id: webhook.id }, header: once.headers() };
            const body = { grace_period_seconds: Number(grace) };
            const made = await answered(api.POST('/v1/webhooks/{id}/rotate-secret', { params, body }));
            once.renew();
            await webhooksChanged();
            done(made);
          }}
        >
          {(errors) => (
            <Stack gap={16}>
              <Text size="md">
                While both secrets sign, your program can take either: put the new one in meanwhile, and no message is
                refused.
              </Text>
              <Select
                label="The secret before"
                data-autofocus
                data={overlaps}
                value={grace}
                onChange={(seconds) => seconds !== null && setGrace(seconds)}
                error={errors.grace_period_seconds}
              />
            </Stack>
          )}
        </DialogForm>
      )}
      shown={(made, copied, primary) => <WebhookSecret made={made} copied={copied} primary={primary} />}
    />
  );
}

/** Sends again everything since a time. */
export function Replay({ webhook, open, onClose }: Open & { webhook: Webhook }) {
  const once = useOnce();
  const [since, setSince] = useState('');
  return (
    <Dialog open={open} onClose={onClose} title="Send again since…">
      <DialogForm
        fields={['since']}
        action="Send again"
        onCancel={onClose}
        onSubmit={async () => {
          if (!since) throw new FieldError('since', 'Choose a time in the last 30 days');
          const params = { path: { id: webhook.id }, header: once.headers() };
          const body = { since: new Date(since).toISOString() };
          await answered(api.POST('/v1/webhooks/{id}/replay', { params, body }));
          once.renew();
          await webhooksChanged();
          onClose();
          toast('Events are being sent again');
        }}
      >
        {(errors) => (
          <Stack gap={16}>
            <Text size="md">
              Everything that happened since then is sent once more, under the same message IDs. Messages that your
              program has dealt with come again, too.
            </Text>
            <TextField
              label="Since"
              description="In your own time zone, at most 30 days ago"
              type="datetime-local"
              data-autofocus
              value={since}
              onChange={setSince}
              error={errors.since}
            />
          </Stack>
        )}
      </DialogForm>
    </Dialog>
  );
}

export function SuspendWebhook({ webhook, open, onClose }: Open & { webhook: Webhook }) {
  const once = useOnce();
  return (
    <ConfirmDialog
      open={open}
      onClose={onClose}
      mild
      title={`Suspend “${webhook.name}”?`}
      action="Suspend webhook"
      onConfirm={async () => {
        const params = { path: { id: webhook.id }, header: once.headers() };
        await answered(api.POST('/v1/webhooks/{id}/suspend', { params }));
        once.renew();
        await webhooksChanged();
        toast('Webhook suspended');
      }}
    >
      <Text size="md">
        Nothing is sent until you resume it. It is then told what happened meanwhile, in the last 3 days.
      </Text>
    </ConfirmDialog>
  );
}

export function DeleteWebhook({ webhook, open, onClose, onDone }: Open & { webhook: Webhook; onDone: () => void }) {
  return (
    <ConfirmDialog
      open={open}
      onClose={onClose}
      title={`Delete “${webhook.name}”?`}
      action="Delete webhook"
      onConfirm={async () => {
        await answer(api.DELETE('/v1/webhooks/{id}', { params: { path: { id: webhook.id } } }));
        onDone();
        await webhooksChanged();
        toast('Webhook deleted');
      }}
    >
      <Text size="md">Your program is told nothing more. What is on its way is given up. This cannot be undone.</Text>
    </ConfirmDialog>
  );
}
