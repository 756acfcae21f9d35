import { Anchor } from '@mantine/core';
import { $api } from '../../api/client';
import { Info, Notice } from '../../state/problem_note';
import { useNow } from '../../time/now';
import { DAY } from '../../time/time';
import { Past } from '../../time/when';
import { counted } from '../../words';
import type { APIKey } from './keys';

/** Whether a key is in use, before it is ended; and how to replace it without an interruption. */
export function InUse({ apiKey, onRotate }: { apiKey: APIKey; onRotate?: () => void }) {
  const now = useNow();
  const usage = $api.useQuery(
    'get',
    '/v1/usage',
    { params: { query: { credential_id: apiKey.id, by: 'hour' } } },
    { placeholderData: undefined, staleTime: 0 },
  );
  if (usage.isPending) return <Info>Finding out whether it is in use.</Info>;
  const calls = usage.data?.items.reduce((sum, hour) => sum + hour.valid, 0) ?? 0;
  const last = apiKey.last_used_at ? new Date(apiKey.last_used_at) : undefined;
  const instead = onRotate && (
    <>
      {' '}
      To replace it without an interruption,{' '}
      <Anchor component="button" type="button" inherit c="inherit" underline="always" onClick={onRotate}>
        rotate it
      </Anchor>{' '}
      instead.
    </>
  );
  if (calls > 0) {
    return (
      <Notice>
        <b>It is in use:</b> {counted(calls, 'call', 'calls')} in the last 24 hours
        {last && (
          <>
            , the latest <Past at={apiKey.last_used_at} />
          </>
        )}
        .{instead}
      </Notice>
    );
  }
  if (!last) return <Info>It has never been used.</Info>;
  if (now.getTime() - last.getTime() < 7 * DAY) {
    return (
      <Notice>
        <b>It may be in use:</b> the last call was <Past at={apiKey.last_used_at} />.{instead}
      </Notice>
    );
  }
  return (
    <Info>
      It was last used <Past at={apiKey.last_used_at} />.
    </Info>
  );
}
