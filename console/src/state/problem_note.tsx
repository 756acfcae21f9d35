import { IconAlertCircle, IconAlertTriangle, IconInfoCircle } from '@tabler/icons-react';
import type { ReactNode } from 'react';
import { problemOf } from '../api/problem';

/** Something to know before going on, in amber. */
export function Notice({ children }: { children: ReactNode }) {
  return (
    <div className="notice" role="note">
      <IconAlertTriangle size={16} stroke={1.8} aria-hidden />
      <span>{children}</span>
    </div>
  );
}

/** Something worth knowing, in grey. */
export function Info({ children }: { children: ReactNode }) {
  return (
    <div className="notice plain" role="note">
      <IconInfoCircle size={16} stroke={1.8} aria-hidden />
      <span>{children}</span>
    </div>
  );
}

/** What went wrong, where it arose: a problem or a text. Nothing when there is none. */
export function ProblemNote({ error }: { error: unknown }) {
  if (!error) return null;
  return (
    <div className="notice bad" role="alert">
      <IconAlertCircle size={16} stroke={1.8} aria-hidden />
      <span>{typeof error === 'string' ? error : problemOf(error).detail}</span>
    </div>
  );
}
