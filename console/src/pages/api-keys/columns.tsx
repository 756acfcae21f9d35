import { IconBuilding, IconUser } from '@tabler/icons-react';
import { ExceptionBadge, OriginBadge } from '../../state/badge';
import { PhoneLine } from '../../state/phone_line';
import type { Column } from '../../table/data_table';
import { RowLink } from '../../table/row_link';
import { past } from '../../time/time';
import { useNow } from '../../time/now';
import { Ahead, endsSoon, Expiry, Past } from '../../time/when';
import { type APIKey, called, ownerOf, rotating } from './keys';

export const pageOf = (key: { id: string }) => `/settings/api-keys/${key.id}`;

/** A person's key or an organization's. */
export const iconOf = (key: APIKey) => (key.kind === 'organization_key' ? IconBuilding : IconUser);

/** What is to be told of a key in lists: only exceptions. */
export function KeyBadge({ apiKey }: { apiKey: APIKey }) {
  const now = useNow();
  return (
    <>
      <OriginBadge of={apiKey} />
      <ExceptionBadge
        state={apiKey.deleted_at ? 'deleted' : apiKey.state}
        from={apiKey.not_before}
        rotating={rotating(apiKey, now)}
      />
    </>
  );
}

/** A text that may be cut off; the whole of it on hovering. */
function Cut({ children, className = '' }: { children: string; className?: string }) {
  return (
    <span className={`trunc ${className}`} title={children}>
      {children}
    </span>
  );
}

export const columns: Column<APIKey>[] = [
  {
    title: 'Name',
    sort: 'name',
    cell: (key) => (
      <span className="namewith">
        <RowLink to={pageOf(key)} title={key.name}>
          {key.name}
        </RowLink>
        <KeyBadge apiKey={key} />
      </span>
    ),
  },
  { title: 'Organization', sort: 'organization', width: 132, cell: (key) => <Cut>{key.organization_name ?? ''}</Cut> },
  {
    title: 'Owner',
    sort: 'owner',
    width: 134,
    cell: (key) => <Cut className={key.kind === 'organization_key' ? 'muted' : ''}>{ownerOf(key)}</Cut>,
  },
  { title: 'Expiration date', sort: 'expires_at', width: 186, cell: (key) => <Expiry at={key.expires_at} /> },
  { title: 'Created by', sort: 'created_by', width: 134, cell: (key) => <Cut>{called(key.created_by)}</Cut> },
  {
    title: 'Key',
    width: 152,
    cell: (key) =>
      key.hint ? (
        <span className="mono keytext trunc" title={key.hint}>
          {key.hint}
        </span>
      ) : (
        <span className="muted">–</span>
      ),
  },
  { title: 'Last used', sort: 'last_used_at', width: 108, cell: (key) => <Past at={key.last_used_at} /> },
];

/** Below the name on a phone: whose it is, and when it ends or was used. */
export function PhoneAbout({ apiKey }: { apiKey: APIKey }) {
  const now = useNow();
  const whose = apiKey.kind === 'organization_key' ? apiKey.organization_name : called(apiKey.owner);
  if (apiKey.expires_at && endsSoon(apiKey.expires_at, now)) {
    return (
      <PhoneLine what={whose}>
        <span className="warn strong">
          expires <Ahead at={apiKey.expires_at} />
        </span>
      </PhoneLine>
    );
  }
  const used = apiKey.last_used_at ? past(new Date(apiKey.last_used_at), now) : 'never';
  return <PhoneLine what={whose}>used {used}</PhoneLine>;
}
