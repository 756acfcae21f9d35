import type { Organization } from '../../shell/organizations';

/** The tree, made of a flat list. */
export interface Tree {
  roots: Organization[];
  children: ReadonlyMap<string, Organization[]>;
  byID: ReadonlyMap<string, Organization>;
}

/** One line of the tree as it is shown. */
export interface Line {
  organization: Organization;
  level: number; // from 1
  position: number; // from 1, among its siblings
  siblings: number;
  expandable: boolean;
  expanded: boolean;
  /** Found by the search, as opposed to standing above what was found. */
  found: boolean;
}

const names = new Intl.Collator('en', { numeric: true, sensitivity: 'base' });

export function treeOf(list: readonly Organization[]): Tree {
  const byID = new Map(list.map((o) => [o.id, o]));
  const children = new Map<string, Organization[]>();
  const roots: Organization[] = [];
  for (const o of list) {
    if (o.parent_id === undefined || !byID.has(o.parent_id)) {
      roots.push(o);
      continue;
    }
    const siblings = children.get(o.parent_id);
    if (siblings) siblings.push(o);
    else children.set(o.parent_id, [o]);
  }
  const byName = (a: Organization, b: Organization) => names.compare(a.name, b.name);
  roots.sort(byName);
  for (const siblings of children.values()) siblings.sort(byName);
  return { roots, children, byID };
}

/** Which are found by part of their name, external ID or whole ID, and those above them; undefined: nothing is searched. */
export function search(tree: Tree, text: string): { found: Set<string>; shown: Set<string> } | undefined {
  const needle = text.trim().toLowerCase();
  if (needle === '') return undefined;
  const found = new Set<string>();
  const shown = new Set<string>();
  for (const o of tree.byID.values()) {
    if (!o.name.toLowerCase().includes(needle) && !o.external_id?.toLowerCase().includes(needle) && o.id !== needle)
      continue;
    found.add(o.id);
    for (const id of o.path) if (tree.byID.has(id)) shown.add(id);
  }
  return { found, shown };
}

/** The lines in the order in which they stand; a search opens whatever leads to what it finds. */
export function linesOf(tree: Tree, expanded: ReadonlySet<string>, searched: ReturnType<typeof search>): Line[] {
  const lines: Line[] = [];
  const shown = (list: readonly Organization[]) => (searched ? list.filter((o) => searched.shown.has(o.id)) : list);
  const walk = (siblings: readonly Organization[], level: number) => {
    siblings.forEach((organization, i) => {
      const below = shown(tree.children.get(organization.id) ?? []);
      const open = below.length > 0 && (searched !== undefined || expanded.has(organization.id));
      lines.push({
        organization,
        level,
        position: i + 1,
        siblings: siblings.length,
        expandable: below.length > 0,
        expanded: open,
        found: searched === undefined || searched.found.has(organization.id),
      });
      if (open) walk(below, level + 1);
    });
  };
  walk(shown(tree.roots), 1);
  return lines;
}

/** Where a key leads in the tree: another line, or opening and closing this one. */
export function keyIn(
  lines: readonly Line[],
  at: number,
  key: string,
): { go?: number; expand?: string; collapse?: string } | undefined {
  const line = lines[at];
  if (!line) return lines.length > 0 ? { go: 0 } : undefined;
  switch (key) {
    case 'ArrowDown':
      return { go: Math.min(at + 1, lines.length - 1) };
    case 'ArrowUp':
      return { go: Math.max(at - 1, 0) };
    case 'Home':
      return { go: 0 };
    case 'End':
      return { go: lines.length - 1 };
    case 'PageDown':
      return { go: Math.min(at + 10, lines.length - 1) };
    case 'PageUp':
      return { go: Math.max(at - 10, 0) };
    case 'ArrowRight':
      if (!line.expandable) return {};
      return line.expanded ? { go: at + 1 } : { expand: line.organization.id };
    case 'ArrowLeft': {
      if (line.expanded) return { collapse: line.organization.id };
      for (let i = at - 1; i >= 0; i--) if (lines[i]!.level < line.level) return { go: i };
      return {};
    }
    default: {
      // A letter jumps to the next name that begins with it.
      if (key.length !== 1 || key === ' ') return undefined;
      for (let step = 1; step <= lines.length; step++) {
        const i = (at + step) % lines.length;
        if (lines[i]!.organization.name.toLowerCase().startsWith(key.toLowerCase())) return { go: i };
      }
      return undefined;
    }
  }
}
