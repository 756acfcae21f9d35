import MiniSearch from 'minisearch';
import texts from 'virtual:help-texts';
import { excerpt, type Section, sectionsOf } from './sections';

export interface Hit extends Section {
  excerpt: string;
}

const sections = texts.flatMap(({ page, text }) => sectionsOf(page, text));
const byID = new Map(sections.map((section) => [section.id, section]));
const index = new MiniSearch<Section>({
  fields: ['title', 'heading', 'text'],
  searchOptions: {
    prefix: true,
    fuzzy: (term) => (term.length > 4 ? 0.2 : false),
    boost: { title: 4, heading: 3 },
    combineWith: 'AND',
    // Why something was decided is what people look for last.
    boostDocument: (id) => (String(id).startsWith('decisions/') || String(id).startsWith('behaviours') ? 0.4 : 1),
  },
});
index.addAll(sections);

/** The parts of pages that have all the words, best first. */
export function find(words: string): Hit[] {
  return index
    .search(words)
    .slice(0, 12)
    .flatMap((hit) => {
      const section = byID.get(String(hit.id));
      return section ? [{ ...section, excerpt: excerpt(section.text, hit.terms) }] : [];
    });
}
