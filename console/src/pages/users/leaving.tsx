import { Button, Group, Select, Stack, Text } from '@mantine/core';
import { useDebouncedValue } from '@mantine/hooks';
import { Link } from '@tanstack/react-router';
import { useEffect, useRef, useState } from 'react';
import { $api, answered, api, type Schema } from '../../api/client';
import { useOnce } from '../../api/once';
import { hasCode, problemOf } from '../../api/problem';
import { ConfirmForm, Dialog } from '../../dialog/dialog';
import { ShownValue, useHoldPage } from '../../dialog/secret';
import { ProblemNote } from '../../state/problem_note';
import { toast } from '../../state/toast';
import { Past } from '../../time/when';
import { counted, kinds } from '../../words';
import { everythingChanged } from '../roles/data';
import { type User, userName } from './data';

type Credential = Schema<'UserCredential'>;
type Departure = 'suspend' | 'delete';
type Choice = 'keep' | 'suspend' | 'revoke' | 'hand_over';

interface LeaveDialogProps {
  user: User;
  then: Departure;
  open: boolean;
  onClose: () => void;
  /** After the user was deleted: their page is about nobody. */
  onDeleted?: () => void;
}

const words = {
  suspend: { title: 'Suspend', action: 'Suspend user', done: 'User suspended', past: 'suspended' },
  delete: { title: 'Delete', action: 'Delete user', done: 'User deleted', past: 'deleted' },
} as const;

/** Suspends or deletes a user, and decides what becomes of their credentials. */
export function LeaveDialog({ user, then, open, onClose, onDeleted }: LeaveDialogProps) {
  const [done, setDone] = useState<Schema<'OffboardedUser'>>();
  const [wasOpen, setWasOpen] = useState(open);
  if (open !== wasOpen) {
    setWasOpen(open);
    if (open) setDone(undefined);
  }
  const name = userName(user);
  const holding = open && (done?.credentials.some((c) => c.secret_available) ?? false);
  useHoldPage(holding);
  function close() {
    if (done) {
      setDone(undefined);
      onClose();
      if (then === 'delete') onDeleted?.();
      void everythingChanged();
      return;
    }
    onClose();
  }
  return (
    <Dialog
      open={open}
      onClose={close}
      title={done ? `${name} ${words[then].past}` : `${words[then].title} “${name}”?`}
      size={600}
      held={holding}
      alert
    >
      {done ? (
        <Outcome done={done} holding={holding} onClose={close} />
      ) : (
        <LeaveForm user={user} then={then} onClose={onClose} onDeleted={onDeleted} onHandedOver={setDone} />
      )}
    </Dialog>
  );
}

interface LeaveFormProps extends Omit<LeaveDialogProps, 'open'> {
  onHandedOver: (done: Schema<'OffboardedUser'>) => void;
}

function LeaveForm({ user, then, onClose, onDeleted, onHandedOver }: LeaveFormProps) {
  const name = userName(user);
  const once = useOnce();
  const [choices, setChoices] = useState<Record<string, Choice>>({});
  const [owner, setOwner] = useState<Schema<'NewOwner'>>();
  const owned = $api.useQuery(
    'get',
    '/v1/users/{id}/credentials',
    { params: { path: { id: user.id }, query: { limit: 200 } } },
    { placeholderData: undefined, retry: false },
  );
  const items = owned.data?.items ?? [];
  const choiceOf = (c: Credential) => choices[c.id] ?? 'keep';
  const handed = items.filter((c) => choiceOf(c) === 'hand_over');
  const refused = new Map(owner?.refused.map((r) => [r.credential_id, r.message]));
  const blocked = handed.find((c) => refused.has(c.id));

  function choose(list: Credential[], choice: Choice) {
    setChoices((now) => ({
      ...now,
      ...Object.fromEntries(list.filter((c) => offers(then, c, choice)).map((c) => [c.id, choice])),
    }));
    once.renew();
  }

  async function leave() {
    const body: Schema<'OffboardUserRequest'> = {
      then,
      credentials: items
        .filter((c) => choiceOf(c) !== 'keep')
        .map((c) => {
          const action = choiceOf(c) as Exclude<Choice, 'keep'>;
          return { id: c.id, action, ...(action === 'hand_over' ? { to: owner?.id } : {}) };
        }),
    };
    const done = await answered(
      api.POST('/v1/users/{id}/offboard', { params: { path: { id: user.id }, header: once.headers() }, body }),
    );
    toast(words[then].done);
    if (handed.length > 0) {
      onHandedOver(done);
      return false;
    }
    if (then === 'delete') onDeleted?.();
    void everythingChanged();
    return true;
  }

  return (
    <ConfirmForm
      onClose={onClose}
      action={words[then].action}
      mild={then === 'suspend' && items.every((c) => choiceOf(c) === 'keep' || choiceOf(c) === 'suspend')}
      onConfirm={leave}
      disabled={owned.isLoading || (handed.length > 0 && !owner) || blocked !== undefined}
      onProblem={(error) =>
        hasCode(error, 'owns_client_credentials') ? <InTheWay error={error} name={name} /> : undefined
      }
    >
      <Text size="md">
        {then === 'suspend'
          ? `As soon as you confirm, ${name} is signed out and cannot sign in, and calls with their credentials fail. You can resume them at any time.`
          : `${name} is signed out and loses all roles, and their keys are revoked unless you hand them over. This cannot be undone. What they did stays in the audit log.`}
      </Text>
      {owned.isLoading && <Text size="sm">Looking at their credentials…</Text>}
      {owned.error && <ProblemNote error={owned.error} />}
      {items.length > 0 && (
        <Fates
          name={name}
          then={then}
          items={items}
          more={owned.data?.next_cursor !== undefined}
          choiceOf={choiceOf}
          onChoose={choose}
          refused={handed.length > 0 ? refused : undefined}
        />
      )}
      {handed.length > 0 && (
        <OwnerSelect
          user={user}
          handed={handed}
          value={owner}
          onChange={(o) => {
            setOwner(o);
            once.renew();
          }}
        />
      )}
    </ConfirmForm>
  );
}

/** What can be chosen for a credential, beside leaving it as it is. */
function offers(then: Departure, c: Credential, choice: Choice): boolean {
  if (choice === 'keep') return true;
  if (then === 'delete' && choice === 'suspend') return false;
  if (then === 'delete' && choice === 'revoke' && c.kind === 'user_key') return false; // they end anyway
  return c.actions.includes(choice);
}

/** What becomes of a credential that nothing is chosen for. */
function left(then: Departure, c: Credential): string {
  if (then === 'suspend') return c.state === 'suspended' ? 'Stays suspended' : 'Stops with them';
  return c.kind === 'user_key' ? 'Is revoked' : 'Not decided';
}

const chosen: Record<Exclude<Choice, 'keep'>, string> = {
  suspend: 'Suspend it, too',
  revoke: 'Revoke',
  hand_over: 'Hand over',
};

interface FatesProps {
  name: string;
  then: Departure;
  items: Credential[];
  more: boolean;
  choiceOf: (c: Credential) => Choice;
  onChoose: (list: Credential[], choice: Choice) => void;
  /** Why the new owner cannot get it, by credential. */
  refused?: Map<string, string>;
}

function Fates({ name, then, items, more, choiceOf, onChoose, refused }: FatesProps) {
  const optionsOf = (c: Credential) =>
    (['suspend', 'revoke', 'hand_over'] as const)
      .filter((choice) => offers(then, c, choice))
      .map((choice) => ({ value: choice, label: chosen[choice] }));
  const all = (['suspend', 'revoke', 'hand_over'] as const).filter((choice) =>
    items.some((c) => offers(then, c, choice)),
  );
  return (
    <div>
      <div className="fateshead">
        <Text size="sm" fw={500}>
          {counted(items.length, 'credential', 'credentials')} of {name}
        </Text>
        {items.length > 1 && all.length > 0 && (
          <Group gap={4}>
            <Text size="xs" c="dimmed">
              All:
            </Text>
            {all.map((choice) => (
              <Button key={choice} variant="subtle" size="compact-xs" onClick={() => onChoose(items, choice)}>
                {choice === 'suspend' ? 'Suspend' : chosen[choice]}
              </Button>
            ))}
          </Group>
        )}
      </div>
      <ul className="fates" aria-label="Credentials">
        {items.map((c) => {
          const why = choiceOf(c) === 'hand_over' ? refused?.get(c.id) : undefined;
          return (
            <li key={c.id}>
              <div className="fate">
                <span className="trunc strong">{c.name}</span>
                <span className="muted">
                  {kinds[c.kind] ?? c.kind},{c.state === 'suspended' && ' suspended,'}{' '}
                  {c.last_used_at ? (
                    <>
                      used <Past at={c.last_used_at} />
                    </>
                  ) : (
                    'never used'
                  )}
                </span>
              </div>
              <div className="fatechoice">
                {c.actions.length === 0 ? (
                  <span className="muted">{left(then, c)}; you may not change it</span>
                ) : (
                  <Select
                    aria-label={`What becomes of ${c.name}`}
                    data={[{ value: 'keep', label: left(then, c) }, ...optionsOf(c)]}
                    value={choiceOf(c)}
                    onChange={(choice) => onChoose([c], (choice ?? 'keep') as Choice)}
                    error={why}
                    allowDeselect={false}
                    comboboxProps={{ withinPortal: true }}
                  />
                )}
              </div>
            </li>
          );
        })}
      </ul>
      {more && (
        <Text size="sm" c="dimmed">
          There are more; {then === 'delete' ? 'API keys among them are revoked.' : 'they stop with this person.'}
        </Text>
      )}
    </div>
  );
}

interface OwnerSelectProps {
  user: User;
  handed: Credential[];
  value: Schema<'NewOwner'> | undefined;
  onChange: (owner: Schema<'NewOwner'>) => void;
}

/** Chooses who gets what is handed over; who may not have any of it says why. */
function OwnerSelect({ user, handed, value, onChange }: OwnerSelectProps) {
  const [text, setText] = useState('');
  const [search] = useDebouncedValue(value && text === userName(value) ? '' : text.trim(), 150);
  const found = $api.useQuery(
    'get',
    '/v1/users/{id}/new-owners',
    { params: { path: { id: user.id }, query: search ? { search } : {} } },
    { retry: false },
  );
  const people = found.data?.items ?? [];
  const list = value && !people.some((o) => o.id === value.id) ? [...people, value] : people;
  const why = new Map(list.map((o) => [o.id, reason(o, handed)]));
  const places = new Map(list.map((o) => [o.id, o.organization_name]));
  return (
    <Select
      label="New owner"
      description="What is handed over gets a new secret at once: programs that use the old one fail until they have it."
      placeholder="Choose who gets it"
      data={list.map((o) => ({ value: o.id, label: userName(o), disabled: why.get(o.id) !== undefined }))}
      value={value?.id ?? null}
      onChange={(id) => {
        const owner = list.find((o) => o.id === id);
        if (owner) onChange(owner);
      }}
      searchable
      openOnFocus={false}
      searchValue={text}
      onSearchChange={setText}
      filter={({ options }) => options}
      nothingFoundMessage={found.isPending ? 'Loading' : 'No active user is called that.'}
      error={found.error ? problemOf(found.error).detail : undefined}
      maxDropdownHeight={280}
      renderOption={({ option }) => (
        <span className="roleoption">
          <span>{option.label}</span>
          <span className="muted">{why.get(option.value) ?? places.get(option.value)}</span>
        </span>
      )}
      comboboxProps={{ withinPortal: true }}
    />
  );
}

/** Why a person cannot get anything of it; undefined: something at least. */
function reason(owner: Schema<'NewOwner'>, handed: Credential[]): string | undefined {
  const refused = new Map(owner.refused.map((r) => [r.credential_id, r.message]));
  return handed.every((c) => refused.has(c.id)) ? refused.get(handed[0]?.id ?? '') : undefined;
}

/** VC5: the credentials that stand in the way, each with its page. */
function InTheWay({ error, name }: { error: unknown; name: string }) {
  const problem = problemOf(error) as { credentials?: Schema<'ProblemCredential'>[] };
  const credentials = problem.credentials ?? [];
  if (credentials.length === 0) return <ProblemNote error={error} />;
  return (
    <div className="notice bad" role="alert">
      <div>
        {name} owns {counted(credentials.length, 'set of API credentials', 'sets of API credentials')} and cannot be
        deleted. Decide above what becomes of {credentials.length === 1 ? 'it' : 'each'}, or delete{' '}
        {credentials.length === 1 ? 'it' : 'those'} first:
        <ul className="inway">
          {credentials.map((c) => (
            <li key={c.id}>
              <Link to={`/api-credentials/${c.id}`}>{c.name}</Link> <span className="mono muted">{c.id}</span>
            </li>
          ))}
        </ul>
      </div>
    </div>
  );
}

/** What was handed over: new secrets for who took it over, or how its new owner gets them. */
function Outcome({
  done,
  holding,
  onClose,
}: {
  done: Schema<'OffboardedUser'>;
  holding: boolean;
  onClose: () => void;
}) {
  const handed = done.credentials.filter((c) => c.owner.id !== done.user.id);
  const [copied, setCopied] = useState<string[]>([]);
  const others = handed.filter((c) => !c.secret_available);
  const next = handed.find((c) => c.secret_available && !copied.includes(c.id));
  const body = useRef<HTMLDivElement>(null);
  useEffect(() => body.current?.querySelector<HTMLElement>('[data-autofocus]')?.focus(), []);
  return (
    <Stack gap={16} ref={body}>
      {holding && <Text size="md">New secrets are shown only now: copy each into the program that uses it.</Text>}
      {handed
        .filter((c) => c.secret_available)
        .map((c) => (
          <ShownValue
            key={c.id}
            label={c.kind === 'client_credential' ? `Client secret of ${c.name}` : `Key “${c.name}”`}
            value={c.secret ?? ''}
            secret
            primary={next?.id === c.id}
            onCopied={() => setCopied((list) => [...list, c.id])}
          />
        ))}
      {others.length > 0 && (
        <div>
          <Text size="md">
            {others[0]?.owner.display_name || others[0]?.owner.name} has{' '}
            {counted(others.length, 'credential', 'credentials')} more now. Ask them to open{' '}
            {others.length === 1 ? 'it' : 'each'} and press “Rotate”: nobody else sees the new secret, and until then
            programs that use {others.length === 1 ? 'it' : 'them'} fail.
          </Text>
          <ul className="inway">
            {others.map((c) => (
              <li key={c.id}>
                <Link to={c.kind === 'client_credential' ? `/api-credentials/${c.id}` : `/settings/api-keys/${c.id}`}>
                  {c.name}
                </Link>
              </li>
            ))}
          </ul>
        </div>
      )}
      <Group justify="flex-end" mt={4}>
        <Button variant={next ? 'default' : 'filled'} onClick={onClose} data-autofocus={!holding || undefined}>
          {holding ? 'I have saved it' : 'Done'}
        </Button>
      </Group>
    </Stack>
  );
}
