import { Badge, Tooltip } from '@mantine/core';
import { IconClockExclamation, IconPlayerPause } from '@tabler/icons-react';
import { useNow } from '../time/now';
import { Ahead, endsSoon } from '../time/when';

interface StateProps {
  state: string;
  /** From when it works; absent: from the beginning. */
  from?: string | null;
}

/** The state of something on its own page, where every state is told. */
export function StateBadge({ state, from }: StateProps) {
  const now = useNow();
  switch (state) {
    case 'active':
      return waits(from, now) ? <NotYetBadge /> : <Badge color="green">Active</Badge>;
    case 'suspended':
      return <SuspendedBadge />;
    case 'revoked':
      return <Badge color="red">Revoked</Badge>;
    case 'expired':
      return <Badge color="gray">Expired</Badge>;
    case 'deleted':
      return <Badge color="gray">Deleted</Badge>;
    default:
      return null;
  }
}

function waits(from: StateProps['from'], now: Date): boolean {
  return !!from && new Date(from) > now;
}

function NotYetBadge() {
  return (
    <Badge color="gray" variant="outline" className="quietbadge">
      Not yet valid
    </Badge>
  );
}

function SuspendedBadge() {
  return (
    <Badge
      color="gray"
      variant="outline"
      className="quietbadge"
      leftSection={<IconPlayerPause size={11} aria-hidden />}
    >
      Suspended
    </Badge>
  );
}

/** In lists only exceptions carry a badge: active ones have none. */
export function ExceptionBadge({ state, from, rotating }: StateProps & { rotating?: boolean }) {
  const now = useNow();
  if (state !== 'active') return <StateBadge state={state} />;
  if (waits(from, now)) return <NotYetBadge />;
  return rotating ? <Badge color="ink">Rotating</Badge> : null;
}

/** Marks what still works and should not be used for anything new. */
export function DeprecatedBadge() {
  return <Badge color="amber">Deprecated</Badge>;
}

interface Origin {
  imported?: boolean;
  weak?: boolean;
}

/** What it means that another system made a key; nothing for keys that were made here. */
export function originOf({ imported, weak }: Origin): string | undefined {
  if (weak)
    return 'Another system made this key, and it is weaker than 112 bits. It works, but guessing at it is slowed down. Rotated, it is as strong as any.';
  return imported ? 'Another system made this key. Rotated, it is one of Claviger’s.' : undefined;
}

/** Marks a key that was brought in from another system, and one that is weak. */
export function OriginBadge({ of }: { of: Origin }) {
  const words = originOf(of);
  if (!words) return null;
  return (
    <Tooltip label={words} multiline w={280}>
      {of.weak ? (
        <Badge color="amber">Weak</Badge>
      ) : (
        <Badge color="gray" variant="outline" className="quietbadge">
          Imported
        </Badge>
      )}
    </Tooltip>
  );
}

/** On a page of its own: how soon it expires, within 30 days. */
export function ExpiresBadge({ at }: { at?: string | null }) {
  const now = useNow();
  if (!at || !endsSoon(at, now)) return null;
  return (
    <Badge color="amber" leftSection={<IconClockExclamation size={11} aria-hidden />}>
      Expires <Ahead at={at} />
    </Badge>
  );
}
