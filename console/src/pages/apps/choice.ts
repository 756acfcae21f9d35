import type { Schema } from '../../api/client';

export type App = Schema<'App'>;
export type Catalog = Schema<'CatalogView'>;
export type CatalogAPI = Schema<'CatalogAPI'>;

/** Why an API cannot be chosen. One that the app has already can stay, and be taken back until it is saved. */
export function whyNot(catalog: Catalog, key: string, had: ReadonlySet<string>): string | undefined {
  if (had.has(key) || catalog.choosable.includes(key)) return undefined;
  return catalog.not_choosable[key] ?? 'You may not choose this API.';
}

/** The groups with those of their APIs whose name, key or permissions hold the text. */
export function matching(catalog: Catalog, search: string): { key: string; name: string; apis: CatalogAPI[] }[] {
  const text = search.trim().toLowerCase();
  return catalog.groups
    .map((group) => ({
      ...group,
      apis: group.apis.filter((api) =>
        [api.name, api.key, ...api.permissions].some((t) => t.toLowerCase().includes(text)),
      ),
    }))
    .filter((group) => group.apis.length > 0);
}

/** The choice with all of these chosen, or, where all that can be are already, with none of them. */
export function toggled(chosen: ReadonlySet<string>, keys: readonly string[]): Set<string> {
  const next = new Set(chosen);
  const all = keys.every((key) => chosen.has(key));
  for (const key of keys) {
    if (all) next.delete(key);
    else next.add(key);
  }
  return next;
}

/** How many APIs were added or taken away. */
export function changes(before: ReadonlySet<string>, after: ReadonlySet<string>): number {
  const added = [...after].filter((key) => !before.has(key)).length;
  return added + [...before].filter((key) => !after.has(key)).length;
}

/** "Recent Calls", "Recent Calls and 2 more" */
export function apiNames(app: App): string {
  const [first, ...more] = app.apis.map((api) => api.name || api.key);
  if (first === undefined) return 'None';
  return more.length === 0 ? first : `${first} and ${more.length} more`;
}

/** The state that counts: an app whose key has expired is not active. */
export function stateOf(app: App, now: Date): string {
  return app.state === 'active' && app.expires_at && new Date(app.expires_at) <= now ? 'expired' : app.state;
}
