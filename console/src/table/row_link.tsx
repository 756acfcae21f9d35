import { useRouter } from '@tanstack/react-router';
import type { MouseEvent, ReactNode } from 'react';

/** The link of a row's name. Tables have hundreds: unlike Link it doesn't listen to every change of the address. */
export function RowLink({ to, title, children }: { to: string; title: string; children: ReactNode }) {
  const router = useRouter();
  const target = { to } as never;
  const go = (event: MouseEvent) => {
    if (event.button !== 0 || event.ctrlKey || event.metaKey || event.shiftKey || event.altKey) return;
    event.preventDefault();
    void router.navigate(target);
  };
  return (
    <a
      href={router.buildLocation(target).href}
      className="keyname trunc"
      title={title}
      tabIndex={-1}
      onClick={go}
      onMouseEnter={() => void router.preloadRoute(target)}
    >
      {children}
    </a>
  );
}
