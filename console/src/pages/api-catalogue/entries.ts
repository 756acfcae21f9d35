import {
  type Catalog,
  type CatalogAPI,
  type Client,
  type Edit,
  type Group,
  type Licence,
  putAPI,
  putClient,
  putGroup,
  putLicence,
  removeAPI,
  removeClient,
  removeGroup,
  removeLicence,
} from './edit';
import type { Field, Values } from './entry_form';

/** Something of the catalogue that is being made, changed or removed. */
export type Entry =
  | { kind: 'group'; item?: Group }
  | { kind: 'api'; group: string; item?: CatalogAPI }
  | { kind: 'client'; item?: Client }
  | { kind: 'licence'; item?: Licence };

export const nouns = { group: 'group', api: 'API', client: 'client', licence: 'licence' };

const permissions = (description: string): Field => ({
  name: 'permissions',
  label: 'Permissions',
  description,
  kind: 'list',
});

/** What the form of an entry asks for besides name and key. */
export function fieldsOf(entry: Entry, catalog: Catalog): Field[] {
  switch (entry.kind) {
    case 'group':
      return [];
    case 'api':
      return [
        {
          name: 'group',
          label: 'Group',
          kind: 'one',
          choices: catalog.groups.map((group) => ({ value: group.key, label: group.name })),
        },
        permissions('What calling it needs, one a line'),
        {
          name: 'requires',
          label: 'Requires',
          description: 'Permissions that whoever chooses it must have, one a line',
          kind: 'list',
        },
        {
          name: 'documentation_url',
          label: 'Documentation',
          description: 'An address that begins with https://',
          kind: 'text',
        },
        { name: 'legacy', label: 'Legacy', description: 'It takes account API keys only.', kind: 'flag' },
      ];
    case 'client':
      return [permissions('What people may do in it, one a line')];
    case 'licence':
      return [
        {
          name: 'all_scopes',
          label: 'All scopes',
          description: 'Every scope that the user may use themselves.',
          kind: 'flag',
        },
        {
          name: 'scopes',
          label: 'Scopes',
          description: 'Those that may be chosen otherwise, one a line',
          kind: 'list',
        },
        {
          name: 'clients',
          label: 'Clients',
          description: 'Which the user may use',
          kind: 'many',
          choices: catalog.clients.map((client) => ({ value: client.key, label: client.name })),
        },
      ];
  }
}

/** What the form begins with. */
export function valuesOf(entry: Entry): Values {
  const { item } = entry;
  const out: Values = { key: item?.key ?? '', name: item?.name ?? '' };
  if (entry.kind === 'api') {
    out.group = entry.group;
    out.permissions = (entry.item?.permissions ?? []).join('\n');
    out.requires = (entry.item?.requires ?? []).join('\n');
    out.documentation_url = entry.item?.documentation_url ?? '';
    out.legacy = entry.item?.legacy ?? false;
  } else if (entry.kind === 'client') {
    out.permissions = (entry.item?.permissions ?? []).join('\n');
  } else if (entry.kind === 'licence') {
    out.all_scopes = entry.item?.all_scopes ?? false;
    out.scopes = (entry.item?.scopes ?? []).join('\n');
    out.clients = entry.item?.clients ?? [];
  }
  return out;
}

/** The change that a filled form asks for. */
export function editOf(entry: Entry, values: Values): Edit {
  const key = String(values.key);
  const name = String(values.name);
  const list = (field: string) => values[field] as string[];
  switch (entry.kind) {
    case 'group':
      return putGroup({ key, name });
    case 'api': {
      const url = String(values.documentation_url).trim();
      return putAPI(String(values.group), {
        key,
        name,
        permissions: list('permissions'),
        requires: list('requires'),
        ...(url ? { documentation_url: url } : {}),
        ...(values.legacy === true ? { legacy: true } : {}),
      });
    }
    case 'client':
      return putClient({ key, name, permissions: list('permissions') });
    case 'licence':
      return putLicence({
        key,
        name,
        all_scopes: values.all_scopes === true,
        scopes: list('scopes'),
        clients: list('clients'),
      });
  }
}

export function removalOf(entry: Entry): Edit {
  const key = entry.item?.key ?? '';
  return { group: removeGroup, api: removeAPI, client: removeClient, licence: removeLicence }[entry.kind](key);
}

/** What removing it means. */
export const consequences = {
  group: 'Its APIs go with it: apps that chose them lose their permissions as soon as you confirm.',
  api: 'Apps that chose it lose its permissions as soon as you confirm.',
  client: 'People are signed in to it no longer, and licences that name it no longer do.',
  licence: 'Users who have it keep its name, and may use nothing that it gave.',
};
