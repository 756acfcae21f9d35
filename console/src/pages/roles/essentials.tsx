import { Button, Checkbox } from '@mantine/core';
import { IconLock, IconSearch } from '@tabler/icons-react';
import { useState } from 'react';
import { TextField } from '../../dialog/text_field';
import { allows } from '../../session/can';
import { ProblemNote } from '../../state/problem_note';
import { counted } from '../../words';
import { type Permission, type Role, grantName, grouped, hasStar, starText, through, usualStars } from './grants';
import { changeRole, heldBy } from './role_dialogs';

interface Row {
  grant: string;
  /** The checkbox's words. */
  label: string;
  name?: string;
  /** Why the caller may not change it. */
  reason?: string;
  /** What grants it besides. */
  also?: string;
  /** Granted through a star: nothing is left to tick. */
  covered?: boolean;
}

interface EssentialsProps {
  role: Role;
  permissions: readonly Permission[];
  known: ReadonlyMap<string, Permission>;
  /** What the caller holds where roles are shaped. */
  held: readonly string[];
  /** Roles that this one includes, directly or not. */
  included: readonly Role[];
  /** Why nothing of this role can be changed. */
  locked?: string;
}

const notHeld = 'You do not have this yourself, so you cannot grant it.';

/** A role's permissions by their groups, with plain names, to be ticked and saved. */
export function Essentials({ role, permissions, known, held, included, locked }: EssentialsProps) {
  const [draft, setDraft] = useState<ReadonlySet<string>>(new Set(role.permissions));
  const [based, setBased] = useState(role.permissions);
  const [search, setSearch] = useState('');
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState<unknown>();
  if (based !== role.permissions && based.join() !== role.permissions.join()) {
    // Someone else changed the role, or the change was saved.
    setBased(role.permissions);
    setDraft(new Set(role.permissions));
  }
  const changes =
    role.permissions.filter((p) => !draft.has(p)).length +
    [...draft].filter((p) => !role.permissions.includes(p)).length;
  const needle = search.trim().toLowerCase();
  const groups = groupsOf({ role, permissions, known, held, included, draft }).map((group) => ({
    ...group,
    shown: group.rows.filter((row) =>
      [group.name, row.label, row.name, row.grant].some((text) => text?.toLowerCase().includes(needle)),
    ),
  }));
  const some = groups.some((group) => group.shown.length > 0);

  function set(grants: string[], on: boolean) {
    const next = new Set(draft);
    for (const grant of grants) {
      if (on) next.add(grant);
      else next.delete(grant);
    }
    setDraft(next);
  }
  async function save() {
    setBusy(true);
    setError(undefined);
    try {
      await changeRole(role, {
        permissions: [
          ...role.permissions.filter((p) => draft.has(p)),
          ...[...draft].filter((p) => !role.permissions.includes(p)),
        ],
      });
    } catch (problem) {
      setError(problem);
    } finally {
      setBusy(false);
    }
  }

  return (
    <div className="essentials" id="essentials" role="group" aria-label="Essentials">
      <div className="esshead">
        <TextField
          type="search"
          className="searchinput"
          aria-label="Search permissions"
          placeholder="Search permissions"
          leftSection={<IconSearch size={16} stroke={1.6} aria-hidden />}
          value={search}
          onChange={setSearch}
        />
      </div>
      {!some && <p className="essnone muted">No permission is called that.</p>}
      {groups
        .filter((group) => group.shown.length > 0)
        .map((group) => (
          <Group
            key={group.name}
            name={group.name}
            note={group.note}
            rows={group.shown}
            draft={draft}
            locked={locked !== undefined}
            onChange={set}
          />
        ))}
      {!locked && (
        <div className="essfoot">
          <div className="grow">
            <span className="muted" aria-live="polite">
              {changes === 0
                ? 'No changes'
                : `${counted(changes, 'change', 'changes')}, in effect as soon as saved${role.holders > 0 ? `. ${heldBy(role)}` : ''}`}
            </span>
            <ProblemNote error={error} />
          </div>
          <Button
            variant="default"
            disabled={changes === 0 || busy}
            onClick={() => setDraft(new Set(role.permissions))}
          >
            Discard
          </Button>
          <Button disabled={changes === 0} loading={busy} onClick={() => void save()}>
            Save
          </Button>
        </div>
      )}
    </div>
  );
}

interface GroupOfRows {
  name: string;
  note?: string;
  rows: Row[];
}

function groupsOf({
  role,
  permissions,
  known,
  held,
  included,
  draft,
}: Omit<EssentialsProps, 'locked'> & { draft: ReadonlySet<string> }): GroupOfRows[] {
  const grants = [...draft];
  const row = (p: Permission): Row => {
    const star = draft.has(p.permission) ? undefined : through(grants, p.permission);
    const other = included.find((r) => allows(r.permissions, p.permission));
    return {
      grant: p.permission,
      label: p.label,
      name: p.vendor ? undefined : p.name,
      reason: p.grantable ? undefined : p.reason,
      covered: star !== undefined,
      also: star
        ? `Granted already: ${starText(star)}.`
        : other
          ? `Granted already by the included role “${other.name}”.`
          : undefined,
    };
  };
  // What means something to operators only is shown to them, and where a role has it.
  const relevant = permissions.filter((p) => !p.system || p.grantable || draft.has(p.permission));
  const ours = grouped(relevant.filter((p) => !p.vendor));
  const vendors = grouped(relevant.filter((p) => p.vendor));
  const stars = [...new Set([...usualStars, ...role.permissions.filter(hasStar)])];
  const gone = role.permissions.filter((grant) => !hasStar(grant) && !known.has(grant));
  return [
    ...ours.map((group) => ({ name: group.name, rows: group.permissions.map(row) })),
    ...(vendors.length > 0 || role.permissions.some(hasStar)
      ? [
          {
            name: 'All of the vendor’s APIs',
            note: 'What is ticked here grows with the vendor’s APIs: what they offer later, the role grants too.',
            rows: stars.map((grant) => ({
              grant,
              label: starText(grant),
              reason: allows(held, grant) ? undefined : notHeld,
            })),
          },
        ]
      : []),
    ...vendors.map((group) => ({ name: group.name, rows: group.permissions.map(row) })),
    ...(gone.length > 0
      ? [
          {
            name: 'Not in the API catalogue',
            rows: gone.map((grant) => ({
              grant,
              label: grantName(grant, known),
              reason: allows(held, grant) ? undefined : notHeld,
            })),
          },
        ]
      : []),
  ];
}

interface GroupProps extends GroupOfRows {
  draft: ReadonlySet<string>;
  locked: boolean;
  onChange: (grants: string[], on: boolean) => void;
}

function Group({ name, note, rows, draft, locked, onChange }: GroupProps) {
  const free = rows.filter((row) => row.reason === undefined && !row.covered);
  const ticked = free.filter((row) => draft.has(row.grant)).length;
  const granted = rows.filter((row) => draft.has(row.grant) || row.covered).length;
  // Stars overlap, so there is no "all" of them.
  const whole = !rows.some((row) => hasStar(row.grant));
  return (
    <section aria-label={name}>
      <div className="essgroup">
        {whole && (
          <Checkbox
            aria-label={`All of ${name}`}
            checked={granted === rows.length}
            indeterminate={granted > 0 && granted < rows.length}
            disabled={locked || free.length === 0}
            onChange={() =>
              onChange(
                free.map((row) => row.grant),
                ticked < free.length,
              )
            }
          />
        )}
        <h3>{name}</h3>
        <span className="muted">
          {granted} of {rows.length}
        </span>
      </div>
      {note && <p className="essnote muted">{note}</p>}
      {rows.map((row) => (
        <PermissionRow key={row.grant} row={row} on={draft.has(row.grant)} locked={locked} onChange={onChange} />
      ))}
    </section>
  );
}

function PermissionRow({
  row,
  on,
  locked,
  onChange,
}: {
  row: Row;
  on: boolean;
  locked: boolean;
  onChange: GroupProps['onChange'];
}) {
  const id = `grant-${row.grant.replaceAll(/[^a-z0-9]/gi, '-')}`;
  const disabled = locked || row.covered || row.reason !== undefined;
  return (
    <div className="essrow" data-off={disabled || undefined}>
      <Checkbox
        id={id}
        checked={on || row.covered}
        disabled={disabled}
        aria-describedby={`${id}-about`}
        onChange={(event) => onChange([row.grant], event.currentTarget.checked)}
        label={row.label}
      />
      <div id={`${id}-about`} className="essabout">
        {row.name && <span>{row.name} </span>}
        <span className="mono muted">{row.grant}</span>
        {row.also && <span className="muted essalso">{row.also}</span>}
        {row.reason && !locked && (
          <span className="esswhy">
            <IconLock size={14} stroke={1.8} aria-hidden />
            {row.reason}
          </span>
        )}
      </div>
    </div>
  );
}
