import { Stack, Text, Textarea } from '@mantine/core';
import { Link } from '@tanstack/react-router';
import { useState } from 'react';
import { $api, answer, answered, api, type Schema } from '../../api/client';
import { useOnce } from '../../api/once';
import { ConfirmDialog, Dialog, DialogForm, FieldError } from '../../dialog/dialog';
import { TextField } from '../../dialog/text_field';
import { OrganizationPicker } from '../../shell/organization_picker';
import { type Organization, useOrganization } from '../../shell/organizations';
import { ProblemNote } from '../../state/problem_note';
import { toast } from '../../state/toast';
import { counted } from '../../words';
import { plural } from './kinds';
import { everythingChanged } from '../roles/data';

export type Impact = Schema<'OrganizationImpact'>;
export type OrganizationAction = 'add' | 'edit' | 'move' | 'suspend' | 'resume' | 'remove';

/** What there is at an organization and below it; needs the right to change it. */
export function useImpact(id: string | undefined, enabled: boolean) {
  return $api.useQuery(
    'get',
    '/v1/organizations/{id}/impact',
    { params: { path: { id: id ?? '' } } },
    { enabled: enabled && id !== undefined, retry: false, placeholderData: undefined, staleTime: 0 },
  );
}

interface OrganizationDialogsProps {
  organization: Organization | undefined;
  action: OrganizationAction | undefined;
  onClose: () => void;
  onAdded: (organization: Organization) => void;
  onRemoved: (organization: Organization) => void;
}

/** What can be done with an organization, one dialogue for each decision. */
export function OrganizationDialogs({ organization, action, onClose, onAdded, onRemoved }: OrganizationDialogsProps) {
  return (
    <>
      <Dialog open={action === 'add'} onClose={onClose} title="Add organization">
        <AddForm parent={organization?.id} onClose={onClose} onAdded={onAdded} />
      </Dialog>
      {organization && (
        <>
          <Dialog open={action === 'edit'} onClose={onClose} title={`Edit “${organization.name}”`}>
            <EditForm organization={organization} onClose={onClose} />
          </Dialog>
          <Dialog open={action === 'move'} onClose={onClose} title={`Move “${organization.name}”`}>
            <MoveForm organization={organization} onClose={onClose} />
          </Dialog>
          <SuspendDialog organization={organization} open={action === 'suspend'} onClose={onClose} />
          <ResumeDialog organization={organization} open={action === 'resume'} onClose={onClose} />
          <RemoveDialog
            organization={organization}
            open={action === 'remove'}
            onClose={onClose}
            onRemoved={onRemoved}
          />
        </>
      )}
    </>
  );
}

const addFields = ['name', 'parent_id', 'external_id'] as const;

function AddForm({
  parent: first,
  onClose,
  onAdded,
}: {
  parent: string | undefined;
  onClose: () => void;
  onAdded: (organization: Organization) => void;
}) {
  const once = useOnce();
  const [name, setName] = useState('');
  const [parent, setParent] = useState(first);
  const [externalID, setExternalID] = useState('');
  async function submit() {
    if (name.trim() === '') throw new FieldError('name', 'Enter a name');
    if (!parent) throw new FieldError('parent_id', 'Choose where it belongs');
    const made = await answered(
      api.POST('/v1/organizations', {
        params: { header: once.headers() },
        body: {
          parent_id: parent,
          name: name.trim(),
          ...(externalID.trim() ? { external_id: externalID.trim() } : {}),
        },
      }),
    );
    await everythingChanged();
    toast('Organization added');
    onClose();
    onAdded(made);
  }
  return (
    <DialogForm fields={addFields} onSubmit={submit} onCancel={onClose} action="Add organization">
      {(errors) => (
        <>
          <TextField label="Name" data-autofocus value={name} onChange={setName} error={errors.name} />
          <OrganizationPicker label="Below" value={parent} onChange={setParent} error={errors.parent_id} />
          <TextField
            label="External ID"
            description="Your own name for it; verification answers it."
            spellCheck={false}
            value={externalID}
            onChange={setExternalID}
            error={errors.external_id}
          />
        </>
      )}
    </DialogForm>
  );
}

const editFields = ['name', 'external_id', 'domains'] as const;

function EditForm({ organization, onClose }: { organization: Organization; onClose: () => void }) {
  const [name, setName] = useState(organization.name);
  const [externalID, setExternalID] = useState(organization.external_id ?? '');
  const before = (organization.domains ?? []).join('\n');
  const [domains, setDomains] = useState(before);
  async function submit() {
    if (name.trim() === '') throw new FieldError('name', 'Enter a name');
    await answered(
      api.PATCH('/v1/organizations/{id}', {
        params: { path: { id: organization.id } },
        body: {
          name: name.trim(),
          ...(externalID.trim() !== (organization.external_id ?? '') ? { external_id: externalID.trim() } : {}),
          ...(domains !== before ? { domains: domains.split(/[\s,;]+/).filter(Boolean) } : {}),
        },
      }),
    );
    await everythingChanged();
    toast('Changes have been saved');
    onClose();
  }
  return (
    <DialogForm fields={editFields} onSubmit={submit} onCancel={onClose} action="Save">
      {(errors) => (
        <>
          <TextField label="Name" data-autofocus value={name} onChange={setName} error={errors.name} />
          <TextField
            label="External ID"
            spellCheck={false}
            value={externalID}
            onChange={setExternalID}
            error={errors.external_id}
          />
          <Textarea
            label="Domains"
            description="One a line. Desktop clients sign user@domain and DOMAIN\user in as people here and below. Each domain is one organization’s."
            placeholder="example.com"
            classNames={{ input: 'monoinput' }}
            autosize
            minRows={2}
            maxRows={8}
            spellCheck={false}
            value={domains}
            onChange={(e) => setDomains(e.currentTarget.value)}
            error={errors.domains}
          />
        </>
      )}
    </DialogForm>
  );
}

const moveFields = ['parent_id'] as const;

function MoveForm({ organization, onClose }: { organization: Organization; onClose: () => void }) {
  const [parent, setParent] = useState(organization.parent_id);
  const to = useOrganization(parent);
  const impact = useImpact(organization.id, true);
  const moved = parent !== organization.parent_id;
  async function submit() {
    if (!parent || !moved) throw new FieldError('parent_id', 'Choose another organization');
    await answered(
      api.PATCH('/v1/organizations/{id}', {
        params: { path: { id: organization.id } },
        body: { parent_id: parent },
      }),
    );
    await everythingChanged();
    toast('Organization moved');
    onClose();
  }
  return (
    <DialogForm fields={moveFields} onSubmit={submit} onCancel={onClose} action="Move organization">
      {(errors) => (
        <>
          <Text size="md">
            Everything in “{organization.name}” and below it moves along. Roles that people have at its new place count
            for it; those of the old place no longer do.
          </Text>
          {impact.data && <Counts impact={impact.data} />}
          <OrganizationPicker
            label="New place, below"
            autofocus
            value={parent}
            onChange={setParent}
            exclude={(o) => o.path.includes(organization.id)}
            description={moved && to ? `It will stand below “${to.name}”.` : 'It stands there now.'}
            error={errors.parent_id}
          />
        </>
      )}
    </DialogForm>
  );
}

interface OneDialogProps {
  organization: Organization;
  open: boolean;
  onClose: () => void;
}

function SuspendDialog({ organization, open, onClose }: OneDialogProps) {
  const impact = useImpact(organization.id, open);
  async function suspend() {
    await answered(api.POST('/v1/organizations/{id}/suspend', { params: { path: { id: organization.id } } }));
    await everythingChanged();
    toast('Organization suspended');
  }
  return (
    <ConfirmDialog
      open={open}
      onClose={onClose}
      title={`Suspend “${organization.name}”?`}
      action="Suspend organization"
      onConfirm={suspend}
    >
      <Text size="md">
        As soon as you confirm, everything at and below “{organization.name}” stops: its people cannot sign in and calls
        with its credentials fail. You can resume it at any time.
      </Text>
      {impact.data && <Counts impact={impact.data} />}
    </ConfirmDialog>
  );
}

function ResumeDialog({ organization, open, onClose }: OneDialogProps) {
  const impact = useImpact(organization.id, open);
  async function resume() {
    await answered(api.POST('/v1/organizations/{id}/resume', { params: { path: { id: organization.id } } }));
    await everythingChanged();
    toast('Organization resumed');
  }
  return (
    <ConfirmDialog
      open={open}
      onClose={onClose}
      title={`Resume “${organization.name}”?`}
      action="Resume organization"
      onConfirm={resume}
      mild
    >
      <Text size="md">
        Everything at and below “{organization.name}” works again, except what is suspended or has ended by itself.
      </Text>
      {impact.data && <Counts impact={impact.data} />}
    </ConfirmDialog>
  );
}

function RemoveDialog({
  organization,
  open,
  onClose,
  onRemoved,
}: OneDialogProps & { onRemoved: (organization: Organization) => void }) {
  const impact = useImpact(organization.id, open);
  async function remove() {
    await answer(api.DELETE('/v1/organizations/{id}', { params: { path: { id: organization.id } } }));
    onRemoved(organization);
    toast('Organization removed');
    void everythingChanged();
  }
  const inTheWay = impact.data?.removable === false ? impact.data : undefined;
  return (
    <ConfirmDialog
      open={open}
      onClose={onClose}
      title={`Remove “${organization.name}”?`}
      action="Remove organization"
      onConfirm={remove}
      blocked={inTheWay !== undefined || impact.isPending}
    >
      {impact.isPending ? (
        <Text size="md">Looking at what is there…</Text>
      ) : inTheWay ? (
        <>
          <Text size="md">
            “{organization.name}” cannot be removed now. {inTheWay.reason}
          </Text>
          <Counts impact={inTheWay} links={organization.id} onLink={onClose} />
        </>
      ) : (
        <Text size="md">
          Nothing is there any more. It disappears from the tree for good; its part of the audit log stays.
        </Text>
      )}
      <ProblemNote error={impact.error} />
    </ConfirmDialog>
  );
}

/** How much there is, in numbers; with `links` each leads to its list. */
export function Counts({ impact, links, onLink }: { impact: Impact; links?: string; onLink?: () => void }) {
  const rows: [text: string, to?: string][] = [];
  const add = (n: number, one: string, many: string, to?: string) => {
    if (n > 0) rows.push([counted(n, one, many), to]);
  };
  add(impact.organizations, 'organization below it', 'organizations below it');
  add(impact.users, 'user', 'users', '/users');
  add(impact.service_accounts, 'service account', 'service accounts', '/service-accounts');
  add(impact.apps, 'app', 'apps', '/apps');
  add(impact.assignments, 'role given there', 'roles given there');
  add(impact.credentials, 'credential', 'credentials', '/settings/api-keys');
  if (rows.length === 0) return null;
  return (
    <Stack gap={0}>
      <ul className="inway" aria-label="What is there">
        {rows.map(([text, to]) => (
          <li key={text}>
            {links && to ? (
              <Link to={to} search={{ org: links } as never} onClick={onLink}>
                {text}
              </Link>
            ) : (
              text
            )}
            {text.includes('credential') && <span className="muted"> ({byKind(impact)})</span>}
          </li>
        ))}
      </ul>
    </Stack>
  );
}

function byKind(impact: Impact): string {
  return Object.entries(impact.credentials_by_kind)
    .filter(([, n]) => n > 0)
    .map(([kind, n]) => counted(n, ...plural(kind)))
    .join(', ');
}
