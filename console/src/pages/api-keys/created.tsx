import { Button, Group, Stack } from '@mantine/core';
import { useEffect, useRef, useState } from 'react';
import type { Schema } from '../../api/client';
import { Code, ShownValue, useHoldPage } from '../../dialog/secret';
import { Facts } from '../../shell/page';
import { Info, Notice } from '../../state/problem_note';
import { Expiry, Moment } from '../../time/when';
import { called } from './keys';

type Issued = Schema<'IssuedAPIKey'>;

const asUser = (id: string) => `curl https://api.example.com/v1/reports \\\n  --user "${id}:$API_KEY"`;

/** A desktop client signs in whoever is signed on to the computer. */
const asOrganization = () =>
  `curl ${location.origin}/v1/sign-in/automatic \\
  -H 'Content-Type: application/json' \\
  -d "{\\"key\\":\\"$API_KEY\\",\\"username\\":\\"$USER\\",\\"client\\":\\"desktop\\"}"`;

/** The new key, until "I have saved it": it is in no other place of the page. */
export function KeyShown({ issued, onSaved }: { issued: Issued; onSaved: () => void }) {
  const [copied, setCopied] = useState(false);
  const box = useRef<HTMLDivElement>(null);
  const user = issued.kind === 'user_key';
  const shown = issued.secret_available;
  useHoldPage(shown && !issued.recoverable);
  useEffect(() => {
    // The dialogue was open already, with another content.
    box.current?.querySelector<HTMLElement>('[data-autofocus]')?.focus();
  }, []);
  return (
    <Stack gap={16} ref={box}>
      {!shown ? (
        <Notice>
          The key was made when you pressed the button first, and the answer with it was lost on the way.{' '}
          {issued.recoverable ? 'Show it on its page.' : 'Rotate it to get a new secret, or revoke it.'}
        </Notice>
      ) : issued.recoverable ? (
        <Info>You can show this key again later. Showing it is written to the audit log.</Info>
      ) : (
        <Notice>
          <b>This key is shown only now.</b> Claviger keeps no copy of it. If it is lost, create another and revoke this
          one.
        </Notice>
      )}
      {shown && (
        <ShownValue
          label="API key"
          value={issued.key ?? ''}
          secret
          primary={!copied}
          onCopied={() => setCopied(true)}
        />
      )}
      {user && <ShownValue label="User ID" value={issued.owner.id} />}
      {shown && (
        <div>
          <h3 className="fieldlabel">Try it</h3>
          <Code label="Try it">{user ? asUser(issued.owner.id) : asOrganization()}</Code>
        </div>
      )}
      <Facts
        items={[
          ['Name', issued.name],
          [
            user ? 'Permissions' : 'For',
            user
              ? `Always those of ${called(issued.owner)}’s current roles`
              : `Signing in people of ${issued.organization_name ?? 'its organization'} and below`,
          ],
          ['Expires', <Expiry key="e" at={issued.expires_at} />],
          [
            'Key before',
            issued.previous_valid_until && (
              <>
                Works until <Moment at={issued.previous_valid_until} />
              </>
            ),
          ],
        ]}
      />
      <Group justify="flex-end">
        <Button variant={copied || !shown ? 'filled' : 'default'} onClick={onSaved}>
          {shown ? 'I have saved it' : 'Close'}
        </Button>
      </Group>
    </Stack>
  );
}
