import { allows } from './can';
import type { Me } from './me';

/** An organization with all below it, as a part of the tree that somebody has rights in. */
export interface Branch {
  id: string;
  name: string;
}

/**
 * The branches in which the caller holds any of the permissions, without those inside
 * another: at home first, then by name. Lists show one branch at a time.
 */
export function branchesOf(me: Me, permissions: readonly string[]): Branch[] {
  const held = me.holdings.filter((h) => permissions.some((p) => allows(h.permissions, p)));
  const ids = new Set(held.map((h) => h.organization_id));
  const tops = new Map<string, Branch>();
  for (const { organization_id: id, organization_name: name, organization_path: path } of held) {
    if (!path.some((above) => above !== id && ids.has(above))) tops.set(id, { id, name });
  }
  const home = me.organization.id;
  return [...tops.values()].sort(
    (a, b) => Number(b.id === home) - Number(a.id === home) || a.name.localeCompare(b.name),
  );
}
