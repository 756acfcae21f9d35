import { Button, Collapse, Group, Radio, Stack, Text } from '@mantine/core';
import { useState } from 'react';
import type { Schema } from '../../api/client';
import { Dialog } from '../../dialog/dialog';
import { ProblemNote } from '../../state/problem_note';
import { Expiry, Past } from '../../time/when';
import { counted, kinds, number } from '../../words';
import { plural } from '../organizations/kinds';

type Preview = Schema<'PolicyPreview'>;
type Rule = Schema<'RulePreview'>;
type Effect = Schema<'PolicyEffect'>;

interface PolicyPreviewDialogProps {
  preview: Preview;
  onSave: (apply: 'new' | 'all') => Promise<unknown>;
  onClose: () => void;
}

/** What a policy affects, and whether it is for new credentials or for all. */
export function PolicyPreviewDialog({ preview, onSave, onClose }: PolicyPreviewDialogProps) {
  const [apply, setApply] = useState<'new' | 'all'>('new');
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState<unknown>();
  const touched = preview.rules.filter((rule) => rule.count > 0);
  const changes = touched.filter((rule) => rule.does !== 'listed');
  const destroys = apply === 'all' && changes.some((rule) => rule.does === 'secret_destroyed');
  async function save() {
    setBusy(true);
    setError(undefined);
    try {
      await onSave(apply);
      onClose();
    } catch (problem) {
      setError(problem);
    } finally {
      setBusy(false);
    }
  }
  return (
    <Dialog open onClose={onClose} title="Save the policy" size={640}>
      <Stack gap={16}>
        {touched.length === 0 ? (
          <Text size="md">
            {preview.living === 0
              ? 'There are no credentials yet that it could affect.'
              : `None of the ${counted(preview.living, 'existing credential', 'existing credentials')} is affected.`}
          </Text>
        ) : (
          <div>
            <Text size="md" mb={4}>
              Applied to {counted(preview.living, 'existing credential', 'existing credentials')}, it would affect:
            </Text>
            <ul className="affected" aria-label="What it would affect">
              {touched.map((rule) => (
                <RuleLine key={`${rule.rule} ${rule.kind} ${rule.does}`} rule={rule} />
              ))}
            </ul>
          </div>
        )}
        <Radio.Group label="Apply it to" value={apply} onChange={(value) => setApply(value as 'new' | 'all')}>
          <Stack gap={8} mt={4}>
            <Radio
              value="new"
              data-autofocus
              label="New credentials only"
              description="Existing ones stay as they are until they are changed."
            />
            <Radio
              value="all"
              label="All credentials"
              description={
                changes.length === 0
                  ? 'Nothing that exists has to change.'
                  : 'What is listed above happens as soon as you save.'
              }
            />
          </Stack>
        </Radio.Group>
        {destroys && <ProblemNote error="Stored copies of secrets are destroyed. This cannot be undone." />}
        <ProblemNote error={error} />
        <Group justify="flex-end" gap={8}>
          <Button variant="default" onClick={onClose}>
            Cancel
          </Button>
          <Button onClick={() => void save()} loading={busy} color={destroys ? 'red' : undefined}>
            {apply === 'all' ? 'Save and apply to all' : 'Save policy'}
          </Button>
        </Group>
      </Stack>
    </Dialog>
  );
}

function RuleLine({ rule }: { rule: Rule }) {
  const [open, setOpen] = useState(false);
  const { text, note } = sentence(rule);
  return (
    <li>
      <div className="affectedhead">
        <span>
          <strong>{text}</strong>
          <span className="muted"> {note}</span>
        </span>
        <Button
          variant="subtle"
          size="compact-sm"
          aria-expanded={open}
          aria-label={`${open ? 'Hide' : 'Show'}: ${text}`}
          onClick={() => setOpen(!open)}
        >
          {open ? 'Hide' : 'Show'}
        </Button>
      </div>
      <Collapse expanded={open} transitionDuration={0}>
        <div className="tscroll" role="region" aria-label={text} tabIndex={0}>
          <table className="plain roomy">
            <thead>
              <tr>
                <th scope="col">Name</th>
                <th scope="col">Owner</th>
                <th scope="col">{column[rule.does]}</th>
              </tr>
            </thead>
            <tbody>
              {rule.first.map((effect) => (
                <tr key={effect.id}>
                  <td>
                    <span className="break">{effect.name}</span>
                    {!rule.kind && <div className="muted formnote">{kinds[effect.kind] ?? effect.kind}</div>}
                  </td>
                  <td>{effect.owner.display_name || effect.owner.name}</td>
                  <td>
                    <Becomes rule={rule} effect={effect} />
                  </td>
                </tr>
              ))}
            </tbody>
          </table>
        </div>
        {rule.count > rule.first.length && (
          <Text size="sm" c="dimmed" mt={4}>
            And {number(rule.count - rule.first.length)} more.
          </Text>
        )}
      </Collapse>
    </li>
  );
}

const column: Record<Rule['does'], string> = {
  ends_earlier: 'Will end',
  secret_destroyed: 'Last used',
  networks_narrowed: 'Will work from',
  suspended: 'Last used',
  listed: 'Last used',
};

function Becomes({ rule, effect }: { rule: Rule; effect: Effect }) {
  if (rule.does === 'ends_earlier') return <Expiry at={effect.new_expires_at} />;
  if (rule.does === 'networks_narrowed') return <span className="mono">{effect.new_networks?.join(', ')}</span>;
  return <Past at={effect.last_used_at} />;
}

/** What a rule does, in words: "12 user keys end earlier". */
export function sentence({ rule, kind, does, count }: Rule): { text: string; note: string } {
  const these = kind ? counted(count, ...plural(kind)) : counted(count, 'credential', 'credentials');
  const one = count === 1;
  switch (does) {
    case 'ends_earlier':
      return { text: `${these} ${one ? 'ends' : 'end'} earlier`, note: 'None sooner than 30 days from now.' };
    case 'secret_destroyed':
      return { text: `${these} can no longer be shown`, note: `${one ? 'It goes' : 'They go'} on working.` };
    case 'networks_narrowed':
      return { text: `${these} ${one ? 'works' : 'work'} from fewer networks`, note: 'Calls from elsewhere fail.' };
    case 'suspended':
      return {
        text: `${these} ${one ? 'is' : 'are'} suspended`,
        note: rule === 'networks' ? `None of ${one ? 'its' : 'their'} networks is allowed.` : 'Idle for too long.',
      };
    case 'listed':
      return { text: `${these} ${one ? 'has' : 'have'} another name`, note: `${one ? 'It keeps' : 'They keep'} it.` };
  }
}
