import { Button, Text } from '@mantine/core';
import { useMediaQuery } from '@mantine/hooks';
import { IconChevronLeft, IconPlus, IconSitemap } from '@tabler/icons-react';
import { Link, useNavigate, useSearch } from '@tanstack/react-router';
import { useMemo, useState } from 'react';
import { $api } from '../../api/client';
import { missingAt } from '../../session/held';
import { can, useMe } from '../../session/me';
import { useScope } from '../../session/scope';
import { type Organization, useOrganization } from '../../shell/organizations';
import { Card, Facts, Page } from '../../shell/page';
import { PageHead } from '../../shell/page_head';
import { useTenant } from '../../shell/scope_menu';
import { useCreate } from '../../shell/shortcuts';
import { StateBadge } from '../../state/badge';
import { LoadFailed, NoMatch, NoPermission, NotFound } from '../../state/blank';
import { Info } from '../../state/problem_note';
import { SearchInput } from '../../table/search_input';
import { cutKey } from '../../table/cut_key';
import { Moment } from '../../time/when';
import { counted, number } from '../../words';
import { useTree } from './data';
import { type Impact, type OrganizationAction, OrganizationDialogs, useImpact } from './organization_dialogs';
import { title } from './kinds';
import { OrganizationTree } from './organization_tree';
import { search, type Tree } from './tree';

/** Organizations */
export function OrganizationsPage() {
  const me = useMe();
  if (can(me, 'claviger.organizations:read', 'claviger.organizations:manage')) return <Organizations />;
  return (
    <Page kind="plain">
      <PageHead title="Organizations" help="organizations" />
      <NoPermission right="Organizations: look" />
    </Page>
  );
}

function useManages(): (organization: Organization | undefined) => boolean {
  const me = useMe();
  return (o) => o !== undefined && missingAt(me, o.path, ['claviger.organizations:manage']).length === 0;
}

function Organizations() {
  const raw = useSearch({ strict: false }) as { q?: string; open?: string };
  const navigate = useNavigate();
  const me = useMe();
  const scope = useScope();
  const scopeOrganization = useOrganization(scope.org);
  const small = useMediaQuery('(max-width: 1023px)', window.innerWidth < 1024, { getInitialValueInEffect: false });
  const { tree, data, error, refetch, isFetching, read } = useTree();
  const searched = useMemo(() => search(tree, raw.q ?? ''), [tree, raw.q]);
  const manages = useManages();
  const [action, setAction] = useState<OrganizationAction>();
  const elsewhere = useOrganization(raw.open && data && !tree.byID.has(raw.open) ? raw.open : undefined);
  const open = raw.open ? (tree.byID.get(raw.open) ?? elsewhere) : undefined;
  const set = (patch: Record<string, string | undefined>, replace = false) =>
    void navigate({ to: '.', search: ((old: object) => ({ ...old, ...patch })) as never, replace });
  // Where "Add" begins: below what is looked at.
  const top = open ?? (tree.roots.length === 1 ? tree.roots[0] : undefined);
  const mayAdd = can(me, 'claviger.organizations:manage');
  useCreate(mayAdd ? () => setAction('add') : undefined);
  const loading = data === undefined;
  const found = searched?.found.size;

  const treeCard = (
    <div className="tbl ocard" aria-busy={loading} data-fetching={(isFetching && !loading) || undefined}>
      <div className="tbar">
        <span className="muted" aria-live="polite">
          {loading
            ? read
              ? `${number(read.count)} of ${counted(read.total, 'organization', 'organizations')} read`
              : ''
            : found !== undefined
              ? `${number(found)} of ${counted(tree.byID.size, 'organization', 'organizations')}`
              : counted(tree.byID.size, 'organization', 'organizations')}
        </span>
      </div>
      {loading ? (
        <TreeSkeleton />
      ) : found === 0 ? (
        <NoMatch
          what="organizations"
          search={raw.q}
          where={scopeOrganization?.name}
          onClear={() => set({ q: undefined })}
        />
      ) : (
        <OrganizationTree
          key={`${scope.tenant ?? ''}/${scope.org ?? ''}`}
          tree={tree}
          searched={searched}
          open={raw.open}
          onOpen={(id) => set({ open: id })}
        />
      )}
    </div>
  );

  return (
    <Page>
      <PageHead title="Organizations" help="organizations">
        {mayAdd && (
          <Button leftSection={<IconPlus size={16} aria-hidden />} onClick={() => setAction('add')}>
            Add organization
          </Button>
        )}
      </PageHead>
      {error && loading ? (
        <LoadFailed what="The organizations" error={error} onRetry={() => void refetch()} />
      ) : (
        <div className="osplit" data-open={raw.open !== undefined || undefined}>
          {!(small && raw.open) && (
            <div className="oleft">
              <div className="filters">
                <SearchInput
                  what="organizations"
                  value={raw.q ?? ''}
                  onChange={(text) => set({ q: cutKey(text) || undefined }, true)}
                />
              </div>
              {treeCard}
            </div>
          )}
          {(!small || raw.open) && (
            <div className="oright">
              {small && (
                <Button
                  variant="subtle"
                  size="compact-sm"
                  leftSection={<IconChevronLeft size={14} aria-hidden />}
                  onClick={() => set({ open: undefined })}
                >
                  All organizations
                </Button>
              )}
              {open ? (
                <Details key={open.id} organization={open} tree={tree} manages={manages(open)} onAction={setAction} />
              ) : raw.open && !loading ? (
                <div className="card">
                  <NotFound
                    what="organization"
                    back={
                      <Button variant="default" onClick={() => set({ open: undefined })}>
                        Back to the tree
                      </Button>
                    }
                  />
                </div>
              ) : (
                <div className="ohint muted">
                  <IconSitemap size={22} stroke={1.5} aria-hidden />
                  <Text size="sm">Choose an organization to see what is there.</Text>
                </div>
              )}
            </div>
          )}
        </div>
      )}
      <OrganizationDialogs
        organization={action === 'add' ? top : open}
        action={action}
        onClose={() => setAction(undefined)}
        onAdded={(made) => set({ open: made.id })}
        onRemoved={(gone) => set({ open: gone.parent_id })}
      />
    </Page>
  );
}

function TreeSkeleton() {
  return (
    <div className="oskeleton" role="status" aria-label="Loading">
      {[0, 1, 1, 2, 2, 1, 2, 1].map((level, i) => (
        <div key={i} className="oline" style={{ paddingLeft: 28 + level * 20 }}>
          <span className="sk name" />
        </div>
      ))}
    </div>
  );
}

function Details({
  organization,
  tree,
  manages,
  onAction,
}: {
  organization: Organization;
  tree: Tree;
  manages: boolean;
  onAction: (action: OrganizationAction) => void;
}) {
  const me = useMe();
  const scope = useScope();
  const tenant = useTenant(scope.tenant);
  const root = organization.parent_id === undefined;
  const account = scope.tenant ? tenant?.account_id : me.tenant.account_id;
  const impact = useImpact(organization.id, manages);
  const suspended = organization.state === 'suspended';
  const above = organization.path.slice(0, -1).map((id) => tree.byID.get(id));
  return (
    <div className="stack">
      <Card
        title={organization.name}
        note={<StateBadge state={organization.state} />}
        actions={
          manages && (
            <>
              <Button variant="default" onClick={() => onAction('edit')}>
                Edit
              </Button>
              <Button variant="default" onClick={() => onAction('add')}>
                Add below
              </Button>
            </>
          )
        }
      >
        <Facts
          items={[
            [
              'Below',
              above.some(Boolean) &&
                above.map(
                  (o, i) =>
                    o && (
                      <span key={o.id}>
                        {i > 0 && above[i - 1] && <span className="crumbmark">/</span>}
                        <Link to="." search={((old: object) => ({ ...old, open: o.id })) as never}>
                          {o.name}
                        </Link>
                      </span>
                    ),
                ),
            ],
            ['Account ID', root && account !== undefined && <span className="mono">{account}</span>],
            ['External ID', organization.external_id && <span className="mono">{organization.external_id}</span>],
            [
              'Domains',
              organization.domains?.length && <span className="mono">{organization.domains.join(', ')}</span>,
            ],
            ['Created', <Moment at={organization.created_at} />],
            ['ID', <span className="mono">{organization.id}</span>],
          ]}
        />
      </Card>
      <Card title="At and below it">
        {manages ? (
          impact.data ? (
            <ImpactFacts organization={organization} impact={impact.data} />
          ) : impact.error ? (
            <Text size="sm" c="dimmed">
              What is there could not be counted.
            </Text>
          ) : (
            <span className="sk name" role="status" aria-label="Loading" />
          )
        ) : (
          <UsersCount organization={organization} />
        )}
      </Card>
      {manages && (
        <Card title="Change its place or stop it">
          {root ? (
            <Info>The root organization is the account itself. It cannot be moved, suspended or removed.</Info>
          ) : (
            <div className="obuttons">
              <Button variant="default" onClick={() => onAction('move')}>
                Move
              </Button>
              <Button variant="default" onClick={() => onAction(suspended ? 'resume' : 'suspend')}>
                {suspended ? 'Resume' : 'Suspend'}
              </Button>
              <Button variant="outline" color="red" onClick={() => onAction('remove')}>
                Remove
              </Button>
            </div>
          )}
        </Card>
      )}
    </div>
  );
}

const lists: [kind: string, to: string][] = [
  ['user_key', '/settings/api-keys'],
  ['organization_key', '/settings/api-keys'],
  ['app', '/apps'],
  ['service_account_key', '/service-accounts'],
  ['client_credential', '/api-credentials'],
  ['account_key', '/service-accounts'],
];

/** How much is there, each number a link into its list, scoped to the organization. */
function ImpactFacts({ organization, impact }: { organization: Organization; impact: Impact }) {
  const me = useMe();
  const at = { org: organization.id } as never;
  const to = (n: number, page: string, may: boolean) =>
    n > 0 && may ? (
      <Link to={page} search={at}>
        {number(n)}
      </Link>
    ) : (
      number(n)
    );
  const rights: Record<string, string[]> = {
    '/settings/api-keys': [
      'claviger.api_keys:generate',
      'claviger.api_keys:manage',
      'claviger.organization_keys:generate',
    ],
    '/apps': ['claviger.apps:manage'],
    '/service-accounts': ['claviger.service_accounts:manage', 'claviger.account_keys:manage'],
    '/api-credentials': ['claviger.client_credentials:manage', 'claviger.client_credentials:manage_own'],
  };
  const by = impact.credentials_by_kind;
  return (
    <Facts
      items={[
        ['Organizations', `${number(impact.organizations)} below it`],
        ['Users', to(impact.users, '/users', can(me, 'claviger.users:read', 'claviger.users:manage'))],
        [
          'Service accounts',
          impact.service_accounts > 0 &&
            to(impact.service_accounts, '/service-accounts', can(me, ...rights['/service-accounts']!)),
        ],
        ['Roles given', number(impact.assignments)],
        ...lists
          .filter(([kind]) => (by[kind] ?? 0) > 0)
          .map(
            ([kind, page]) =>
              [title(kind), to(by[kind]!, page, can(me, ...(rights[page] ?? [])))] as [string, React.ReactNode],
          ),
        ['Credentials', impact.credentials === 0 && 'None'],
      ]}
    />
  );
}

function UsersCount({ organization }: { organization: Organization }) {
  const me = useMe();
  const scope = useScope();
  const may = can(me, 'claviger.users:read', 'claviger.users:manage');
  const { data } = $api.useQuery(
    'get',
    '/v1/users',
    { params: { query: { ...scope.tenantQuery, organization_id: organization.id, limit: 1 } } },
    { enabled: may, retry: false, placeholderData: undefined },
  );
  if (!may || !data)
    return (
      <Text size="sm" c="dimmed">
        What is there is shown to those who may change organizations.
      </Text>
    );
  return (
    <Facts
      items={[
        [
          'Users',
          data.total > 0 ? (
            <Link to="/users" search={{ org: organization.id } as never}>
              {number(data.total)}
            </Link>
          ) : (
            'None'
          ),
        ],
      ]}
    />
  );
}
