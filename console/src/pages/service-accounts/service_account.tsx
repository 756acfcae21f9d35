import { ActionIcon, Button, Select, Tabs, Tooltip } from '@mantine/core';
import { IconPlus, IconX } from '@tabler/icons-react';
import { useNavigate, useParams, useSearch } from '@tanstack/react-router';
import { useState } from 'react';
import { $api } from '../../api/client';
import { Code } from '../../dialog/secret';
import { useCan, useMe } from '../../session/me';
import { Card, Facts, Page } from '../../shell/page';
import { PageHead } from '../../shell/page_head';
import { StateBadge } from '../../state/badge';
import { ObjectPage } from '../../state/object_page';
import { ProblemNote } from '../../state/problem_note';
import { Moment, Past } from '../../time/when';
import { useRoles } from '../roles/data';
import { accountName, type ServiceAccount, type ServiceAccountKey } from './account';
import { AddRole, DeleteAccount, EditAccount, RemoveRole, resumeAccount, SuspendAccount } from './dialogs';
import { Keys } from './keys';
import { snippets } from './snippets';

const parent = { label: 'Service accounts', to: '/service-accounts' };

/** One service account: its keys, its roles, and how to call an API with it. */
export function ServiceAccountPage() {
  const { id } = useParams({ strict: false }) as { id: string };
  const account = $api.useQuery(
    'get',
    '/v1/service-accounts/{id}',
    { params: { path: { id } } },
    { placeholderData: undefined },
  );
  return (
    <ObjectPage
      query={account}
      what="service account"
      things="service accounts"
      parent={parent}
      help="service-accounts"
    >
      {(data) => (
        <Page kind="detail">
          <AccountView account={data} />
        </Page>
      )}
    </ObjectPage>
  );
}

type Doing = 'edit' | 'suspend' | 'delete';

function AccountView({ account }: { account: ServiceAccount }) {
  const navigate = useNavigate();
  const [doing, setDoing] = useState<Doing>();
  const [error, setError] = useState<unknown>();
  const keys = $api.useQuery(
    'get',
    '/v1/service-accounts/{id}/keys',
    { params: { path: { id: account.id }, query: { limit: 200, sort: 'created_at', order: 'desc' } } },
    { placeholderData: undefined },
  );
  const dialog = (what: Doing) => ({ account, open: doing === what, onClose: () => setDoing(undefined) });
  return (
    <>
      <PageHead
        title={accountName(account)}
        parent={parent}
        help="service-accounts"
        badge={<StateBadge state={account.state} />}
        sub={<span className="mono">{account.account_email}</span>}
      >
        <Button variant="default" onClick={() => setDoing('edit')}>
          Edit
        </Button>
        {account.state === 'suspended' ? (
          <Button
            variant="default"
            onClick={() => void resumeAccount(account).then(() => setError(undefined), setError)}
          >
            Resume
          </Button>
        ) : (
          <Button variant="default" onClick={() => setDoing('suspend')}>
            Suspend
          </Button>
        )}
        <Button variant="outline" color="red" onClick={() => setDoing('delete')}>
          Delete service account
        </Button>
      </PageHead>
      {error !== undefined && (
        <div className="listproblem">
          <ProblemNote error={error} />
        </div>
      )}
      <div className="split">
        <div className="stack">
          <Keys account={account} keys={keys.data?.items} error={keys.error} />
          <HowTo account={account} keys={keys.data?.items ?? []} />
        </div>
        <div className="stack">
          <Roles account={account} />
          <Details account={account} />
          <Card title="Replacing a key">
            <p className="prose">
              “Rotate” makes a second key in the place of one. Both work until every program has the new file, and you
              see who still uses the old one. A lost file cannot be downloaded again.
            </p>
          </Card>
        </div>
      </div>
      <EditAccount {...dialog('edit')} />
      <SuspendAccount {...dialog('suspend')} />
      <DeleteAccount {...dialog('delete')} onDeleted={() => navigate({ to: '/service-accounts' })} />
    </>
  );
}

/** How to sign a token with one of the account's keys, with this account's values. */
function HowTo({ account, keys }: { account: ServiceAccount; keys: ServiceAccountKey[] }) {
  const { key: wanted, tab = 'curl' } = useSearch({ strict: false }) as { key?: string; tab?: string };
  const navigate = useNavigate();
  const number = useAccountNumber(account);
  const good = keys.filter((key) => key.state === 'active');
  const keyID = (good.find((key) => key.key_id === wanted) ?? good[0])?.key_id;
  const set = (patch: object) =>
    void navigate({
      to: '.',
      search: ((old: object) => ({ ...old, ...patch })) as never,
      state: true,
      replace: true,
    });
  return (
    <Card
      title="Call an API with this account"
      actions={
        keyID && (
          <Select
            aria-label="Key"
            w={156}
            data={good.map((key) => ({ value: key.key_id, label: `Key ${key.key_id.slice(0, 8)}…` }))}
            value={keyID}
            onChange={(key) => set({ key: key ?? undefined })}
          />
        )
      }
    >
      {keyID === undefined ? (
        <p className="prose">Generate a key: what to do with its file is shown here.</p>
      ) : (
        <>
          <p className="prose">
            Sign a JWT with the private key from the downloaded file and send it with every request. There is no
            exchange.
          </p>
          <Tabs
            value={snippets.some((s) => s.language === tab) ? tab : 'curl'}
            onChange={(to) => set({ tab: to === 'curl' ? undefined : to })}
          >
            <Tabs.List mb={12}>
              {snippets.map(({ language }) => (
                <Tabs.Tab key={language} value={language}>
                  {language}
                </Tabs.Tab>
              ))}
            </Tabs.List>
            {number !== undefined &&
              snippets.map(({ language, code }) => (
                <Tabs.Panel key={language} value={language}>
                  <Code label={`Example for ${language}`}>{code({ accountID: number, keyID })}</Code>
                </Tabs.Panel>
              ))}
          </Tabs>
          <dl className="kv claims">
            {[
              ['kid', 'the key ID, in the header'],
              [
                'iss',
                <>
                  the account ID, <span className="mono">{number}</span>, as a number
                </>,
              ],
              [
                'exp',
                <>
                  at most one hour after <span className="mono">iat</span>
                </>,
              ],
              ['alg', 'RS256, nothing else'],
            ].map(([name, text], i) => (
              <div key={i}>
                <dt className="mono">{name}</dt>
                <dd>{text}</dd>
              </div>
            ))}
          </dl>
        </>
      )}
    </Card>
  );
}

/** The account ID: of the caller's own tenant, or of the one that an operator looks at. */
function useAccountNumber(account: ServiceAccount): number | undefined {
  const me = useMe();
  const own = account.tenant_id === me.tenant.id;
  const { data } = $api.useQuery(
    'get',
    '/v1/tenants/{id}',
    { params: { path: { id: account.tenant_id } } },
    { enabled: !own },
  );
  return own ? me.tenant.account_id : data?.account_id;
}

function Roles({ account }: { account: ServiceAccount }) {
  const mayRead = useCan('claviger.roles:read', 'claviger.roles:manage');
  const { byID } = useRoles(mayRead);
  const [adding, setAdding] = useState(false);
  const [taking, setTaking] = useState<ServiceAccount['roles'][number]>();
  const [asking, setAsking] = useState(false);
  return (
    <Card
      title="Roles"
      flush
      actions={
        <Button variant="default" leftSection={<IconPlus size={16} aria-hidden />} onClick={() => setAdding(true)}>
          Add role
        </Button>
      }
    >
      <ul className="heldroles">
        {account.roles.map((role) => {
          const grants = byID.get(role.role_id)?.resolved ?? byID.get(role.role_id)?.permissions ?? [];
          const name = role.role_name ?? role.role_id;
          return (
            <li key={role.assignment_id}>
              <div className="grow">
                <span className="strong">{name}</span>
                <span className="muted grants" title={grants.join(', ')}>
                  {role.organization_id !== account.organization_id && `in ${role.organization_name}: `}
                  {grants.slice(0, 4).join(', ')}
                  {grants.length > 4 && ` and ${grants.length - 4} more`}
                </span>
              </div>
              <Tooltip label="Take role away">
                <ActionIcon
                  size={28}
                  aria-label={`Take ${name} away`}
                  onClick={() => {
                    setTaking(role);
                    setAsking(true);
                  }}
                >
                  <IconX size={16} />
                </ActionIcon>
              </Tooltip>
            </li>
          );
        })}
        {account.roles.length === 0 && (
          <li>
            <div className="grow">
              <span className="strong">Basic only</span>
              <span className="muted grants">account:read, service_status:read</span>
            </div>
          </li>
        )}
      </ul>
      <AddRole account={account} open={adding} onClose={() => setAdding(false)} />
      {taking && (
        <RemoveRole
          key={taking.assignment_id}
          account={account}
          role={taking}
          open={asking}
          onClose={() => setAsking(false)}
        />
      )}
    </Card>
  );
}

function Details({ account }: { account: ServiceAccount }) {
  const number = useAccountNumber(account);
  return (
    <Card title="Details">
      <Facts
        items={[
          [
            'Account ID',
            number !== undefined && (
              <span key="number" className="mono">
                {number}
              </span>
            ),
          ],
          ['Organization', account.organization_name],
          ['Description', account.description],
          ['Created by', account.created_by],
          ['Created', <Moment key="created" at={account.created_at} />],
          ['Last used', <Past key="used" at={account.last_used_at} />],
          [
            'External ID',
            account.external_id && (
              <span key="external" className="mono">
                {account.external_id}
              </span>
            ),
          ],
          [
            'ID',
            <span key="id" className="mono">
              {account.id}
            </span>,
          ],
        ]}
      />
    </Card>
  );
}
