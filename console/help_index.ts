import fs from 'node:fs';
import path from 'node:path';
import type { Plugin } from 'vite';

const docs = path.resolve(import.meta.dirname, '../docs');

/**
 * What the help page must know before it loads a page: the titles of all pages, and, for
 * searching only, their texts. Both are made from docs/ when the console is built.
 */
export function helpIndex(): Plugin {
  const modules: Record<string, (texts: [string, string][]) => unknown> = {
    'virtual:help-titles': (texts) => texts.map(([page, text]) => ({ page, title: titleOf(text) ?? page })),
    'virtual:help-texts': (texts) => texts.map(([page, text]) => ({ page, text })),
  };
  return {
    name: 'help-index',
    resolveId: (id) => (id in modules ? `\0${id}` : undefined),
    load(id) {
      const make = id.startsWith('\0') ? modules[id.slice(1)] : undefined;
      if (!make) return undefined;
      const texts = pages().map((page): [string, string] => {
        const file = path.join(docs, `${page}.md`);
        this.addWatchFile(file);
        return [page, fs.readFileSync(file, 'utf8')];
      });
      return `export default ${JSON.stringify(make(texts))}`;
    },
  };
}

function pages(): string[] {
  return fs
    .readdirSync(docs, { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith('.md'))
    .map((file) => file.replaceAll(path.sep, '/').slice(0, -'.md'.length))
    .sort();
}

function titleOf(text: string): string | undefined {
  return /^# (.+)$/m.exec(text)?.[1]?.replaceAll('`', '');
}
