import { $api } from '../../api/client';
import { problemOf } from '../../api/problem';
import { Card } from '../../shell/page';
import { ProblemNote } from '../../state/problem_note';
import { DAY, day } from '../../time/time';
import { useNow } from '../../time/now';
import { counted, number } from '../../words';

const days = 30;

interface Bar {
  at: Date;
  valid: number;
  denied: number;
}

/** How often a key was used on each of the last 30 days, and why it was refused. */
export function UsageCard({ id }: { id: string }) {
  const now = useNow();
  const to = new Date(Math.ceil(now.getTime() / DAY) * DAY);
  const from = new Date(to.getTime() - days * DAY);
  const { data, error, isPending } = $api.useQuery(
    'get',
    '/v1/usage',
    { params: { query: { credential_id: id, by: 'day', from: from.toISOString(), to: to.toISOString() } } },
    { placeholderData: undefined },
  );
  if (error && problemOf(error).status === 403) return null;
  const bars: Bar[] = Array.from({ length: days }, (_, i) => ({
    at: new Date(from.getTime() + i * DAY),
    valid: 0,
    denied: 0,
  }));
  const reasons: Record<string, number> = {};
  for (const period of data?.items ?? []) {
    const bar = bars[Math.round((new Date(period.at).getTime() - from.getTime()) / DAY)];
    if (!bar) continue;
    bar.valid = period.valid;
    for (const [code, n] of Object.entries(period.denied ?? {})) {
      bar.denied += n;
      reasons[code] = (reasons[code] ?? 0) + n;
    }
  }
  const valid = bars.reduce((sum, bar) => sum + bar.valid, 0);
  const denied = bars.reduce((sum, bar) => sum + bar.denied, 0);
  return (
    <Card
      title="Usage"
      note={
        valid + denied > 0 &&
        `${counted(valid + denied, 'call', 'calls')} in the last 30 days, ${number(denied)} refused`
      }
    >
      {error ? (
        <ProblemNote error={error} />
      ) : valid + denied === 0 ? (
        <p className="muted usagenone">{isPending ? '' : 'No call with this key in the last 30 days.'}</p>
      ) : (
        <>
          <UsageBars bars={bars} />
          {denied > 0 && (
            <ul className="usagereasons" aria-label="Why calls were refused">
              {Object.entries(reasons)
                .sort((a, b) => b[1] - a[1])
                .map(([code, n]) => (
                  <li key={code}>
                    <b>{number(n)}</b> {deniedWords[code] ?? code.toLowerCase().replaceAll('_', ' ')}
                  </li>
                ))}
            </ul>
          )}
        </>
      )}
    </Card>
  );
}

/** Why calls were refused, for people. */
const deniedWords: Record<string, string> = {
  NOT_FOUND: 'with a wrong or replaced secret',
  TENANT_SUSPENDED: 'while the tenant was suspended',
  REVOKED: 'after it was revoked',
  SUSPENDED: 'while it, its owner or its organization was suspended',
  NOT_YET_VALID: 'before it began to work',
  EXPIRED: 'after it expired',
  WRONG_KIND: 'where another kind of key is needed',
  FORBIDDEN: 'from another network, or while the plan had no API access',
  INSUFFICIENT_PERMISSIONS: 'without the permission',
  RATE_LIMITED: 'too fast, above its rate',
  USAGE_EXCEEDED: 'above its quota',
};

function UsageBars({ bars }: { bars: Bar[] }) {
  const most = Math.max(...bars.map((bar) => bar.valid + bar.denied));
  return (
    <>
      <div className="usagebars" aria-hidden>
        {bars.map((bar) => (
          <div key={bar.at.getTime()} className="usagebar" title={told(bar)}>
            <span className="deniedpart" style={{ height: `${(100 * bar.denied) / most}%` }} />
            <span className="validpart" style={{ height: `${(100 * bar.valid) / most}%` }} />
          </div>
        ))}
      </div>
      <div className="usageaxis muted" aria-hidden>
        <span>{day(bars[0]!.at)}</span>
        <span>{`Most on a day: ${number(most)}`}</span>
        <span>{day(bars.at(-1)!.at)}</span>
      </div>
      <ul className="hidden" aria-label="Calls by day">
        {bars
          .filter((bar) => bar.valid + bar.denied > 0)
          .map((bar) => (
            <li key={bar.at.getTime()}>{told(bar)}</li>
          ))}
      </ul>
    </>
  );
}

function told(bar: Bar): string {
  return `${day(bar.at)}: ${number(bar.valid)} let through${bar.denied > 0 ? `, ${number(bar.denied)} refused` : ''}`;
}
