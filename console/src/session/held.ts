import { allows } from './can';
import type { Me } from './me';

// What operators hold at the root of the installation's own tree reaches every tenant's.
const systemRoot = 'org_system';

/** What the caller holds at an organization, whose path is given from the root: there or above it. */
export function heldAt(me: Me, path: readonly string[]): string[] {
  return me.holdings
    .filter((h) => path.includes(h.organization_id) || (me.system && h.organization_id === systemRoot))
    .flatMap((h) => h.permissions);
}

/** Those of the grants that the caller does not hold at the organization, and so cannot give there. */
export function missingAt(me: Me, path: readonly string[], grants: readonly string[]): string[] {
  const held = heldAt(me, path);
  return grants.filter((grant) => !allows(held, grant));
}
