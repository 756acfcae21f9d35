import { ActionIcon, Menu, Text } from '@mantine/core';
import { IconDots } from '@tabler/icons-react';
import { Link } from '@tanstack/react-router';
import { useState } from 'react';
import { $api, answer, answered, api, type Schema } from '../../api/client';
import { useOnce } from '../../api/once';
import { queryClient } from '../../api/query';
import { ConfirmDialog } from '../../dialog/dialog';
import { IssuedDialog } from '../../dialog/issued';
import { RotateForm } from '../../dialog/rotate_form';
import { inGrace, type Rotation, useRotation } from '../../dialog/rotation';
import { ShownValue } from '../../dialog/secret';
import { useCan, useMe } from '../../session/me';
import { useScope } from '../../session/scope';
import { Facts } from '../../shell/page';
import { DeprecatedBadge, ExceptionBadge } from '../../state/badge';
import { Blank, IconKeyOff } from '../../state/blank';
import { ListRefused } from '../../state/plan_gate';
import { Info, Notice, ProblemNote } from '../../state/problem_note';
import { toast } from '../../state/toast';
import { useNow } from '../../time/now';
import { Past } from '../../time/when';

type AccountKey = Schema<'AccountKey'>;
type IssuedAccountKey = Schema<'IssuedAccountKey'>;

function keysChanged() {
  return queryClient.invalidateQueries({ queryKey: ['get', '/v1/account-keys'] });
}

/**
 * The account API keys: what came before service accounts, and is deprecated. Without any
 * there is nothing to see; with `alone` the page has nothing else to show.
 */
export function AccountKeys({ alone }: { alone?: boolean }) {
  const me = useMe();
  const { tenantQuery, tenant } = useScope();
  const keys = $api.useQuery('get', '/v1/account-keys', {
    params: { query: { ...tenantQuery, limit: 200, sort: 'name' } },
  });
  const id = tenant ?? me.tenant.id;
  const maySettings = useCan('claviger.tenant:manage', 'claviger.tenants:read');
  const settings = $api.useQuery('get', '/v1/tenants/{id}', { params: { path: { id } } }, { enabled: maySettings });
  const items = keys.data?.items ?? [];
  if (items.length === 0)
    return alone && !keys.isPending ? <Nothing error={keys.error} onRetry={() => void keys.refetch()} /> : null;
  const off = settings.data !== undefined && !settings.data.policy.legacy_account_keys;
  const number = settings.data?.account_id ?? (tenant ? undefined : me.tenant.account_id);
  return (
    <section className="card accountkeys" aria-labelledby="account-keys">
      <div className="cardb">
        <div className="legacyhead">
          <h2 id="account-keys">{items.length === 1 ? 'Account API key' : 'Account API keys'}</h2>
          <DeprecatedBadge />
        </div>
        <Text size="sm" maw={640}>
          Account API keys are deprecated. Use a service account for anything new. Each may do everything your plan
          allows, and stands in the query string, where logs keep it.
        </Text>
        {off && (
          <div className="below">
            <Info>
              The account’s settings do not accept them in query strings. <Link to="/settings">Go to the settings</Link>
            </Info>
          </div>
        )}
      </div>
      <ul className="legacykeys">
        {items.map((key) => (
          <LegacyKey key={key.id} accountKey={key} number={number} />
        ))}
      </ul>
    </section>
  );
}

function Nothing({ error, onRetry }: { error: unknown; onRetry: () => void }) {
  return (
    <div className="tbl">
      {error ? (
        <ListRefused what="The account API keys" things="keys" error={error} onRetry={onRetry} />
      ) : (
        <Blank icon={IconKeyOff} title="No account API keys">
          They are deprecated. A Super Admin can give you “Service accounts”, which is what to use for anything new.
        </Blank>
      )}
    </div>
  );
}

type Doing = 'rotate' | 'suspend' | 'delete';

function rotationOf(accountKey: AccountKey): Rotation {
  return {
    kind: 'account-keys',
    id: accountKey.id,
    name: accountKey.name,
    what: 'key',
    until: accountKey.previous_valid_until,
    mayRollBack: true,
    changed: keysChanged,
  };
}

function LegacyKey({ accountKey, number }: { accountKey: AccountKey; number?: number }) {
  const [doing, setDoing] = useState<Doing>();
  const [error, setError] = useState<unknown>();
  const once = useOnce();
  const path = { id: accountKey.id };
  const dialog = (what: Doing) => ({ open: doing === what, onClose: () => setDoing(undefined) });
  const ended = accountKey.state === 'revoked' || accountKey.state === 'expired';
  const now = useNow();
  const rotation = useRotation(rotationOf(accountKey));

  async function resume() {
    try {
      const header = { 'Idempotency-Key': crypto.randomUUID() };
      await answered(api.POST('/v1/account-keys/{id}/resume', { params: { path, header } }));
      await keysChanged();
      toast('Account API key resumed');
      setError(undefined);
    } catch (problem) {
      setError(problem);
    }
  }
  return (
    <li>
      <span className="legacyname">
        <span className={accountKey.state === 'active' ? 'strong trunc' : 'strong trunc muted'}>{accountKey.name}</span>
        <ExceptionBadge state={accountKey.state} rotating={!ended && inGrace(accountKey.previous_valid_until, now)} />
      </span>
      <span className="mono legacyquery">
        {number !== undefined && <>account_id={number} </>}api_key={accountKey.hint}
      </span>
      <span className="muted legacyused">
        {accountKey.last_used_at && 'Last used '}
        <Past at={accountKey.last_used_at} absent="Never used" />
      </span>
      <Menu position="bottom-end">
        <Menu.Target>
          <ActionIcon aria-label={`Actions for ${accountKey.name}`} size={28} className="legacyact">
            <IconDots size={16} />
          </ActionIcon>
        </Menu.Target>
        <Menu.Dropdown>
          {!ended && <Menu.Item onClick={() => setDoing('rotate')}>Rotate</Menu.Item>}
          {!ended && inGrace(accountKey.previous_valid_until, now) && (
            <Menu.Item onClick={rotation.open}>Who still uses the old key</Menu.Item>
          )}
          {accountKey.state === 'active' && <Menu.Item onClick={() => setDoing('suspend')}>Suspend</Menu.Item>}
          {accountKey.state === 'suspended' && <Menu.Item onClick={() => void resume()}>Resume</Menu.Item>}
          <Menu.Item color="red" onClick={() => setDoing('delete')}>
            Delete
          </Menu.Item>
        </Menu.Dropdown>
      </Menu>
      {error !== undefined && <ProblemNote error={error} />}
      <RotateAccountKey
        accountKey={accountKey}
        {...dialog('rotate')}
        onRotated={(issued) => issued.previous_valid_until && rotation.open()}
      />
      {rotation.dialogs}
      <ConfirmDialog
        {...dialog('suspend')}
        title={`Suspend “${accountKey.name}”?`}
        action="Suspend account API key"
        onConfirm={async () => {
          await answered(api.POST('/v1/account-keys/{id}/suspend', { params: { path, header: once.headers() } }));
          once.renew();
          await keysChanged();
          toast('Account API key suspended');
        }}
      >
        <Text size="md">Calls with this key fail until you resume it.</Text>
      </ConfirmDialog>
      <ConfirmDialog
        {...dialog('delete')}
        title={`Delete “${accountKey.name}”?`}
        action="Delete account API key"
        onConfirm={async () => {
          await answer(api.DELETE('/v1/account-keys/{id}', { params: { path } }));
          await keysChanged();
          toast('Account API key deleted');
        }}
      >
        <Text size="md">As soon as you confirm, calls with this key fail. This cannot be undone.</Text>
        <Facts items={[['Last used', <Past key="used" at={accountKey.last_used_at} />]]} />
      </ConfirmDialog>
    </li>
  );
}

/** Rotates an account key: why, then the new one, then who still uses the old one. */
function RotateAccountKey({
  accountKey,
  open,
  onClose,
  onRotated,
}: {
  accountKey: AccountKey;
  open: boolean;
  onClose: () => void;
  onRotated: (issued: IssuedAccountKey) => void;
}) {
  return (
    <IssuedDialog<IssuedAccountKey>
      open={open}
      onClose={onClose}
      title={`Rotate “${accountKey.name}”?`}
      doneTitle="New account API key"
      size={560}
      form={(done) => (
        <RotateForm
          what="key"
          action="Rotate"
          onCancel={onClose}
          rotate={async (grace, header) => {
            const issued = await answered(
              api.POST('/v1/account-keys/{id}/rotate', {
                params: { path: { id: accountKey.id }, header },
                body: { grace_period_seconds: grace },
              }),
            );
            await keysChanged();
            done(issued);
          }}
        >
          <Text size="md">The key gets a new secret. A service account would do without one in the query string.</Text>
        </RotateForm>
      )}
      shown={(issued, copied, primary) =>
        issued.key === undefined ? (
          <Info>The key was shown when this was first done. Rotate again to get another.</Info>
        ) : (
          <>
            <Notice>
              <b>This key is shown only now.</b> Claviger keeps no copy of it. If it is lost, create another and revoke
              this one.
            </Notice>
            <ShownValue label="Account API key" value={issued.key} primary={primary} onCopied={copied} secret />
          </>
        )
      }
      onSaved={onRotated}
    />
  );
}
