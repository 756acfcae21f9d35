import { Stack } from '@mantine/core';
import type { ReactNode } from 'react';
import { $api, type Schema } from '../../api/client';
import { useCan, useMe } from '../../session/me';
import { useScope } from '../../session/scope';
import { Page } from '../../shell/page';
import { PageHead } from '../../shell/page_head';
import { NoPermission, ObjectFailed } from '../../state/blank';

export type Tenant = Schema<'Tenant'>;

/** Where the other pages of settings lead back to. */
export const settings = { label: 'Settings', to: '/settings' };

interface TenantPageProps {
  kind: 'form' | 'settings';
  title: string;
  help: string;
  parent?: typeof settings;
  /** The permission it takes; absent: to change the tenant. */
  needs?: string;
  /** What people call that. */
  right?: string;
  /** The page, once the tenant is here. */
  children: (tenant: Tenant) => ReactNode;
}

/** A page of settings, which are those of the tenant in scope. */
export function TenantPage({
  kind,
  title,
  help,
  parent,
  needs = 'claviger.tenant:manage',
  right = 'Account settings',
  children,
}: TenantPageProps) {
  const me = useMe();
  const scope = useScope();
  const allowed = useCan(needs);
  const id = scope.tenant ?? me.tenant.id;
  const tenant = $api.useQuery(
    'get',
    '/v1/tenants/{id}',
    { params: { path: { id } } },
    { enabled: allowed, placeholderData: undefined },
  );
  return (
    <Page kind={kind}>
      <PageHead title={title} parent={parent} help={help} />
      {!allowed ? (
        <NoPermission right={right} />
      ) : tenant.isError && !tenant.data ? (
        <ObjectFailed what="tenant" error={tenant.error} onRetry={() => void tenant.refetch()} />
      ) : (
        tenant.data && (
          <Stack gap={16} key={id}>
            {children(tenant.data)}
          </Stack>
        )
      )}
    </Page>
  );
}
