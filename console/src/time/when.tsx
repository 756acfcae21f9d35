import { Tooltip } from '@mantine/core';
import { IconClockExclamation } from '@tabler/icons-react';
import { useEffect, useRef, useState } from 'react';
import { ahead, DAY, day, dayAndClock, exact, past } from './time';
import { useNow } from './now';

const RESTS = 300; // ms until the pointer is taken to rest

/** A time, and exactly when that is where the pointer rests on it. Tables have hundreds: the note is made when it is needed. */
function Exact({ at, children, className }: { at: Date; children: string; className?: string }) {
  const time = useRef<HTMLTimeElement>(null);
  const [over, setOver] = useState(false);
  const [rests, setRests] = useState(false);
  useEffect(() => {
    if (!over) return;
    const timer = setTimeout(() => setRests(true), RESTS);
    return () => {
      clearTimeout(timer);
      setRests(false);
    };
  }, [over]);
  return (
    <>
      <time
        ref={time}
        dateTime={at.toISOString()}
        className={className}
        onMouseEnter={() => setOver(true)}
        onMouseLeave={() => setOver(false)}
      >
        {children}
      </time>
      {over && <Tooltip target={time} label={exact(at)} opened={rests} />}
    </>
  );
}

/** When something happened: "14 min ago", "11 Oct 2026"; `absent` when it never did. */
export function Past({ at, absent = 'Never' }: { at?: string | null; absent?: string }) {
  const now = useNow();
  if (!at) return <span className="muted">{absent}</span>;
  const date = new Date(at);
  return <Exact at={date}>{past(date, now)}</Exact>;
}

/** When something was made: "12 May 2026, 09:14". */
export function Moment({ at }: { at: string }) {
  const date = new Date(at);
  return <Exact at={date}>{dayAndClock(date)}</Exact>;
}

/** Whether it ends within 30 days of now. */
export function endsSoon(at: string | null | undefined, now: Date): boolean {
  if (!at) return false;
  const left = new Date(at).getTime() - now.getTime();
  return left > 0 && left <= 30 * DAY;
}

/** How far off something is: "in 5 h", "in 11 days"; the day and hour when it is more than 30 days away or past. */
export function Ahead({ at }: { at: string }) {
  const now = useNow();
  const date = new Date(at);
  const left = ahead(date, now);
  return left ? <Exact at={date}>{left}</Exact> : <Moment at={at} />;
}

/** When something ends, as one of its facts: "18 Dec 2026, in 27 days". */
export function Ends({ at }: { at?: string | null }) {
  const now = useNow();
  if (!at) return <>Never</>;
  const date = new Date(at);
  const left = ahead(date, now);
  return (
    <>
      <Exact at={date}>{day(date)}</Exact>
      {left && `, ${left}`}
    </>
  );
}

/** When something ends: a date, and within 30 days the distance in amber beside it. */
export function Expiry({ at }: { at?: string | null }) {
  const now = useNow();
  if (!at) return <span className="muted">Never</span>;
  const date = new Date(at);
  if (date.getTime() <= now.getTime())
    return (
      <Exact at={date} className="muted">
        {day(date)}
      </Exact>
    );
  if (!endsSoon(at, now)) return <Exact at={date}>{day(date)}</Exact>;
  return (
    <span className="soon">
      <IconClockExclamation size={14} stroke={1.8} aria-hidden />
      <Exact at={date}>{day(date)}</Exact>
      <b>{ahead(date, now)}</b>
    </span>
  );
}
