/**
 * Whether one of the grants allows the permission. A star in a grant stands for exactly
 * one segment, and never for the first of Claviger's own permissions.
 */
export function allows(grants: readonly string[], permission: string): boolean {
  return grants.some((grant) => grant === permission || matches(grant, permission));
}

function matches(grant: string, permission: string): boolean {
  const [resource = '', action = ''] = grant.split(':');
  const [ofResource = '', ofAction = ''] = permission.split(':');
  if (action !== '*' && action !== ofAction) return false;
  const want = ofResource.split('.');
  const have = resource.split('.');
  if (have.length !== want.length) return false;
  return have.every((segment, i) => segment === want[i] || (segment === '*' && !(i === 0 && want[0] === 'claviger')));
}
