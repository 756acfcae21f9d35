import {
  createRootRoute,
  createRoute,
  createRouter,
  lazyRouteComponent,
  Outlet,
  redirect,
  retainSearchParams,
} from '@tanstack/react-router';
import { queryClient } from './api/query';
import { keysAt } from './pages/api-keys/list_query';
import { meQuery } from './session/me';
import { Crashed } from './state/crashed';
import { NothingHere } from './state/nothing_here';
import { Shell } from './shell/shell';
import { firstPage } from './shell/navigation';

/** The search parameters that pages have in common; all are plain text. */
export type Search = Record<string, string | undefined>;

const root = createRootRoute({ component: Outlet, notFoundComponent: NothingHere, errorComponent: Crashed });

const signIn = createRoute({
  getParentRoute: () => root,
  path: '/sign-in',
  component: lazyRouteComponent(() => import('./pages/sign-in/sign_in'), 'SignInPage'),
});
const invitation = createRoute({
  getParentRoute: () => root,
  path: '/invitation',
  component: lazyRouteComponent(() => import('./pages/sign-in/invitation'), 'InvitationPage'),
});
const firstAdmin = createRoute({
  getParentRoute: () => root,
  path: '/first-admin',
  component: lazyRouteComponent(() => import('./pages/sign-in/first_admin'), 'FirstAdminPage'),
});
const help = createRoute({
  getParentRoute: () => root,
  path: '/help/$',
  component: lazyRouteComponent(() => import('./pages/help/help'), 'HelpPage'),
});
const reference = createRoute({
  getParentRoute: () => root,
  path: '/reference',
  component: lazyRouteComponent(() => import('./pages/reference/reference'), 'ReferencePage'),
});

/** Everything behind the sign-in. The scope stays while one goes from page to page. */
const inside = createRoute({
  getParentRoute: () => root,
  id: 'inside',
  search: { middlewares: [retainSearchParams(['org', 'tenant'] as never)] },
  validateSearch: (search: Search): Search => search,
  beforeLoad: async ({ location }) => {
    const me = await queryClient.ensureQueryData(meQuery);
    if (!me) throw redirect({ to: '/sign-in', search: { next: location.href } as never });
    return { me };
  },
  component: Shell,
  errorComponent: Crashed,
});

const home = createRoute({
  getParentRoute: () => inside,
  path: '/',
  beforeLoad: ({ context, search }) => {
    throw redirect({ to: firstPage(context.me), search: search as never, replace: true });
  },
});

type Page = Record<string, (props: object) => React.ReactNode>;

const patience = 150; // ms that a page waits for its first rows before it is shown without them

/** `first` is what the page asks for first: it is asked for while the page's own code is on its way. */
function page(path: string, load: () => Promise<Page>, name: string, first?: typeof keysAt) {
  return createRoute({
    getParentRoute: () => inside,
    path,
    component: lazyRouteComponent(load as never, name as never),
    pendingMs: 200,
    shouldReload: false,
    loader: async ({ context, location, preload }) => {
      const query = preload ? undefined : first?.(context.me, location.pathname, location.search as Search);
      if (!query) return;
      await Promise.race([queryClient.prefetchQuery(query), new Promise((resolve) => setTimeout(resolve, patience))]);
    },
  });
}

const pages = [
  page('/settings/api-keys', () => import('./pages/api-keys/api_keys') as never, 'APIKeysPage', keysAt),
  page('/settings/api-keys/$id', () => import('./pages/api-keys/api_key') as never, 'APIKeyPage'),
  page('/apps', () => import('./pages/apps/apps') as never, 'AppsPage'),
  page('/apps/$id', () => import('./pages/apps/app') as never, 'AppPage'),
  page('/service-accounts', () => import('./pages/service-accounts/service_accounts') as never, 'ServiceAccountsPage'),
  page(
    '/service-accounts/$id',
    () => import('./pages/service-accounts/service_account') as never,
    'ServiceAccountPage',
  ),
  page('/api-credentials', () => import('./pages/api-credentials/api_credentials') as never, 'APICredentialsPage'),
  page('/api-credentials/$id', () => import('./pages/api-credentials/api_credential') as never, 'APICredentialPage'),
  page('/users', () => import('./pages/users/users') as never, 'UsersPage'),
  page('/users/$id', () => import('./pages/users/user') as never, 'UserPage'),
  page('/roles', () => import('./pages/roles/roles') as never, 'RolesPage'),
  page('/roles/$id', () => import('./pages/roles/role') as never, 'RolePage'),
  page('/organizations', () => import('./pages/organizations/organizations') as never, 'OrganizationsPage'),
  page('/usage', () => import('./pages/usage/usage') as never, 'UsagePage'),
  page('/audit-log', () => import('./pages/audit-log/audit_log') as never, 'AuditLogPage'),
  page('/settings', () => import('./pages/settings/settings') as never, 'SettingsPage'),
  page('/settings/policy', () => import('./pages/settings/policy') as never, 'PolicyPage'),
  page('/settings/webhooks', () => import('./pages/webhooks/webhooks') as never, 'WebhooksPage'),
  page('/settings/webhooks/$id', () => import('./pages/webhooks/webhook') as never, 'WebhookPage'),
  page('/settings/import', () => import('./pages/import/import') as never, 'ImportPage'),
  page('/profile', () => import('./pages/profile/profile') as never, 'ProfilePage'),
  page('/tenants', () => import('./pages/tenants/tenants') as never, 'TenantsPage'),
  page('/tenants/$id', () => import('./pages/tenants/tenant') as never, 'TenantPage'),
  page('/plans', () => import('./pages/plans/plans') as never, 'PlansPage'),
  page('/api-catalogue', () => import('./pages/api-catalogue/api_catalogue') as never, 'APICataloguePage'),
];

const routeTree = root.addChildren([
  signIn,
  invitation,
  firstAdmin,
  help,
  reference,
  inside.addChildren([home, ...pages]),
]);

// Search parameters are what people read, write and share: plain text, not JSON.
function parseSearch(text: string): Search {
  return Object.fromEntries(new URLSearchParams(text));
}

function stringifySearch(search: Search): string {
  const parameters = new URLSearchParams();
  for (const [name, value] of Object.entries(search)) {
    if (value !== undefined && value !== '') parameters.set(name, String(value));
  }
  const text = parameters.toString();
  return text === '' ? '' : `?${text}`;
}

export const router = createRouter({
  routeTree,
  parseSearch,
  stringifySearch,
  defaultPreload: 'intent',
  defaultPreloadDelay: 80,
  scrollRestoration: true,
  defaultNotFoundComponent: NothingHere,
  defaultErrorComponent: Crashed,
});
