import type { ReactNode } from 'react';
import { Past } from '../time/when';

interface PhoneLineProps {
  /** Whose or what it is: cut off where there is no room. */
  what?: ReactNode;
  /** What is never cut off. */
  children: ReactNode;
}

/** The last line of a row on a phone. */
export function PhoneLine({ what, children }: PhoneLineProps) {
  return (
    <span className="phoneline">
      {what && <span className="trunc">{what}</span>}
      <span className="fixed">
        {what && ' · '}
        {children}
      </span>
    </span>
  );
}

/** "used 14 min ago", "never used" */
export function Used({ at }: { at?: string | null }) {
  if (!at) return 'never used';
  return (
    <>
      used <Past at={at} />
    </>
  );
}
