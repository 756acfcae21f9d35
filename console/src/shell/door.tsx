import type { ReactNode } from 'react';
import { Brand } from './brand';
import { useTitle } from './page_head';

/** What people see who aren't signed in: one card. */
export function Door({ title, children }: { title: string; children: ReactNode }) {
  useTitle(title);
  return (
    <main className="door">
      <div className="doorcard">
        <Brand />
        <h1>{title}</h1>
        {children}
      </div>
    </main>
  );
}
