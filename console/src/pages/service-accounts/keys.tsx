import { Badge, Button, Text } from '@mantine/core';
import { IconCircleCheck, IconPlus } from '@tabler/icons-react';
import { useLocation, useNavigate } from '@tanstack/react-router';
import { useState } from 'react';
import { useOnce } from '../../api/once';
import { Dialog } from '../../dialog/dialog';
import { RotateForm } from '../../dialog/rotate_form';
import { inGrace, type Rotation, useRotation } from '../../dialog/rotation';
import { Card } from '../../shell/page';
import { StateBadge } from '../../state/badge';
import { Info, ProblemNote } from '../../state/problem_note';
import { toast } from '../../state/toast';
import { useNow } from '../../time/now';
import { Expiry, Past } from '../../time/when';
import {
  accountsChanged,
  generateKey,
  living,
  replaceKey,
  type ServiceAccount,
  type ServiceAccountKey,
  shortID,
} from './account';
import { RevokeKey } from './dialogs';
import { fileName } from './snippets';

interface KeysProps {
  account: ServiceAccount;
  keys: ServiceAccountKey[] | undefined;
  error: unknown;
}

type Doing = 'rotate' | 'revoke';

/** The keys of an account: each is generated, replaced and revoked by itself. */
export function Keys({ account, keys, error }: KeysProps) {
  const once = useOnce();
  const saved = useSavedKey();
  const [busy, setBusy] = useState(false);
  const [problem, setProblem] = useState<unknown>();
  const [doing, setDoing] = useState<{ what: Doing; key: ServiceAccountKey }>();
  const [asking, setAsking] = useState<Doing>();
  const [replaced, setReplaced] = useState<string>();
  const stillThere = keys?.some((key) => key.key_id === saved.keyID && living(key));
  const file = stillThere && saved.keyID && <SavedFile keyID={saved.keyID} />;
  const rotation = useRotation(rotationOf(keys, replaced, file ? <Info>{file}</Info> : undefined));

  async function generate() {
    setBusy(true);
    setProblem(undefined);
    try {
      const key = await generateKey(account.id, once.headers());
      once.renew();
      await accountsChanged();
      saved.tell(key);
    } catch (failure) {
      setProblem(failure);
    } finally {
      setBusy(false);
    }
  }
  const ask = (what: Doing, key: ServiceAccountKey) => {
    setDoing({ what, key });
    setAsking(what);
  };
  const dialog = (what: Doing) => ({
    account,
    serviceKey: doing!.key,
    open: asking === what,
    onClose: () => setAsking(undefined),
  });
  return (
    <Card
      title="Keys"
      note="Only the public half is stored"
      flush
      actions={
        <Button
          leftSection={<IconPlus size={16} aria-hidden />}
          loading={busy}
          disabled={account.state !== 'active'}
          onClick={() => void generate()}
        >
          Generate key
        </Button>
      }
    >
      {file && (
        <div className="keysaved" role="status">
          <IconCircleCheck size={16} stroke={1.8} aria-hidden />
          {file}
        </div>
      )}
      {account.state !== 'active' && (
        <p className="cardnote">The account is suspended, so no key can be generated. Resume it first.</p>
      )}
      {(problem !== undefined || Boolean(error)) && (
        <div className="cardb">
          <ProblemNote error={problem ?? error} />
        </div>
      )}
      {keys?.length === 0 && <p className="cardnote">No keys yet. Without one the account cannot call anything.</p>}
      {keys !== undefined && keys.length > 0 && (
        <KeyTable
          account={account}
          keys={keys}
          onAsk={ask}
          onFollow={(key) => {
            setReplaced(key.id);
            rotation.open();
          }}
        />
      )}
      {doing && (
        <>
          <RevokeKey key={`revoke ${doing.key.id}`} {...dialog('revoke')} />
          <RotateKey
            key={`rotate ${doing.key.id}`}
            {...dialog('rotate')}
            onRotated={(fresh, grace) => {
              saved.tell(fresh);
              if (grace === 0) return toast('Key rotated');
              setReplaced(doing.key.id);
              rotation.open();
            }}
          />
        </>
      )}
      {rotation.dialogs}
    </Card>
  );
}

/** The key whose file the browser has just saved, also after coming from where it was made. */
function useSavedKey() {
  const navigate = useNavigate();
  const keyID = useLocation({ select: (location) => (location.state as { savedKey?: string }).savedKey });
  const tell = (key: string) =>
    void navigate({
      to: '.',
      search: ((old: object) => ({ ...old, key })) as never,
      state: { savedKey: key } as never,
      replace: true,
    });
  return { keyID, tell };
}

function SavedFile({ keyID }: { keyID: string }) {
  return (
    <span>
      Your browser saved <span className="mono">{fileName(keyID)}</span>. It holds the private key, of which Claviger
      keeps no copy.
    </span>
  );
}

/** The rotation of the key that another takes the place of; undefined where none is followed. */
function rotationOf(
  keys: ServiceAccountKey[] | undefined,
  id: string | undefined,
  note: Rotation['note'],
): Rotation | undefined {
  const old = keys?.find((key) => key.id === id);
  if (!old) return undefined;
  return {
    kind: 'service-account-keys',
    id: old.id,
    name: `Key ${shortID(old)}`,
    what: 'key',
    until: replacedUntil(old),
    mayRollBack: true,
    again: 'as long as it would have',
    note,
    changed: accountsChanged,
  };
}

/** When a key ends whose place another takes. */
function replacedUntil(key: ServiceAccountKey): string | undefined {
  return key.replaced_by && living(key) ? key.expires_at : undefined;
}

interface TableProps {
  account: ServiceAccount;
  keys: ServiceAccountKey[];
  onAsk: (what: Doing, key: ServiceAccountKey) => void;
  onFollow: (key: ServiceAccountKey) => void;
}

function KeyTable({ account, keys, onAsk, onFollow }: TableProps) {
  const expires = keys.some((key) => key.expires_at);
  return (
    <div className="tscroll">
      <table className="plain keytable" aria-label="Keys">
        <thead>
          <tr>
            <th scope="col">Key ID</th>
            <th scope="col">Created</th>
            {expires && <th scope="col">Expires</th>}
            <th scope="col">Last used</th>
            <th scope="col">State</th>
            <th scope="col">
              <span className="hidden">Actions</span>
            </th>
          </tr>
        </thead>
        <tbody>
          {keys.map((key) => (
            <KeyRow key={key.id} account={account} row={key} expires={expires} onAsk={onAsk} onFollow={onFollow} />
          ))}
        </tbody>
      </table>
    </div>
  );
}

function KeyRow({
  account,
  row,
  expires,
  onAsk,
  onFollow,
}: Omit<TableProps, 'keys'> & { row: ServiceAccountKey; expires: boolean }) {
  const now = useNow();
  const replaced = inGrace(replacedUntil(row), now);
  const act = { variant: 'subtle', size: 'compact-sm', className: 'revoke' } as const;
  return (
    <tr>
      <td>
        <span className="mono">{row.key_id}</span>
        {!/^Key [0-9a-f]{8}$/.test(row.name) && <span className="muted keylabel">{row.name}</span>}
      </td>
      <td data-label="Created">
        <Past at={row.created_at} />
      </td>
      {expires && (
        <td data-label="Expires">{living(row) ? <Expiry at={row.expires_at} /> : <span className="muted">–</span>}</td>
      )}
      <td data-label="Last used">
        <Past at={row.last_used_at} />
      </td>
      <td>
        {replaced && row.state === 'active' ? <Badge color="ink">Rotating</Badge> : <StateBadge state={row.state} />}
      </td>
      <td data-align="right">
        {replaced && (
          <Button {...act} color="gray" aria-label={`Who still uses ${row.key_id}`} onClick={() => onFollow(row)}>
            Who still uses it
          </Button>
        )}
        {!replaced && row.state === 'active' && account.state === 'active' && (
          <Button {...act} color="gray" aria-label={`Rotate ${row.key_id}`} onClick={() => onAsk('rotate', row)}>
            Rotate
          </Button>
        )}
        {!replaced && living(row) && (
          <Button {...act} color="red" aria-label={`Revoke ${row.key_id}`} onClick={() => onAsk('revoke', row)}>
            Revoke
          </Button>
        )}
      </td>
    </tr>
  );
}

/** Makes the key that takes the place of one: why, and so for how long both work. */
function RotateKey({
  serviceKey,
  open,
  onClose,
  onRotated,
}: {
  serviceKey: ServiceAccountKey;
  open: boolean;
  onClose: () => void;
  /** With the new key's ID. */
  onRotated: (keyID: string, graceSeconds: number) => void;
}) {
  return (
    <Dialog open={open} onClose={onClose} title={`Rotate key ${shortID(serviceKey)}?`}>
      <RotateForm
        what="key"
        action="Rotate key"
        onCancel={onClose}
        rotate={async (grace, header) => {
          const fresh = await replaceKey(serviceKey.id, grace, header);
          await accountsChanged();
          onClose();
          onRotated(fresh, grace);
        }}
      >
        <Text size="md">
          A second key takes its place, under a key ID of its own. Your browser saves its file. Put that into every
          program that has this one’s.
        </Text>
      </RotateForm>
    </Dialog>
  );
}
