import type { Schema } from '../../api/client';

export type Catalog = Schema<'Catalog'>;
export type Group = Schema<'CatalogGroup'>;
export type CatalogAPI = Schema<'CatalogAPI'>;
export type Client = Schema<'Client'>;
export type Licence = Schema<'Licence'>;

/** A change of the catalogue: it can be made again to a newer one. */
export type Edit = (catalog: Catalog) => Catalog;

function put<T extends { key: string }>(list: readonly T[], item: T): T[] {
  return list.some((old) => old.key === item.key)
    ? list.map((old) => (old.key === item.key ? item : old))
    : [...list, item];
}

function without<T extends { key: string }>(list: readonly T[], key: string): T[] {
  return list.filter((item) => item.key !== key);
}

/** Adds a group, or renames it. */
export const putGroup =
  (group: { key: string; name: string }): Edit =>
  (catalog) => ({
    ...catalog,
    groups: put(catalog.groups, {
      ...group,
      apis: catalog.groups.find((old) => old.key === group.key)?.apis ?? [],
    }),
  });

export const removeGroup =
  (key: string): Edit =>
  (catalog) => ({ ...catalog, groups: without(catalog.groups, key) });

/** Adds an API to a group, or changes it; in another group than before it moves. */
export const putAPI =
  (groupKey: string, api: CatalogAPI): Edit =>
  (catalog) => ({
    ...catalog,
    groups: catalog.groups.map((group) => ({
      ...group,
      apis: group.key === groupKey ? put(group.apis, api) : without(group.apis, api.key),
    })),
  });

export const removeAPI =
  (key: string): Edit =>
  (catalog) => ({
    ...catalog,
    groups: catalog.groups.map((group) => ({ ...group, apis: without(group.apis, key) })),
  });

export const putClient =
  (client: Client): Edit =>
  (catalog) => ({ ...catalog, clients: put(catalog.clients, client) });

/** Removes a client, also from the licences that name it. */
export const removeClient =
  (key: string): Edit =>
  (catalog) => ({
    ...catalog,
    clients: without(catalog.clients, key),
    licences: catalog.licences.map((licence) => ({
      ...licence,
      clients: licence.clients?.filter((client) => client !== key),
    })),
  });

export const putLicence =
  (licence: Licence): Edit =>
  (catalog) => ({ ...catalog, licences: put(catalog.licences, licence) });

export const removeLicence =
  (key: string): Edit =>
  (catalog) => ({ ...catalog, licences: without(catalog.licences, key) });

/** "Recent Calls" has the key recent_calls. */
export function keyOf(name: string): string {
  return name
    .normalize('NFKD')
    .replace(/\p{M}/gu, '')
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, '_')
    .replace(/^_+|_+$/g, '')
    .slice(0, 63);
}

/** The lines or words of a text. */
export function listOf(text: string): string[] {
  return text.split(/[\s,]+/).filter(Boolean);
}
