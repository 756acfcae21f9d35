// Pages of the help are files of docs/ without ".md"; a folder's README is the folder's page.

/** Where a link leads that stands in a page. */
export type Target =
  | { kind: 'page'; page: string; hash: string }
  | { kind: 'console'; to: string }
  | { kind: 'out'; href: string }
  /** A file of the source, which the console does not have. */
  | { kind: 'nowhere' };

/** The address of a page: "guides/README" is /help/guides. */
export function addressOf(page: string): string {
  const short = page.replace(/(^|\/)README$/, '');
  return short === '' ? '/help' : `/help/${short}`;
}

/** The page of an address; undefined when there is none. */
export function pageAt(address: string, pages: readonly string[]): string | undefined {
  const path = address.replace(/^\/+|\/+$/g, '');
  for (const page of [path, path === '' ? 'README' : `${path}/README`]) if (pages.includes(page)) return page;
  return undefined;
}

/** Resolves a link of a page. */
export function resolve(href: string, from: string, pages: readonly string[]): Target {
  if (/^(https?:|mailto:)/i.test(href)) return { kind: 'out', href };
  if (/^[a-z][a-z0-9+.-]*:/i.test(href) || href.startsWith('//')) return { kind: 'nowhere' };
  const [path = '', hash = ''] = href.split('#');
  if (path === '') return { kind: 'page', page: from, hash };
  if (path.startsWith('/')) {
    if (path !== '/help' && !path.startsWith('/help/')) return { kind: 'console', to: href };
    const page = pageAt(path.slice('/help'.length), pages);
    return page === undefined ? { kind: 'nowhere' } : { kind: 'page', page, hash };
  }
  const file = join(from, path);
  const page = file === undefined ? undefined : pageAt(file.replace(/\.md$/, ''), pages);
  return page === undefined ? { kind: 'nowhere' } : { kind: 'page', page, hash };
}

/** The path of a file that a page names; undefined when it is outside of docs/. */
export function join(from: string, path: string): string | undefined {
  const out = from.split('/').slice(0, -1);
  for (const part of path.split('/')) {
    if (part === '..') {
      if (out.pop() === undefined) return undefined;
    } else if (part !== '' && part !== '.') out.push(part);
  }
  return out.join('/');
}

/** The anchor of a heading, as code hosts make it; the second of a name gets -1. */
export function anchors(): (heading: string) => string {
  const seen = new Map<string, number>();
  return (heading) => {
    const plain = heading
      .toLowerCase()
      .replace(/[^\p{L}\p{N}\s_-]/gu, '')
      .trim()
      .replace(/\s/g, '-');
    const times = seen.get(plain) ?? 0;
    seen.set(plain, times + 1);
    return times === 0 ? plain : `${plain}-${times}`;
  };
}
