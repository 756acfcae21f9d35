import type { ReactNode } from 'react';

/**
 * The room of a page. `fill`: a table that fills the window; `detail`: two columns, 1,240
 * px; `settings`: forms with a table, 760 px; `form`: 560 px.
 */
export function Page({
  kind = 'fill',
  children,
}: {
  kind?: 'fill' | 'plain' | 'detail' | 'settings' | 'form';
  children: ReactNode;
}) {
  const names = {
    fill: 'page fill',
    plain: 'page',
    detail: 'page narrow',
    settings: 'page settings',
    form: 'page form',
  };
  return <div className={names[kind]}>{children}</div>;
}

/** A card with a heading: one 1 px line, no shadow. */
export function Card({
  title,
  note,
  actions,
  children,
  flush,
}: {
  title?: string;
  note?: ReactNode;
  actions?: ReactNode;
  children: ReactNode;
  /** Without padding: the content has its own, as tables do. */
  flush?: boolean;
}) {
  return (
    <section className="card" aria-label={title}>
      {title && (
        <div className="cardh">
          <h2>{title}</h2>
          {note && <span className="muted note">{note}</span>}
          {actions && <div className="cardactions">{actions}</div>}
        </div>
      )}
      <div className={flush ? undefined : 'cardb'}>{children}</div>
    </section>
  );
}

/** Facts: names left, values right. Empty values are left out. */
export function Facts({ items, wide }: { items: [string, ReactNode][]; wide?: boolean }) {
  return (
    <dl className={wide ? 'kv wide' : 'kv'}>
      {items
        .filter(([, value]) => value !== undefined && value !== null && value !== false && value !== '')
        .map(([name, value]) => (
          <div key={name}>
            <dt>{name}</dt>
            <dd>{value}</dd>
          </div>
        ))}
    </dl>
  );
}
