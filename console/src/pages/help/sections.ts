import { anchors } from './links';

/** A part of a page under one heading: what a search finds. */
export interface Section {
  id: string;
  page: string;
  title: string;
  heading: string;
  anchor: string;
  text: string;
}

/** Cuts a page at its headings of the first three levels. */
export function sectionsOf(page: string, markdown: string): Section[] {
  const anchor = anchors();
  const out: Section[] = [];
  let title = page;
  let code = false;
  for (const line of markdown.split('\n')) {
    if (line.startsWith('```')) code = !code;
    const heading = code ? null : /^(#{1,6}) (.+)$/.exec(line);
    if (heading) {
      const text = plain(heading[2]!);
      // Deeper headings use up their anchors all the same.
      const at = anchor(text);
      if (heading[1] === '#') title = text;
      if (heading[1]!.length <= 3) {
        const first = heading[1] === '#';
        out.push({
          id: `${page}#${at}`,
          page,
          title,
          heading: first ? '' : text,
          anchor: first ? '' : at,
          text: '',
        });
        continue;
      }
    }
    const last = out.at(-1);
    if (last && !line.startsWith('```')) last.text += `${plain(line)}\n`;
  }
  return out;
}

function plain(markdown: string): string {
  return markdown
    .replace(/!?\[([^\]]*)\]\([^)]*\)/g, '$1')
    .replace(/[`*|]|^[>#-] ?|:?-{3,}:?/g, ' ')
    .replace(/\s+/g, ' ')
    .trim();
}

/** The words around the first that was searched for. */
export function excerpt(text: string, terms: readonly string[], length = 130): string {
  const flat = text.replace(/\s+/g, ' ').trim();
  const lower = flat.toLowerCase();
  const found = terms.map((term) => lower.indexOf(term.toLowerCase())).filter((at) => at >= 0);
  const at = found.length > 0 ? Math.min(...found) : 0;
  let from = Math.max(0, at - 40);
  if (from > 0) from = flat.indexOf(' ', from) + 1;
  const cut = flat.slice(from, from + length);
  return `${from > 0 ? '… ' : ''}${cut}${from + length < flat.length ? ' …' : ''}`;
}
