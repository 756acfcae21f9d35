import { useLocation, useNavigate, useSearch } from '@tanstack/react-router';
import { useCallback } from 'react';
import { needsOf } from '../shell/navigation';
import { type Branch, branchesOf } from './branches';
import { type Me, useMe } from './me';

/** Which part of which tenant the console shows; it stands in the URL on every page. */
export interface Scope {
  /** System callers only: another tenant. */
  tenant?: string;
  /** An organization: it and everything below. Absent: all that the caller may see. */
  org?: string;
  /**
   * The parts of the tree that the caller may see on this page, where they are several: lists
   * show one at a time, the first unless another is chosen. Otherwise empty.
   */
  branches: Branch[];
  /** The query parameters of the API that say the same. */
  query: { tenant_id?: string; organization_id?: string };
  /** Of requests that are about a tenant and no organization. */
  tenantQuery: { tenant_id?: string };
  /** Whether the pages of customers' things have something to show: a system caller chooses a tenant first. */
  setScope: (to: { tenant?: string; org?: string }) => void;
}

/** What a page's address says of the scope, to whom. */
export function scopeOf(me: Me, page: string, search: { tenant?: string; org?: string }) {
  const tenant = me.system ? search.tenant : undefined;
  const all = tenant ? [] : branchesOf(me, needsOf(page));
  const branches = all.length > 1 ? all : [];
  return { tenant, org: search.org ?? branches[0]?.id, branches };
}

export function useScope(): Scope {
  const me = useMe();
  const search = useSearch({ strict: false }) as { tenant?: string; org?: string };
  const navigate = useNavigate();
  const page = useLocation({ select: (location) => location.pathname });
  const { tenant, org, branches } = scopeOf(me, page, search);
  const setScope = useCallback(
    (to: { tenant?: string; org?: string }) =>
      void navigate({
        to: '.',
        // A cursor is of one list; another scope is another list.
        search: (old: object) =>
          ({ ...old, tenant: to.tenant, org: to.org, cursor: undefined, owner: undefined }) as never,
      }),
    [navigate],
  );
  const tenantQuery = tenant ? { tenant_id: tenant } : {};
  return {
    tenant,
    org,
    branches,
    tenantQuery,
    query: { ...tenantQuery, ...(org ? { organization_id: org } : {}) },
    setScope,
  };
}
