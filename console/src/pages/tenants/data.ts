import { $api, type Schema } from '../../api/client';

export type Tenant = Schema<'Tenant'>;
export type Plan = Schema<'Plan'>;

/** All plans; there are few. */
export function usePlans(): Plan[] | undefined {
  return $api.useQuery('get', '/v1/plans', {}, { staleTime: 60_000 }).data?.items;
}

/** A short name made of a name: "Northwind Voice" is northwind-voice. */
export function shortNameOf(name: string): string {
  return name
    .normalize('NFKD')
    .replace(/\p{M}/gu, '')
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, '-')
    .replace(/^-+|-+$/g, '')
    .slice(0, 63);
}
