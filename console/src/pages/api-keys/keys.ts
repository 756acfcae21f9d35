import type { Schema } from '../../api/client';
import { queryClient } from '../../api/query';
import { can, canAtRoot, type Me } from '../../session/me';
import { number } from '../../words';

export type APIKey = Schema<'APIKey'>;
export type KeyKind = APIKey['kind'];

/** Whether it has neither been revoked nor expired. */
export function living(key: APIKey): boolean {
  return key.state === 'active' || key.state === 'suspended';
}

/** Whether the secret before the last rotation still works. */
export function rotating(key: APIKey, now: Date): boolean {
  return key.previous_valid_until !== undefined && new Date(key.previous_valid_until) > now;
}

/** What to call somebody. */
export function called(who: Schema<'Principal'>): string {
  return who.display_name || who.name || who.id;
}

/** Whose key it is, in a list: an organization's is of the organization that stands beside it. */
export function ownerOf(key: APIKey): string {
  return key.kind === 'organization_key' ? 'Organization' : called(key.owner);
}

/** Which kinds of keys somebody sees, and may make for themselves or an organization. */
export function kindsFor(me: Me): { sees: KeyKind[]; makes: KeyKind[] } {
  const sees: KeyKind[] = [];
  if (can(me, 'claviger.api_keys:generate', 'claviger.api_keys:manage')) sees.push('user_key');
  if (canAtRoot(me, 'claviger.organization_keys:generate')) sees.push('organization_key');
  return { sees, makes: sees };
}

/** Why somebody may not change the key; undefined: they may. The server decides in the end. */
export function whyNotChange(me: Me, key: APIKey): string | undefined {
  if (key.kind === 'organization_key' || isOwner(me, key) || can(me, 'claviger.api_keys:manage')) return undefined;
  return 'It is someone else’s key.';
}

/** Why somebody may not get a new secret for the key; undefined: they may. */
export function whyNotRotate(me: Me, key: APIKey): string | undefined {
  if (key.kind === 'organization_key' || isOwner(me, key) || me.system) return undefined;
  return 'Only its owner can.';
}

export function isOwner(me: Me, key: APIKey): boolean {
  return key.owner.id === me.principal.id;
}

/** Reads everything about keys again: lists, counts, pages. */
export function refreshKeys(): Promise<void> {
  return queryClient.invalidateQueries({
    predicate: ({ queryKey }) => typeof queryKey[1] === 'string' && queryKey[1].startsWith('/v1/api-keys'),
  });
}

/** What narrows a list of keys, as the API names it. */
export interface KeyFilter {
  tenant_id?: string;
  organization_id?: string;
  search?: string;
  kind?: KeyKind;
  state?: 'active' | 'suspended' | 'revoked' | 'expired' | 'living';
  expiring_before?: string;
  include_deleted?: boolean;
}

export const states = [
  { value: 'living', label: 'Active and suspended' },
  { value: 'active', label: 'Active' },
  { value: 'suspended', label: 'Suspended' },
  { value: 'revoked', label: 'Revoked' },
  { value: 'expired', label: 'Expired' },
] as const;

/** Within how many days keys expire that ?expiring= asks for. */
export function withinDays(asked: string | undefined): number {
  const days = Number(asked);
  return Number.isInteger(days) && days >= 1 && days <= 365 ? days : 30;
}

/** The filter for a choice of kind, state and "expire within 30 days". */
export function filterFor(
  scope: { tenant_id?: string; organization_id?: string },
  search: string,
  kind: string | undefined,
  state: string | undefined,
  expiringBefore: string | undefined,
): KeyFilter {
  const chosen = states.find((s) => s.value === state)?.value ?? 'living';
  return {
    ...scope,
    ...(search ? { search } : {}),
    ...(kind === 'user_key' || kind === 'organization_key' ? { kind } : {}),
    state: expiringBefore ? 'living' : chosen,
    // What has expired is hidden like what was deleted.
    ...(chosen === 'expired' && !expiringBefore ? { include_deleted: true } : {}),
    ...(expiringBefore ? { expiring_before: expiringBefore } : {}),
  };
}

/** How far lists count where nothing keeps a count of what matches. */
export const COUNTED = 1000;

/** The total of such a list: "17", or "1,000+" where it is more than was counted. */
export function countedTo(total: number): string {
  return total > COUNTED ? `${number(COUNTED)}+` : number(total);
}
