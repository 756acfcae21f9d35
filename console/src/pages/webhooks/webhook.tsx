import { Badge, Button, Group, Stack, Text } from '@mantine/core';
import { IconCircleCheck, IconCircleX, IconClock, IconSend } from '@tabler/icons-react';
import { useNavigate, useParams } from '@tanstack/react-router';
import { useMemo, useState } from 'react';
import { $api, answered, api } from '../../api/client';
import { Dialog } from '../../dialog/dialog';
import { Code } from '../../dialog/secret';
import { Card, Facts, Page } from '../../shell/page';
import { PageHead } from '../../shell/page_head';
import { StateBadge } from '../../state/badge';
import { Blank, LoadFailed } from '../../state/blank';
import { ObjectPage } from '../../state/object_page';
import { ProblemNote } from '../../state/problem_note';
import { toast } from '../../state/toast';
import { type Column, DataTable } from '../../table/data_table';
import { useListState } from '../../table/list_state';
import { Moment, Past } from '../../time/when';
import {
  chosen,
  comesSoon,
  type Delivery,
  eventWords,
  outcome,
  reason,
  resumeWebhook,
  type Webhook,
  webhooksChanged,
} from './data';
import { DeleteWebhook, EditWebhook, NewSecret, Replay, SuspendWebhook } from './dialogs';

const parent = { label: 'Webhooks', to: '/settings/webhooks' };

/** One webhook: what it is, and what was sent to it. */
export function WebhookPage() {
  const { id } = useParams({ strict: false }) as { id: string };
  const webhook = $api.useQuery(
    'get',
    '/v1/webhooks/{id}',
    { params: { path: { id } } },
    { placeholderData: undefined },
  );
  return (
    <ObjectPage query={webhook} what="webhook" things="webhooks" parent={parent} help="webhooks">
      {(data) => (
        <Page kind="plain">
          <WebhookView webhook={data} />
        </Page>
      )}
    </ObjectPage>
  );
}

type Doing = 'edit' | 'secret' | 'replay' | 'suspend' | 'delete';

function WebhookView({ webhook }: { webhook: Webhook }) {
  const navigate = useNavigate();
  const [doing, setDoing] = useState<Doing>();
  const [error, setError] = useState<unknown>();
  const [busy, setBusy] = useState(false);
  const dialog = (what: Doing) => ({ webhook, open: doing === what, onClose: () => setDoing(undefined) });
  const active = webhook.state === 'active';

  async function run(what: () => Promise<unknown>, done: string) {
    setBusy(true);
    setError(undefined);
    try {
      await what();
      toast(done);
    } catch (problem) {
      setError(problem);
    } finally {
      setBusy(false);
    }
  }
  const test = () =>
    run(async () => {
      const header = { 'Idempotency-Key': crypto.randomUUID() };
      await answered(api.POST('/v1/webhooks/{id}/test', { params: { path: { id: webhook.id }, header } }));
      await webhooksChanged();
    }, 'A test is on its way');
  return (
    <>
      <PageHead
        title={webhook.name}
        parent={parent}
        help="webhooks"
        badge={active ? undefined : <StateBadge state={webhook.state} />}
      >
        <Button variant="default" onClick={() => setDoing('edit')}>
          Edit
        </Button>
        {active && (
          <Button variant="default" onClick={() => setDoing('suspend')}>
            Suspend
          </Button>
        )}
        <Button variant="outline" color="red" onClick={() => setDoing('delete')}>
          Delete webhook
        </Button>
        {active ? (
          <Button
            loading={busy}
            leftSection={<IconSend size={16} stroke={1.7} aria-hidden />}
            onClick={() => void test()}
          >
            Send a test
          </Button>
        ) : (
          <Button loading={busy} onClick={() => void run(() => resumeWebhook(webhook.id), 'Webhook resumed')}>
            Resume
          </Button>
        )}
      </PageHead>
      <Stack gap={16}>
        <ProblemNote error={error} />
        <Card title="About">
          <Facts
            wide
            items={[
              ['Address', <span className="mono breakall">{webhook.url}</span>],
              ['Events', chosen(webhook.events)],
              [
                'Secret before',
                webhook.previous_until && (
                  <>
                    signs too until <Moment at={webhook.previous_until} />
                  </>
                ),
              ],
              ['Created', <Moment at={webhook.created_at} />],
              ['Created by', webhook.created_by.name],
              ['ID', <span className="mono">{webhook.id}</span>],
            ]}
          />
          <Group gap={8} mt={12}>
            <Button variant="default" onClick={() => setDoing('secret')}>
              New secret
            </Button>
            <Button variant="default" onClick={() => setDoing('replay')}>
              Send again since…
            </Button>
          </Group>
        </Card>
        <Deliveries webhook={webhook} />
      </Stack>
      <EditWebhook {...dialog('edit')} />
      <NewSecret {...dialog('secret')} />
      <Replay {...dialog('replay')} />
      <SuspendWebhook {...dialog('suspend')} />
      <DeleteWebhook {...dialog('delete')} onDone={() => void navigate({ to: '/settings/webhooks' })} />
    </>
  );
}

/** What is shown anew by itself, while something is on its way. */
const lookAgain = 2000; // ms

function Deliveries({ webhook }: { webhook: Webhook }) {
  const list = useListState('-created_at', ['state']);
  const [open, setOpen] = useState<Delivery>();
  const { sort, order, cursor, limit } = list.query;
  const state = list.filter('state') as Delivery['state'] | undefined;
  const deliveries = $api.useQuery(
    'get',
    '/v1/webhooks/{id}/deliveries',
    {
      params: {
        path: { id: webhook.id },
        query: { sort, order, limit, ...(cursor ? { cursor } : {}), ...(state ? { state } : {}) },
      },
    },
    {
      refetchInterval: (query) => (query.state.data?.items.some((d) => comesSoon(d, new Date())) ? lookAgain : false),
    },
  );
  const columns = useColumns(setOpen);
  return (
    <section aria-label="Deliveries" className="deliveries">
      <h2>Deliveries</h2>
      {deliveries.isError && !deliveries.data ? (
        <LoadFailed what="The deliveries" error={deliveries.error} onRetry={() => void deliveries.refetch()} />
      ) : (
        <DataTable<Delivery>
          label="Deliveries"
          noun={['delivery', 'deliveries']}
          rows={deliveries.data?.items}
          columns={columns}
          idOf={(d) => d.id}
          nameOf={(d) => eventWords(d.event)}
          iconOf={iconOf}
          onOpen={setOpen}
          phone={(d) => ({ about: <DeliveryLine delivery={d} /> })}
          total={deliveries.data?.total}
          list={list}
          next={deliveries.data?.next_cursor}
          previous={deliveries.data?.previous_cursor}
          fetching={deliveries.isFetching}
          empty={
            <Blank icon={IconSend} title="Nothing was sent yet">
              Send a test to see whether your program takes messages.
            </Blank>
          }
        />
      )}
      <DeliveryDialog webhook={webhook} delivery={open} onClose={() => setOpen(undefined)} />
    </section>
  );
}

function iconOf(delivery: Delivery) {
  if (delivery.state === 'delivered') return IconCircleCheck;
  return delivery.state === 'dead' ? IconCircleX : IconClock;
}

function DeliveryLine({ delivery }: { delivery: Delivery }) {
  return (
    <>
      {outcome(delivery)}, <Past at={delivery.created_at} />
      {reason(delivery) && ` · ${reason(delivery)}`}
    </>
  );
}

function DeliveryBadge({ delivery }: { delivery: Delivery }) {
  const colors = { delivered: 'green', dead: 'red', pending: 'gray' };
  return <Badge color={colors[delivery.state]}>{outcome(delivery)}</Badge>;
}

function useColumns(open: (delivery: Delivery) => void): Column<Delivery>[] {
  return useMemo(
    () => [
      {
        title: 'Event',
        cell: (d) => (
          <button type="button" className="keyname" onClick={() => open(d)}>
            {eventWords(d.event)}
          </button>
        ),
      },
      { title: 'About', width: 260, cell: (d) => subjectOf(d) || <span className="muted">–</span> },
      { title: 'Result', width: 150, cell: (d) => <DeliveryBadge delivery={d} /> },
      { title: 'Answer', width: 260, cell: (d) => <span title={reason(d)}>{reason(d)}</span> },
      { title: 'When', width: 150, sort: 'created_at', cell: (d) => <Past at={d.created_at} /> },
    ],
    [open],
  );
}

/** The name of the credential that a message is about. */
function subjectOf(delivery: Delivery): string {
  const data = delivery.message?.data as { credential?: { name?: string } } | undefined;
  return data?.credential?.name ?? '';
}

interface DeliveryDialogProps {
  webhook: Webhook;
  delivery?: Delivery;
  onClose: () => void;
}

function DeliveryDialog({ webhook, delivery, onClose }: DeliveryDialogProps) {
  const [error, setError] = useState<unknown>();
  const [busy, setBusy] = useState(false);
  async function again() {
    setBusy(true);
    setError(undefined);
    try {
      const path = { id: webhook.id, delivery_id: delivery!.id };
      const header = { 'Idempotency-Key': crypto.randomUUID() };
      await answered(api.POST('/v1/webhooks/{id}/deliveries/{delivery_id}/replay', { params: { path, header } }));
      await webhooksChanged();
      onClose();
      toast('The message is being sent again');
    } catch (problem) {
      setError(problem);
    } finally {
      setBusy(false);
    }
  }
  return (
    <Dialog
      open={delivery !== undefined}
      onClose={onClose}
      title={delivery ? eventWords(delivery.event) : ''}
      size={640}
    >
      {delivery && (
        <Stack gap={16}>
          <Facts
            items={[
              ['Result', <DeliveryBadge delivery={delivery} />],
              ['Answer', reason(delivery)],
              ['Attempts', String(delivery.attempts)],
              ['Created', <Moment at={delivery.created_at} />],
              ['Ended', delivery.finished_at && <Moment at={delivery.finished_at} />],
              ['Next attempt', delivery.next_attempt_at && <Moment at={delivery.next_attempt_at} />],
              ['Message ID', <span className="mono breakall">{delivery.message_id}</span>],
            ]}
          />
          <Code label="the message">{JSON.stringify(delivery.message ?? {}, null, 2)}</Code>
          {delivery.state === 'pending' && (
            <Text size="sm" c="dimmed">
              It can be sent again when it has ended.
            </Text>
          )}
          <ProblemNote error={error} />
          <Group justify="flex-end" gap={8}>
            <Button variant="default" onClick={onClose}>
              Close
            </Button>
            {delivery.state !== 'pending' && (
              <Button loading={busy} onClick={() => void again()}>
                Send again
              </Button>
            )}
          </Group>
        </Stack>
      )}
    </Dialog>
  );
}
