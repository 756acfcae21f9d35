import type { Schema } from '../../api/client';
import { allows } from '../../session/can';

export type Permission = Schema<'Permission'>;
export type Role = Schema<'Role'>;

/** Whether a grant has a star: it grants more than is listed, also what there will be. */
export function hasStar(grant: string): boolean {
  return grant.includes('*');
}

/** What a grant with a star says, for people. */
export function starText(grant: string): string {
  const [resource = '', action = ''] = grant.split(':');
  if (resource.startsWith('claviger')) return `Everything in Claviger that is called ${grant}`;
  if (resource === '*' && action === '*') return 'Everything in all of the vendor’s APIs';
  if (resource === '*') return `“${words(action)}” in all of the vendor’s APIs`;
  if (action === '*') return `Everything in ${words(resource)}`;
  return `Everything that is called ${grant}`;
}

function words(text: string): string {
  return text.replaceAll('_', ' ');
}

/** The stars that a role's page offers, besides those that the role has. */
export const usualStars = ['*:read', '*:write', '*:*'] as const;

/** What people call a grant. */
export function grantName(grant: string, known: ReadonlyMap<string, Permission>): string {
  const permission = known.get(grant);
  if (permission) return permission.vendor ? permission.label : permission.name;
  return hasStar(grant) ? starText(grant) : grant;
}

/** “Application Credentials”, “Audit log” and 3 more */
export function listed(grants: readonly string[], known: ReadonlyMap<string, Permission>, most = 2): string {
  const names = grants
    .map((grant) => grantName(grant, known))
    .map((name) => (name.startsWith('“') ? name : `“${name}”`));
  if (names.length <= most) return names.join(' and ');
  return `${names.slice(0, most).join(', ')} and ${names.length - most} more`;
}

/** The grant with a star, other than the permission itself, through which it is granted. */
export function through(grants: readonly string[], permission: string): string | undefined {
  return grants.find((grant) => grant !== permission && hasStar(grant) && allows([grant], permission));
}

/** The permissions by their headings, in the order in which they came. */
export function grouped(permissions: readonly Permission[]): { name: string; permissions: Permission[] }[] {
  const groups = new Map<string, Permission[]>();
  for (const permission of permissions) {
    groups.set(permission.group, [...(groups.get(permission.group) ?? []), permission]);
  }
  return [...groups].map(([name, list]) => ({ name, permissions: list }));
}

/** The roles that a role includes, directly or not. */
export function allIncluded(role: Role, roles: ReadonlyMap<string, Role>): Role[] {
  const seen = new Set<string>();
  const todo = [...role.includes];
  const out: Role[] = [];
  for (let id = todo.pop(); id !== undefined; id = todo.pop()) {
    const included = roles.get(id);
    if (!included || seen.has(id) || id === role.id) continue;
    seen.add(id);
    out.push(included);
    todo.push(...included.includes);
  }
  return out;
}

/** Why a role cannot be changed by anybody, if that is so. */
export function fixedReason(role: Role): string | undefined {
  if (role.built_in === 'super_admin' || role.built_in === 'system_administrator') {
    return 'This role cannot be changed, so that someone can always do everything. Make a role of your own that includes it.';
  }
  return undefined;
}
