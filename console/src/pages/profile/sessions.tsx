import { Badge, Button } from '@mantine/core';
import { useState } from 'react';
import { $api, answer, api, type Schema } from '../../api/client';
import { ConfirmDialog } from '../../dialog/dialog';
import { Card } from '../../shell/page';
import { LoadFailed } from '../../state/blank';
import { ProblemNote } from '../../state/problem_note';
import { toast } from '../../state/toast';
import { Moment, Past } from '../../time/when';
import { counted } from '../../words';
import { device } from './device';

type Session = Schema<'Session'>;

/** Where the person is signed in. */
export function SessionsCard() {
  const sessions = $api.useQuery('get', '/v1/sessions');
  const [ending, setEnding] = useState<Session[]>();
  const [failed, setFailed] = useState<string>();
  const list = sessions.data?.items ?? [];
  const others = list.filter((session) => !session.current);

  async function end() {
    const targets = ending ?? [];
    setFailed(undefined);
    const results = await Promise.allSettled(
      targets.map((session) => answer(api.DELETE('/v1/sessions/{id}', { params: { path: { id: session.id } } }))),
    );
    await sessions.refetch();
    const done = results.filter((result) => result.status === 'fulfilled').length;
    if (done > 0) toast(`${counted(done, 'session', 'sessions')} ended`);
    if (done < targets.length) {
      setFailed(`${done} of ${counted(targets.length, 'session', 'sessions')} ended. Try again to end the others.`);
    }
  }
  return (
    <Card
      title="Where you are signed in"
      flush
      actions={
        others.length > 1 && (
          <Button variant="default" onClick={() => setEnding(others)}>
            End all others
          </Button>
        )
      }
    >
      {sessions.isError && !sessions.data && (
        <LoadFailed what="The sessions" error={sessions.error} onRetry={() => void sessions.refetch()} />
      )}
      <ul className="sessions">
        {list.map((session) => (
          <SessionRow key={session.id} session={session} onEnd={() => setEnding([session])} />
        ))}
      </ul>
      {failed && (
        <div className="cardb">
          <ProblemNote error={failed} />
        </div>
      )}
      <ConfirmDialog
        open={ending !== undefined}
        onClose={() => setEnding(undefined)}
        title={
          ending?.length === 1
            ? `End the session in ${device(ending[0]!.user_agent)}?`
            : `End ${counted(ending?.length ?? 0, 'session', 'sessions')}?`
        }
        action={ending?.length === 1 ? 'End session' : 'End sessions'}
        onConfirm={end}
      >
        <span>Whoever uses {ending?.length === 1 ? 'it' : 'them'} must sign in again.</span>
      </ConfirmDialog>
    </Card>
  );
}

function SessionRow({ session, onEnd }: { session: Session; onEnd: () => void }) {
  const name = device(session.user_agent);
  return (
    <li>
      <div className="grow">
        <span className="namewith">
          <span className="strong trunc" title={session.user_agent}>
            {name}
          </span>
          {session.current && <Badge color="green">This device</Badge>}
        </span>
        <div className="muted sessionabout">
          {session.source && <span className="mono">{session.source} · </span>}
          last used <Past at={session.last_seen_at} /> · since <Moment at={session.created_at} />
        </div>
      </div>
      {!session.current && (
        <Button variant="default" color="red" onClick={onEnd} aria-label={`End the session in ${name}`}>
          End
        </Button>
      )}
    </li>
  );
}
