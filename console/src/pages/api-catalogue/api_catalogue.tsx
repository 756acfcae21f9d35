import { ActionIcon, Badge, Button, Menu } from '@mantine/core';
import { IconDots, IconExternalLink, IconLock, IconPlus, IconStack2 } from '@tabler/icons-react';
import { useQueryClient } from '@tanstack/react-query';
import { type ReactNode, useState } from 'react';
import { $api, answered, api } from '../../api/client';
import { hasCode } from '../../api/problem';
import { ConfirmDialog, Dialog } from '../../dialog/dialog';
import { useCan, useMe } from '../../session/me';
import { Card, Page } from '../../shell/page';
import { PageHead } from '../../shell/page_head';
import { useCreate } from '../../shell/shortcuts';
import { Blank, LoadFailed, NoPermission } from '../../state/blank';
import { toast } from '../../state/toast';
import { counted } from '../../words';
import type { Catalog, CatalogAPI, Client, Edit, Group, Licence } from './edit';
import { consequences, editOf, type Entry, fieldsOf, nouns, removalOf, valuesOf } from './entries';
import { EntryForm } from './entry_form';

/** API catalogue: what the vendor offers, for operators. */
export function APICataloguePage() {
  const me = useMe();
  const allowed = useCan('claviger.catalog:manage') && me.system;
  if (!allowed) {
    return (
      <Page kind="detail">
        <PageHead title="API catalogue" help="api-catalogue" />
        <NoPermission />
      </Page>
    );
  }
  return <Catalogue />;
}

/** Makes a change to the catalogue as it is now; what somebody else saved meanwhile stays. */
function useApply(catalog: Catalog | undefined) {
  const client = useQueryClient();
  const refresh = () => client.invalidateQueries({ queryKey: ['get', '/v1/catalog'] });
  return async (edit: Edit) => {
    if (!catalog) return;
    const { revision, groups, clients, licences } = catalog;
    try {
      await answered(api.PUT('/v1/catalog', { body: edit({ revision, groups, clients, licences }) }));
    } catch (problem) {
      if (!hasCode(problem, 'changed_meanwhile')) throw problem;
      await refresh();
      throw {
        ...(problem as object),
        detail:
          'Someone else changed the catalogue meanwhile. It has been read again: look at it, then save once more to make your change to it.',
      };
    }
    await refresh();
  };
}

function Catalogue() {
  const view = $api.useQuery('get', '/v1/catalog');
  const [editing, setEditing] = useState<Entry>();
  const [removing, setRemoving] = useState<Entry>();
  const apply = useApply(view.data);
  useCreate(() => setEditing({ kind: 'group' }));
  const catalog = view.data;
  const act = { edit: setEditing, remove: setRemoving };
  return (
    <Page kind="detail">
      <PageHead
        title="API catalogue"
        help="api-catalogue"
        sub={catalog && `Revision ${catalog.revision}. Changes count as soon as they are saved.`}
      >
        <Button
          leftSection={<IconPlus size={16} stroke={1.8} aria-hidden />}
          onClick={() => setEditing({ kind: 'group' })}
        >
          Add group
        </Button>
      </PageHead>
      {view.isError && !catalog && (
        <LoadFailed what="The catalogue" error={view.error} onRetry={() => void view.refetch()} />
      )}
      {catalog && (
        <div className="stack">
          {catalog.groups.length === 0 && (
            <div className="card">
              <Blank icon={IconStack2} title="No APIs yet">
                Tenants choose from these APIs for their apps. Add a group, then the APIs that belong to it.
              </Blank>
            </div>
          )}
          {catalog.groups.map((group) => (
            <GroupCard key={group.key} group={group} {...act} />
          ))}
          <ClientsCard clients={catalog.clients} {...act} />
          <LicencesCard licences={catalog.licences} {...act} />
        </div>
      )}
      <Dialog
        open={editing !== undefined}
        onClose={() => setEditing(undefined)}
        title={editing ? titleOf(editing) : ''}
        size={520}
      >
        {editing && catalog && (
          <EntryForm
            fields={fieldsOf(editing, catalog)}
            values={valuesOf(editing)}
            isNew={!editing.item}
            action={editing.item ? 'Save' : `Add ${nouns[editing.kind]}`}
            onCancel={() => setEditing(undefined)}
            onSubmit={async (values) => {
              await apply(editOf(editing, values));
              setEditing(undefined);
              toast('Changes have been saved');
            }}
          />
        )}
      </Dialog>
      <ConfirmDialog
        open={removing !== undefined}
        onClose={() => setRemoving(undefined)}
        title={`Remove “${removing?.item?.name ?? ''}”?`}
        action={removing ? `Remove ${nouns[removing.kind]}` : 'Remove'}
        onConfirm={async () => {
          if (removing) await apply(removalOf(removing));
          toast('Changes have been saved');
        }}
      >
        <span>{removing && consequences[removing.kind]}</span>
      </ConfirmDialog>
    </Page>
  );
}

function titleOf(entry: Entry): string {
  return entry.item ? `Edit “${entry.item.name}”` : `Add ${nouns[entry.kind]}`;
}

interface Acts {
  edit: (entry: Entry) => void;
  remove: (entry: Entry) => void;
}

function AddButton({ what, onClick }: { what: string; onClick: () => void }) {
  return (
    <Button variant="default" leftSection={<IconPlus size={15} stroke={1.8} aria-hidden />} onClick={onClick}>
      {what}
    </Button>
  );
}

function EntryMenu({ entry, edit, remove }: { entry: Entry } & Acts) {
  return (
    <Menu position="bottom-end" returnFocus>
      <Menu.Target>
        <ActionIcon size={28} aria-label={`Actions for ${entry.item?.name ?? ''}`}>
          <IconDots size={16} />
        </ActionIcon>
      </Menu.Target>
      <Menu.Dropdown>
        <Menu.Item onClick={() => edit(entry)}>Edit</Menu.Item>
        <Menu.Item color="red" onClick={() => remove(entry)}>
          Remove
        </Menu.Item>
      </Menu.Dropdown>
    </Menu>
  );
}

function EntryRow({ entry, children, ...act }: { entry: Entry; children: ReactNode } & Acts) {
  return (
    <li className="catalogrow">
      <div className="grow">
        <button type="button" className="keyname" onClick={() => act.edit(entry)}>
          {entry.item?.name}
        </button>{' '}
        <span className="mono muted">{entry.item?.key}</span>
        {children}
      </div>
      <EntryMenu entry={entry} {...act} />
    </li>
  );
}

function GroupCard({ group, ...act }: { group: Group } & Acts) {
  return (
    <Card
      title={group.name}
      note={counted(group.apis.length, 'API', 'APIs')}
      flush
      actions={
        <>
          <AddButton what="Add API" onClick={() => act.edit({ kind: 'api', group: group.key })} />
          <EntryMenu entry={{ kind: 'group', item: group }} {...act} />
        </>
      }
    >
      <ul className="cataloglist">
        {group.apis.map((item) => (
          <EntryRow key={item.key} entry={{ kind: 'api', group: group.key, item }} {...act}>
            <APIAbout api={item} />
          </EntryRow>
        ))}
        {group.apis.length === 0 && <li className="catalogrow muted">No API stands in this group yet.</li>}
      </ul>
    </Card>
  );
}

function APIAbout({ api: item }: { api: CatalogAPI }) {
  return (
    <>
      {item.legacy && (
        <>
          {' '}
          <Badge color="amber">Legacy</Badge>
        </>
      )}
      <div className="mono muted">{item.permissions.join(' ') || 'no permission'}</div>
      {(item.requires?.length ?? 0) > 0 && (
        <div className="catalogneeds">
          <IconLock size={14} stroke={1.8} aria-hidden /> Requires{' '}
          <span className="mono">{item.requires?.join(' ')}</span>
        </div>
      )}
      {item.documentation_url && (
        <a
          href={item.documentation_url}
          target="_blank"
          rel="noopener noreferrer"
          className="apidoc catalogdoc"
          aria-label={`Documentation of ${item.name}`}
        >
          Documentation <IconExternalLink size={13} stroke={1.8} aria-hidden />
        </a>
      )}
    </>
  );
}

function ClientsCard({ clients, ...act }: { clients: Client[] } & Acts) {
  return (
    <Card
      title="Clients"
      note="Desktop programs that people are signed in to"
      flush
      actions={<AddButton what="Add client" onClick={() => act.edit({ kind: 'client' })} />}
    >
      <ul className="cataloglist">
        {clients.map((item) => (
          <EntryRow key={item.key} entry={{ kind: 'client', item }} {...act}>
            <div className="mono muted">{item.permissions.join(' ') || 'no permission'}</div>
          </EntryRow>
        ))}
        {clients.length === 0 && <li className="catalogrow muted">There is no client yet.</li>}
      </ul>
    </Card>
  );
}

function LicencesCard({ licences, ...act }: { licences: Licence[] } & Acts) {
  return (
    <Card
      title="Licences"
      note="What a user’s API credentials may carry"
      flush
      actions={<AddButton what="Add licence" onClick={() => act.edit({ kind: 'licence' })} />}
    >
      <ul className="cataloglist">
        {licences.map((item) => (
          <EntryRow key={item.key} entry={{ kind: 'licence', item }} {...act}>
            <div className="muted catalogfine">
              {item.all_scopes ? 'All scopes' : <span className="mono">{item.scopes?.join(' ') || 'no scope'}</span>}
              {(item.clients?.length ?? 0) > 0 && ` · clients: ${item.clients?.join(', ')}`}
            </div>
          </EntryRow>
        ))}
        {licences.length === 0 && <li className="catalogrow muted">There is no licence yet.</li>}
      </ul>
    </Card>
  );
}
