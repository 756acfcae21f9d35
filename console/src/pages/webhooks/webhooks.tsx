import { Button } from '@mantine/core';
import { IconPlus, IconWebhook } from '@tabler/icons-react';
import { useNavigate } from '@tanstack/react-router';
import { useMemo, useState } from 'react';
import { $api } from '../../api/client';
import { useCan } from '../../session/me';
import { useScope } from '../../session/scope';
import { Page } from '../../shell/page';
import { PageHead } from '../../shell/page_head';
import { useCreate } from '../../shell/shortcuts';
import { ExceptionBadge } from '../../state/badge';
import { Blank, LoadFailed, NoPermission } from '../../state/blank';
import { type Column, DataTable } from '../../table/data_table';
import { Past } from '../../time/when';
import { settings } from '../settings/tenant_page';
import { chosen, outcome, type Webhook } from './data';
import { NewWebhook } from './dialogs';

const icon = () => IconWebhook;

/** Settings / Webhooks: programs that are told what happens to credentials. */
export function WebhooksPage() {
  const allowed = useCan('claviger.tenant:manage');
  if (!allowed) {
    return (
      <Page>
        <PageHead title="Webhooks" parent={settings} help="webhooks" />
        <NoPermission right="Account settings" />
      </Page>
    );
  }
  return <WebhookList />;
}

function WebhookList() {
  const navigate = useNavigate();
  const { tenantQuery } = useScope();
  const [making, setMaking] = useState(false);
  const webhooks = $api.useQuery('get', '/v1/webhooks', { params: { query: tenantQuery } });
  const open = (id: string) => void navigate({ to: '/settings/webhooks/$id', params: { id } } as never);
  useCreate(() => setMaking(true));
  const columns = useColumns(open);
  const none = webhooks.data?.items.length === 0;
  const create = (
    <Button leftSection={<IconPlus size={16} stroke={1.8} aria-hidden />} onClick={() => setMaking(true)}>
      Create webhook
    </Button>
  );
  return (
    <Page>
      <PageHead title="Webhooks" parent={settings} help="webhooks">
        {!none && create}
      </PageHead>
      {webhooks.isError && !webhooks.data ? (
        <LoadFailed what="The webhooks" error={webhooks.error} onRetry={() => void webhooks.refetch()} />
      ) : (
        <DataTable<Webhook>
          label="Webhooks"
          noun={['webhook', 'webhooks']}
          rows={webhooks.data?.items}
          columns={columns}
          idOf={(w) => w.id}
          nameOf={(w) => w.name}
          iconOf={icon}
          quiet={(w) => w.state !== 'active'}
          onOpen={(w) => open(w.id)}
          phone={(w) => ({ badge: <ExceptionBadge state={w.state} />, key: hostOf(w.url), about: chosen(w.events) })}
          total={webhooks.data?.total}
          fetching={webhooks.isFetching}
          empty={
            <Blank icon={IconWebhook} title="No webhooks yet" actions={create}>
              A webhook tells a program of yours what happens to your credentials: that one was created, is about to
              expire, was revoked.
            </Blank>
          }
        />
      )}
      <NewWebhook open={making} onClose={() => setMaking(false)} onMade={open} />
    </Page>
  );
}

/** An address without its path, which can be long. */
function hostOf(url: string): string {
  return URL.canParse(url) ? new URL(url).host : url;
}

function useColumns(open: (id: string) => void): Column<Webhook>[] {
  return useMemo(
    () => [
      {
        title: 'Name',
        cell: (w) => (
          <span className="namewith">
            <button type="button" className="keyname" onClick={() => open(w.id)}>
              {w.name}
            </button>
            <ExceptionBadge state={w.state} />
          </span>
        ),
      },
      {
        title: 'Address',
        width: 300,
        cell: (w) => (
          <span className="mono" title={w.url}>
            {hostOf(w.url)}
          </span>
        ),
      },
      { title: 'Events', width: 220, cell: (w) => chosen(w.events) },
      {
        title: 'Last delivery',
        width: 240,
        cell: (w) =>
          w.last_delivery ? (
            <>
              {outcome(w.last_delivery)}, <Past at={w.last_delivery.created_at} />
            </>
          ) : (
            <span className="muted">None yet</span>
          ),
      },
    ],
    // Opening is the same act whichever closure does it.
    // eslint-disable-next-line react-hooks/exhaustive-deps
    [],
  );
}
