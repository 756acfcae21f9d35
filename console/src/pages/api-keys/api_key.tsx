import { Button, Text } from '@mantine/core';
import { Link, useNavigate, useParams } from '@tanstack/react-router';
import { useState } from 'react';
import { $api } from '../../api/client';
import { RotationNote, useRotation } from '../../dialog/rotation';
import { RecoverableSecret } from '../../dialog/secret';
import { can, type Me, useMe } from '../../session/me';
import { Card, Facts, Page } from '../../shell/page';
import { PageHead } from '../../shell/page_head';
import { ExpiresBadge, OriginBadge, originOf, StateBadge } from '../../state/badge';
import { ObjectPage } from '../../state/object_page';
import { Expiry, Moment, Past } from '../../time/when';
import { kinds } from '../../words';
import { reveal, rotationOf, useKeyDialogs } from './key_dialogs';
import { type APIKey, called, isOwner, living, whyNotChange, whyNotRotate } from './keys';
import { Restrictions, RestrictionsDialog } from './limits';
import { UsageCard } from './usage_card';

const parent = { label: 'API Keys', to: '/settings/api-keys' };
const help = 'api-keys';

/** One key: the key itself where it is kept, its use, its details. */
export function APIKeyPage() {
  const { id } = useParams({ strict: false }) as { id: string };
  const key = $api.useQuery('get', '/v1/api-keys/{id}', { params: { path: { id } } }, { placeholderData: undefined });
  return (
    <ObjectPage query={key} what="key" title="API key" things="API keys" parent={parent} help={help}>
      {(data) => <KeyPage apiKey={data} />}
    </ObjectPage>
  );
}

function KeyPage({ apiKey }: { apiKey: APIKey }) {
  const navigate = useNavigate();
  const me = useMe();
  const { show, dialogs } = useKeyDialogs(() => void navigate({ to: '/settings/api-keys' }));
  const [restricting, setRestricting] = useState(false);
  const ofOrganization = apiKey.kind === 'organization_key';
  const alive = living(apiKey);
  const changes = whyNotChange(me, apiKey) === undefined;
  return (
    <Page kind="detail">
      <PageHead
        title={apiKey.name}
        parent={parent}
        help={help}
        badge={
          <>
            <StateBadge state={apiKey.deleted_at ? 'deleted' : apiKey.state} from={apiKey.not_before} />
            <OriginBadge of={apiKey} />
            {alive && <ExpiresBadge at={apiKey.expires_at} />}
          </>
        }
      >
        {changes && alive && (
          <>
            <Button variant="default" onClick={() => show(ofOrganization ? 'edit' : 'rename', apiKey)}>
              {ofOrganization ? 'Edit' : 'Edit name'}
            </Button>
            {whyNotRotate(me, apiKey) === undefined && (
              <Button variant="default" onClick={() => show('rotate', apiKey)}>
                Rotate
              </Button>
            )}
            <Button variant="default" onClick={() => show(apiKey.state === 'active' ? 'suspend' : 'resume', apiKey)}>
              {apiKey.state === 'active' ? 'Suspend' : 'Resume'}
            </Button>
            <Button variant="outline" color="red" onClick={() => show(ofOrganization ? 'delete' : 'revoke', apiKey)}>
              {ofOrganization ? 'Delete' : 'Revoke'}
            </Button>
          </>
        )}
        {changes && apiKey.state === 'revoked' && !apiKey.deleted_at && (
          <Button variant="outline" color="red" onClick={() => show('delete', apiKey)}>
            Delete
          </Button>
        )}
      </PageHead>
      <div className="split">
        <div className="stack">
          <KeyCard apiKey={apiKey} />
          <UsageCard id={apiKey.id} />
        </div>
        <div className="stack">
          <DetailsCard apiKey={apiKey} />
          <Card
            title="Networks and limits"
            actions={
              ofOrganization &&
              alive && (
                <Button variant="default" size="compact-sm" onClick={() => setRestricting(true)}>
                  Edit
                </Button>
              )
            }
          >
            <Restrictions apiKey={apiKey} />
          </Card>
        </div>
      </div>
      <RestrictionsDialog apiKey={apiKey} open={restricting} onClose={() => setRestricting(false)} />
      {dialogs}
    </Page>
  );
}

/** The key itself: of an organization it can be shown again, of a person it can't. */
function KeyCard({ apiKey }: { apiKey: APIKey }) {
  const me = useMe();
  const alive = living(apiKey);
  const rotation = rotationOf(me, apiKey);
  const { open, dialogs } = useRotation(rotation);
  return (
    <Card title="Key">
      {apiKey.recoverable && alive ? (
        <>
          <RecoverableSecret
            key={apiKey.secret_version}
            label="API key"
            masked={apiKey.hint}
            reveal={() => reveal(apiKey.id)}
          />
          <Text size="xs" c="dimmed" mt={8}>
            Showing or copying asks for your password again and is written to the audit log.
          </Text>
        </>
      ) : (
        <>
          <div className="secret">
            <span className="val masked">{apiKey.hint}</span>
          </div>
          <Text size="xs" c="dimmed" mt={8}>
            {whereItIs(me, apiKey)}
          </Text>
        </>
      )}
      {alive && whyNotChange(me, apiKey) === undefined && <RotationNote rotation={rotation} onOpen={open} />}
      {dialogs}
    </Card>
  );
}

/** What became of a key that is not shown again. */
function whereItIs(me: Me, apiKey: APIKey): string {
  if (!living(apiKey)) return 'It has ended, and its secret is destroyed.';
  const told = originOf(apiKey) ?? 'It was shown when it was made.';
  const kept = 'Claviger keeps no copy of it';
  return isOwner(me, apiKey) && !apiKey.imported ? `${told} ${kept}: if it is lost, rotate it.` : `${told} ${kept}.`;
}

function DetailsCard({ apiKey }: { apiKey: APIKey }) {
  const me = useMe();
  const user = apiKey.kind === 'user_key';
  const readsUsers = can(me, 'claviger.users:read', 'claviger.users:manage');
  return (
    <Card title="Details">
      <Facts
        items={[
          ['Kind', kinds[apiKey.kind]],
          [
            'Owner',
            !user ? undefined : readsUsers ? (
              <Link key="o" to={`/users/${apiKey.owner.id}`}>
                {called(apiKey.owner)}
              </Link>
            ) : (
              called(apiKey.owner)
            ),
          ],
          [
            'User ID',
            !user ? undefined : (
              <span key="u" className="mono">
                {apiKey.owner.id}
              </span>
            ),
          ],
          ['Organization', apiKey.organization_name],
          ['Created by', called(apiKey.created_by)],
          ['Created', <Moment key="c" at={apiKey.created_at} />],
          ['Works from', apiKey.not_before && <Moment at={apiKey.not_before} />],
          ['Expires', <Expiry key="e" at={apiKey.expires_at} />],
          ['Ended', apiKey.ended_at && <Moment at={apiKey.ended_at} />],
          ['Last used', <Past key="l" at={apiKey.last_used_at} />],
          ['Rotated', apiKey.secret_version > 1 ? times(apiKey.secret_version - 1) : undefined],
          ['External ID', apiKey.external_id && <span className="mono">{apiKey.external_id}</span>],
          [
            'ID',
            <span key="i" className="mono">
              {apiKey.id}
            </span>,
          ],
        ]}
      />
    </Card>
  );
}

function times(n: number): string {
  return n === 1 ? 'Once' : n === 2 ? 'Twice' : `${n} times`;
}
