import { Button } from '@mantine/core';
import { IconTrash } from '@tabler/icons-react';
import { useNavigate, useParams } from '@tanstack/react-router';
import { useState } from 'react';
import { $api } from '../../api/client';
import { RotationNote, useRotation } from '../../dialog/rotation';
import { Code, ShownValue } from '../../dialog/secret';
import { useMe } from '../../session/me';
import { Card, Facts, Page } from '../../shell/page';
import { PageHead } from '../../shell/page_head';
import { StateBadge } from '../../state/badge';
import { ObjectPage } from '../../state/object_page';
import { ProblemNote } from '../../state/problem_note';
import { Expiry, Moment, Past } from '../../time/when';
import { usePermissions } from '../roles/data';
import { type APICredentials, ownerName, whyNotEdit } from './credentials';
import {
  DeleteCredentials,
  EditCredentials,
  resumeCredentials,
  RotateCredentials,
  rotationOf,
  SuspendCredentials,
  tokenExample,
} from './dialogs';

const parent = { label: 'API credentials', to: '/api-credentials' };

/** One pair of API credentials, without the secret. */
export function APICredentialPage() {
  const { id } = useParams({ strict: false }) as { id: string };
  const credentials = $api.useQuery(
    'get',
    '/v1/client-credentials/{id}',
    { params: { path: { id } } },
    { placeholderData: undefined },
  );
  return (
    <ObjectPage
      query={credentials}
      what="API credential"
      things="API credentials"
      parent={parent}
      help="api-credentials"
    >
      {(data) => (
        <Page kind="detail">
          <View credentials={data} />
        </Page>
      )}
    </ObjectPage>
  );
}

type Doing = 'edit' | 'rotate' | 'suspend' | 'delete';

function View({ credentials }: { credentials: APICredentials }) {
  const me = useMe();
  const navigate = useNavigate();
  const [doing, setDoing] = useState<Doing>();
  const [error, setError] = useState<unknown>();
  const why = whyNotEdit(me, credentials);
  const ended = credentials.state === 'revoked' || credentials.state === 'expired';
  const rotation = rotationOf(me, credentials);
  const { open, dialogs } = useRotation(rotation);
  const dialog = (what: Doing) => ({ credentials, open: doing === what, onClose: () => setDoing(undefined) });
  return (
    <>
      <PageHead
        title={credentials.name}
        parent={parent}
        help="api-credentials"
        badge={<StateBadge state={credentials.state} from={credentials.not_before} />}
        sub={why}
      >
        {!why && (
          <>
            <Button variant="default" onClick={() => setDoing('edit')}>
              Edit
            </Button>
            <Button variant="default" onClick={() => setDoing('rotate')}>
              Rotate
            </Button>
          </>
        )}
        {credentials.state === 'suspended' && (
          <Button
            variant="default"
            onClick={() => void resumeCredentials(credentials).then(() => setError(undefined), setError)}
          >
            Resume
          </Button>
        )}
        {!ended && credentials.state !== 'suspended' && (
          <Button variant="default" onClick={() => setDoing('suspend')}>
            Suspend
          </Button>
        )}
        <Button
          variant="outline"
          color="red"
          leftSection={<IconTrash size={16} stroke={1.7} aria-hidden />}
          onClick={() => setDoing('delete')}
        >
          Delete API credentials
        </Button>
      </PageHead>
      {error !== undefined && (
        <div className="listproblem">
          <ProblemNote error={error} />
        </div>
      )}
      <div className="split">
        <div className="stack">
          <Card title="Credentials">
            <div className="stack">
              <ShownValue label="Client ID" value={credentials.client_id} />
              <div>
                <span className="fieldlabel">Client secret</span>
                <div className="secret">
                  <span className="val masked">{credentials.hint}</span>
                </div>
              </div>
            </div>
            <p className="muted small">
              The secret was shown once, and Claviger keeps no copy of it. If it is lost, rotate the credentials.
            </p>
            {!ended && <RotationNote rotation={rotation} onOpen={open} />}
          </Card>
          <Scopes scopes={credentials.scopes} />
          <Card title="Get a token">
            <Code label="How to get a token">{tokenExample(credentials)}</Code>
          </Card>
        </div>
        <div className="stack">
          <Details credentials={credentials} />
        </div>
      </div>
      <EditCredentials {...dialog('edit')} />
      <RotateCredentials {...dialog('rotate')} />
      <SuspendCredentials {...dialog('suspend')} />
      <DeleteCredentials {...dialog('delete')} onDeleted={() => navigate({ to: '/api-credentials' })} />
      {dialogs}
    </>
  );
}

function Scopes({ scopes }: { scopes: readonly string[] }) {
  const { known } = usePermissions();
  return (
    <Card title="Scopes" note={`${scopes.length} chosen`} flush>
      <ul className="heldroles">
        {scopes.map((scope) => (
          <li key={scope}>
            <div className="grow">
              <span className="strong">{known.get(scope)?.label ?? scope}</span>
              <span className="muted grants mono">{scope}</span>
            </div>
          </li>
        ))}
      </ul>
    </Card>
  );
}

function Details({ credentials }: { credentials: APICredentials }) {
  const maker = credentials.created_by;
  return (
    <Card title="Details">
      <Facts
        items={[
          ['Owner', ownerName(credentials)],
          ['Organization', credentials.organization_name],
          ['Created by', maker.display_name || maker.name],
          ['Created', <Moment key="created" at={credentials.created_at} />],
          ['Last used', <Past key="used" at={credentials.last_used_at} />],
          ['Valid from', credentials.not_before && <Moment key="from" at={credentials.not_before} />],
          ['Expires', <Expiry key="expires" at={credentials.expires_at} />],
          [
            'Networks',
            credentials.networks.length > 0 && (
              <span key="networks" className="mono">
                {credentials.networks.join(' ')}
              </span>
            ),
          ],
          [
            'External ID',
            credentials.external_id && (
              <span key="external" className="mono">
                {credentials.external_id}
              </span>
            ),
          ],
          [
            'ID',
            <span key="id" className="mono">
              {credentials.id}
            </span>,
          ],
        ]}
      />
    </Card>
  );
}
