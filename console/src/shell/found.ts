import { useQuery } from '@tanstack/react-query';
import { answered, api } from '../api/client';
import { useScope } from '../session/scope';
import type { Place } from './go_to';

const pages: Record<
  string,
  { path: (id: string) => string; about: string; search?: (id: string) => Record<string, string> }
> = {
  api_key: { path: (id) => `/settings/api-keys/${id}`, about: 'API key' },
  app: { path: (id) => `/apps/${id}`, about: 'App' },
  service_account: { path: (id) => `/service-accounts/${id}`, about: 'Service account' },
  client_credential: { path: (id) => `/api-credentials/${id}`, about: 'API credentials' },
  account_key: { path: () => '/service-accounts', about: 'Account API key' },
  user: { path: (id) => `/users/${id}`, about: 'User' },
  organization: { path: () => '/organizations', about: 'Organization', search: (id) => ({ open: id }) },
  tenant: { path: (id) => `/tenants/${id}`, about: 'Tenant' },
};

/** What the server finds by name or crd_ ID, among what the caller may see. */
export function useFound(search: string): Place[] {
  const { tenantQuery } = useScope();
  const { data } = useQuery({
    queryKey: ['find', tenantQuery, search],
    enabled: search.length >= 2,
    queryFn: () => answered(api.GET('/v1/find', { params: { query: { ...tenantQuery, q: search } } })),
  });
  if (search.length < 2) return [];
  return (data?.items ?? []).flatMap((found) => {
    const page = pages[found.type];
    if (!page) return [];
    const where = found.organization_name ? `${page.about} in ${found.organization_name}` : page.about;
    return [
      { id: found.id, label: found.name, about: where, to: page.path(found.id), search: page.search?.(found.id) },
    ];
  });
}
