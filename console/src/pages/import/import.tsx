import { Button, Checkbox, FileInput, Group, Progress, Select, Stack } from '@mantine/core';
import { useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import { answered, api, type Schema } from '../../api/client';
import { useCan } from '../../session/me';
import { Card } from '../../shell/page';
import { Info, Notice, ProblemNote } from '../../state/problem_note';
import { settings, TenantPage } from '../settings/tenant_page';
import { type Column, columns, guess, type KeyFile, pieces, readKeys } from './read_file';

const labels: Record<Column, string> = {
  name: 'Name',
  owner: 'Owner',
  key: 'Key',
  digest: 'Digest',
  expires_at: 'Ends',
};

/** Settings → Import keys: a file of keys that another system made (PV3). */
export function ImportPage() {
  const operator = useCan('claviger.tenants:manage');
  return (
    <TenantPage
      kind="settings"
      title="Import keys"
      parent={settings}
      help="import"
      needs="claviger.api_keys:manage"
      right="API keys of others"
    >
      {({ id, import_until: until }) =>
        operator || (until && new Date(until) > new Date()) ? (
          <Import tenant={id} />
        ) : (
          <Info>
            Keys of other systems are imported by the operators of this installation, or while they let you. Ask them to
            open a window.
          </Info>
        )
      }
    </TenantPage>
  );
}

type Done = Schema<'ImportProgress'> & { dryRun: boolean };

function Import({ tenant }: { tenant: string }) {
  const client = useQueryClient();
  const [chosen, setChosen] = useState<File | null>(null);
  const [file, setFile] = useState<KeyFile>();
  const [map, setMap] = useState<Partial<Record<Column, string>>>({});
  const [weak, setWeak] = useState(false);
  const [sent, setSent] = useState<number>();
  const [done, setDone] = useState<Done>();
  const [error, setError] = useState<unknown>();
  const ready = map.name && map.owner && (map.key || map.digest);

  async function choose(next: File | null) {
    setChosen(next);
    setDone(undefined);
    setError(undefined);
    setFile(undefined);
    if (!next) return;
    if (next.size > 100 << 20) return setError('This file is larger than 100 MB. Import it with the claviger command.');
    const read = readKeys(await next.text(), /\.(jsonl|ndjson)$/i.test(next.name));
    if (read.rows.length === 0)
      return setError('This file has no keys: the first line names the columns, and each line after it is a key.');
    setFile(read);
    setMap(guess(read.heads));
  }

  async function run(dryRun: boolean) {
    if (!file || !chosen) return;
    setError(undefined);
    setDone(undefined);
    setSent(0);
    try {
      const body = { total: file.rows.length, dry_run: dryRun, accept_weak: weak, source: chosen.name.slice(0, 200) };
      const begun = await answered(api.POST('/v1/imports', { params: { query: { tenant_id: tenant } }, body }));
      const path = { params: { path: { id: begun.id } } };
      const refused: Schema<'ImportRefusal'>[] = [];
      for (const lines of pieces(file.rows, map)) {
        const now = await answered(api.POST('/v1/imports/{id}/lines', { ...path, body: { lines } }));
        refused.push(...now.refused.slice(0, 100 - refused.length));
        setSent(now.done);
      }
      const end = await answered(api.POST('/v1/imports/{id}/finish', path));
      setDone({ ...end, refused, dryRun });
      if (!dryRun) await client.invalidateQueries();
    } catch (problem) {
      setError(problem);
    } finally {
      setSent(undefined);
    }
  }

  return (
    <Stack gap={16}>
      <Card title="The file">
        <Stack gap={16}>
          <FileInput
            label="Keys that another system made"
            description="CSV whose first line names the columns, or JSON Lines. It is read here and sent in pieces; keys are never kept in clear."
            placeholder="Choose a file"
            accept=".csv,.tsv,.txt,.jsonl,.ndjson"
            value={chosen}
            onChange={(next) => void choose(next)}
            disabled={sent !== undefined}
            clearable
            clearButtonProps={{ 'aria-label': 'Choose no file' }}
          />
          {file && (
            <Columns
              file={file}
              map={map}
              onChange={(next) => {
                setMap(next);
                setDone(undefined);
              }}
            />
          )}
          {file && (
            <Checkbox
              label="Accept weak keys"
              description="Keys of less than 112 bits. They are marked, and guessing at them is slowed down."
              checked={weak}
              onChange={(event) => {
                setWeak(event.currentTarget.checked);
                setDone(undefined);
              }}
            />
          )}
          {file && !ready && (
            <Notice>Say which column is the name, which the owner, and which the key or its digest.</Notice>
          )}
          <ProblemNote error={error} />
          {sent !== undefined && file && (
            <div role="status">
              <Progress value={(100 * sent) / file.rows.length} aria-label="Lines sent" />
              <p className="muted formnote">
                {sent} of {file.rows.length} lines. Leave this page open.
              </p>
            </div>
          )}
          {file && (
            <Group justify="flex-end" gap={8}>
              {ready && !done?.dryRun && sent === undefined && (
                <span className="muted formnote grow">Check the file before you import it.</span>
              )}
              <Button variant="default" disabled={!ready || sent !== undefined} onClick={() => void run(true)}>
                Check the file
              </Button>
              <Button disabled={!ready || !done?.dryRun || sent !== undefined} onClick={() => void run(false)}>
                Import {done?.dryRun ? done.done - done.failed_total : file.rows.length} keys
              </Button>
            </Group>
          )}
        </Stack>
      </Card>
      {done && <Report done={done} />}
    </Stack>
  );
}

function Columns({
  file,
  map,
  onChange,
}: {
  file: KeyFile;
  map: Partial<Record<Column, string>>;
  onChange: (map: Partial<Record<Column, string>>) => void;
}) {
  return (
    <div className="importcolumns">
      {columns.map((column) => (
        <Select
          key={column}
          label={labels[column]}
          placeholder="None"
          data={[...new Set(file.heads)].filter((head) => head !== '')}
          value={map[column] ?? null}
          onChange={(head) => onChange({ ...map, [column]: head ?? undefined })}
          clearable
          clearButtonProps={{ 'aria-label': `No column for ${labels[column]}` }}
        />
      ))}
    </div>
  );
}

function Report({ done }: { done: Done }) {
  const good = done.done - done.failed_total;
  const actions = done.failed_total > 0 && (
    <Button component="a" href={`/v1/imports/${done.id}/report`} variant="default" download>
      Download report
    </Button>
  );
  return (
    <Card title={done.dryRun ? 'What would happen' : 'What was imported'} actions={actions} flush>
      <div className="cardb" role="status">
        {good} of {done.done} lines {done.dryRun ? 'are good. Nothing has been imported yet.' : 'were imported.'}{' '}
        {done.failed_total > 0 && `${done.failed_total} ${done.dryRun ? 'would be' : 'were'} refused.`}
      </div>
      {done.refused.length > 0 && (
        <table className="plain roomy" aria-label="Refused lines">
          <thead>
            <tr>
              <th scope="col">Line</th>
              <th scope="col">{done.dryRun ? 'Why it would be refused' : 'Why it was refused'}</th>
            </tr>
          </thead>
          <tbody>
            {done.refused.map((r) => (
              <tr key={r.line}>
                <td className="mono">{r.line}</td>
                <td>{r.message}</td>
              </tr>
            ))}
          </tbody>
        </table>
      )}
    </Card>
  );
}
