import {
  IconApps,
  IconBook2,
  IconBuildingSkyscraper,
  IconChartHistogram,
  IconHistory,
  IconKey,
  IconLock,
  IconPackages,
  IconRobot,
  IconSettings,
  IconShieldLock,
  IconSitemap,
  IconStack2,
  IconUsers,
} from '@tabler/icons-react';
import { can, canAtRoot, type Me } from '../session/me';

export interface Destination {
  label: string;
  to: string;
  icon: typeof IconKey;
  /** Holding one of these shows it; none: everybody sees it. */
  needs: string[];
  /** Or one of these at the top of the tenant: holding it further down is not enough. */
  needsAtRoot?: string[];
  /** For people of the system tenant alone. */
  system?: boolean;
  /** What it takes beside a right. */
  only?: (me: Me) => boolean;
}

export const groups: { label: string; pages: Destination[] }[] = [
  {
    label: 'Credentials',
    pages: [
      {
        label: 'API keys',
        to: '/settings/api-keys',
        icon: IconKey,
        needs: ['claviger.api_keys:generate', 'claviger.api_keys:manage'],
        needsAtRoot: ['claviger.organization_keys:generate'],
      },
      { label: 'Apps', to: '/apps', icon: IconApps, needs: ['claviger.apps:manage'] },
      {
        label: 'Service accounts',
        to: '/service-accounts',
        icon: IconRobot,
        needs: ['claviger.service_accounts:manage', 'claviger.account_keys:manage'],
      },
      {
        label: 'API credentials',
        to: '/api-credentials',
        icon: IconLock,
        needs: ['claviger.client_credentials:manage', 'claviger.client_credentials:manage_own'],
        // The licence decides, too.
        only: (me) => me.api_credentials,
      },
    ],
  },
  {
    label: 'People and access',
    pages: [
      { label: 'Users', to: '/users', icon: IconUsers, needs: ['claviger.users:read', 'claviger.users:manage'] },
      { label: 'Roles', to: '/roles', icon: IconShieldLock, needs: ['claviger.roles:read', 'claviger.roles:manage'] },
      {
        label: 'Organizations',
        to: '/organizations',
        icon: IconSitemap,
        needs: ['claviger.organizations:read', 'claviger.organizations:manage'],
      },
    ],
  },
  {
    label: 'Records',
    pages: [
      { label: 'Usage', to: '/usage', icon: IconChartHistogram, needs: ['claviger.usage:read'] },
      { label: 'Audit log', to: '/audit-log', icon: IconHistory, needs: ['claviger.audit_events:read'] },
    ],
  },
  {
    label: 'System',
    pages: [
      {
        label: 'Tenants',
        to: '/tenants',
        icon: IconBuildingSkyscraper,
        needs: ['claviger.tenants:read', 'claviger.tenants:manage'],
        system: true,
      },
      { label: 'Plans', to: '/plans', icon: IconPackages, needs: ['claviger.plans:manage'], system: true },
      {
        label: 'API catalogue',
        to: '/api-catalogue',
        icon: IconStack2,
        needs: ['claviger.catalog:manage'],
        system: true,
      },
    ],
  },
];

export const foot: Destination[] = [
  { label: 'Settings', to: '/settings', icon: IconSettings, needs: ['claviger.tenant:manage'] },
  { label: 'Documentation', to: '/help', icon: IconBook2, needs: [] },
];

/** Whether the page is in this person's menu. The API refuses what is not. */
export function shown(page: Destination, me: Me): boolean {
  if (page.system && !me.system) return false;
  if (page.only && !page.only(me)) return false;
  if (page.needsAtRoot && canAtRoot(me, ...page.needsAtRoot)) return true;
  return page.needs.length === 0 || can(me, ...page.needs);
}

/** The permissions that a page, or one below it, is about; none where no list is narrowed by them. */
export function needsOf(path: string): string[] {
  const pages = groups.flatMap((group) => group.pages);
  return pages.find(({ to }) => path === to || path.startsWith(`${to}/`))?.needs ?? [];
}

/** Where someone arrives: their first page. */
export function firstPage(me: Me): string {
  for (const group of groups) for (const page of group.pages) if (shown(page, me)) return page.to;
  return '/profile';
}
