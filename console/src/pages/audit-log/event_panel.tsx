import { Drawer } from '@mantine/core';
import { Link } from '@tanstack/react-router';
import { Facts } from '../../shell/page';
import { Moment } from '../../time/when';
import { inWords } from './actions';
import { changes, pageOf, targetOf, whoOf, type AuditEvent } from './words';

const hows: Record<string, string> = {
  session: 'In the console, signed in',
  credential: 'With a credential',
  system: 'Claviger itself',
};

/** One event with everything that is known about it. */
export function EventPanel({ event, onClose }: { event: AuditEvent | undefined; onClose: () => void }) {
  return (
    <Drawer
      opened={event !== undefined}
      onClose={onClose}
      position="right"
      size={620}
      title={event ? inWords(event.action) : ''}
      closeButtonProps={{ 'aria-label': 'Close' }}
      transitionProps={{ duration: 0 }}
      className="eventpanel"
    >
      {event && <EventDetails event={event} />}
    </Drawer>
  );
}

function EventDetails({ event }: { event: AuditEvent }) {
  const to = pageOf(event);
  const target = targetOf(event);
  return (
    <div className="stack">
      <Facts
        wide
        items={[
          ['When', <Moment key="at" at={event.at} />],
          ['Who', <Who key="who" event={event} />],
          ['How', hows[event.via]],
          ['Credential used', event.credential_id && <span className="mono">{event.credential_id}</span>],
          ['To what', target && (to ? <Link to={to}>{target}</Link> : target)],
          ['ID', <span className="mono">{event.target.id}</span>],
          ['Organization', event.organization_name ?? event.organization_id],
          ['From address', event.source],
          ['Program', event.user_agent],
        ]}
      />
      <Changes event={event} />
      <Facts
        wide
        items={[
          ['Action', <span className="mono">{event.action}</span>],
          ['Number in the log', String(event.sequence)],
          ['Request', event.request_id && <span className="mono">{event.request_id}</span>],
          ['Fingerprint', <span className="mono">{event.hash}</span>],
          ['Of the one before', <span className="mono">{event.previous_hash}</span>],
        ]}
      />
    </div>
  );
}

export function Who({ event }: { event: AuditEvent }) {
  const name = whoOf(event);
  if (event.actor.type === 'user' && event.actor_tenant_id === event.tenant_id)
    return <Link to={`/users/${event.actor.id}`}>{name}</Link>;
  if (event.actor.type === 'service_account') return <Link to={`/service-accounts/${event.actor.id}`}>{name}</Link>;
  return <>{name}</>;
}

function Changes({ event }: { event: AuditEvent }) {
  const list = changes(event.before, event.after);
  if (list.length === 0) return <p className="muted nochange">No field was changed.</p>;
  return (
    <div className="tscroll changes" tabIndex={0} role="region" aria-label="Before and after">
      <table className="plain">
        <thead>
          <tr>
            <th scope="col">Field</th>
            <th scope="col">Before</th>
            <th scope="col">After</th>
          </tr>
        </thead>
        <tbody>
          {list.map((change) => (
            <tr key={change.field}>
              <th scope="row">{change.field}</th>
              <td>{change.before ?? <span className="muted">–</span>}</td>
              <td className={change.before !== undefined && change.before !== change.after ? 'changed' : undefined}>
                {change.after ?? <span className="muted">–</span>}
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}
