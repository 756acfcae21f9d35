import { ActionIcon, Button, Group, NumberInput, Select, Stack, Text, Textarea } from '@mantine/core';
import { IconPlus, IconTrash } from '@tabler/icons-react';
import { useState } from 'react';
import { answered, api, type Schema } from '../../api/client';
import { Dialog, DialogForm, FieldError } from '../../dialog/dialog';
import { TextField } from '../../dialog/text_field';
import { counted, number } from '../../words';
import { type APIKey, refreshKeys } from './keys';

type Limits = Schema<'Limits'>;

const windows = [
  { value: '1', label: 'a second' },
  { value: '60', label: 'a minute' },
  { value: '3600', label: 'an hour' },
  { value: '86400', label: 'a day' },
];
const periods = [
  { value: 'day', label: 'a day' },
  { value: 'month', label: 'a month' },
  { value: 'forever', label: 'in all' },
];

/** Where from and how much a key may be used. */
export function Restrictions({ apiKey }: { apiKey: APIKey }) {
  const { networks, limits } = apiKey;
  const rates = limits?.rates ?? [];
  const quotas = limits?.quotas ?? [];
  return (
    <dl className="kv">
      <div>
        <dt>Networks</dt>
        <dd>
          {networks.length === 0
            ? 'Anywhere'
            : networks.map((network) => (
                <div key={network} className="mono">
                  {network}
                </div>
              ))}
        </dd>
      </div>
      <div>
        <dt>Rates</dt>
        <dd>
          {rates.length === 0
            ? 'None'
            : rates.map((rate) => (
                <div key={rate.name}>
                  {counted(rate.limit, 'call', 'calls')} {inWindow(rate.window_seconds)}{' '}
                  <span className="muted">{rate.name}</span>
                </div>
              ))}
        </dd>
      </div>
      <div>
        <dt>Quotas</dt>
        <dd>
          {quotas.length === 0
            ? 'None'
            : quotas.map((quota) => (
                <div key={quota.name}>
                  {counted(quota.limit, 'call', 'calls')} {periods.find((p) => p.value === quota.period)?.label}{' '}
                  <span className="muted">{quota.name}</span>
                </div>
              ))}
        </dd>
      </div>
    </dl>
  );
}

function inWindow(seconds: number): string {
  return windows.find((w) => w.value === String(seconds))?.label ?? `in ${number(seconds)} seconds`;
}

/** Changes them, of an organization's key. */
export function RestrictionsDialog({ apiKey, open, onClose }: { apiKey: APIKey; open: boolean; onClose: () => void }) {
  return (
    <Dialog open={open} onClose={onClose} title="Networks and limits" size={600}>
      <RestrictionsForm apiKey={apiKey} onClose={onClose} />
    </Dialog>
  );
}

interface Line {
  id: number;
  name: string;
  limit: number | string;
  per: string;
}

function RestrictionsForm({ apiKey, onClose }: { apiKey: APIKey; onClose: () => void }) {
  const [networks, setNetworks] = useState(apiKey.networks.join('\n'));
  const [rates, setRates] = useState<Line[]>(() =>
    (apiKey.limits?.rates ?? []).map((r, id) => ({ id, name: r.name, limit: r.limit, per: String(r.window_seconds) })),
  );
  const [quotas, setQuotas] = useState<Line[]>(() =>
    (apiKey.limits?.quotas ?? []).map((q, id) => ({ id, name: q.name, limit: q.limit, per: q.period })),
  );
  async function submit() {
    for (const line of [...rates, ...quotas]) {
      if (line.name.trim() === '') throw new FieldError('limits', 'Give each limit a name');
      if (typeof line.limit !== 'number' || line.limit < 1) throw new FieldError('limits', 'Enter a number of calls');
    }
    const limits: Limits = {
      rates: rates.map((r) => ({ name: r.name.trim(), limit: Number(r.limit), window_seconds: Number(r.per) })),
      quotas: quotas.map((q) => ({
        name: q.name.trim(),
        limit: Number(q.limit),
        period: q.per as 'day' | 'month' | 'forever',
      })),
    };
    await answered(
      api.PATCH('/v1/api-keys/{id}', {
        params: { path: { id: apiKey.id } },
        body: { networks: networks.split(/[\s,;]+/).filter(Boolean), limits },
      }),
    );
    await refreshKeys();
    onClose();
  }
  return (
    <DialogForm fields={['networks', 'limits']} action="Save" onCancel={onClose} onSubmit={submit}>
      {(errors) => (
        <>
          <Textarea
            label="Networks"
            description="Addresses or networks, one a line. It works from nowhere else. Empty: from anywhere."
            placeholder="192.0.2.0/24"
            autosize
            minRows={2}
            maxRows={8}
            data-autofocus
            value={networks}
            error={errors.networks}
            onChange={(event) => setNetworks(event.currentTarget.value)}
            classNames={{ input: 'mono' }}
          />
          <Lines what="Rates" add="Add a rate" usual="60" periods={windows} lines={rates} onChange={setRates} />
          <Lines what="Quotas" add="Add a quota" usual="month" periods={periods} lines={quotas} onChange={setQuotas} />
          {errors.limits && (
            <Text size="xs" c="error" role="alert">
              {errors.limits}
            </Text>
          )}
        </>
      )}
    </DialogForm>
  );
}

function Lines({
  what,
  add,
  usual,
  periods: choices,
  lines,
  onChange,
}: {
  what: string;
  add: string;
  usual: string;
  periods: { value: string; label: string }[];
  lines: Line[];
  onChange: (lines: Line[]) => void;
}) {
  const change = (id: number, patch: Partial<Line>) =>
    onChange(lines.map((line) => (line.id === id ? { ...line, ...patch } : line)));
  const one = what.toLowerCase().replace(/s$/, '');
  return (
    <fieldset className="plainset">
      <legend className="fieldlabel">{what}</legend>
      <Stack gap={8}>
        {lines.map((line, i) => {
          const known = choices.some((c) => c.value === line.per);
          return (
            <Group key={line.id} gap={8} wrap="nowrap">
              <TextField
                aria-label={`Name of ${one} ${i + 1}`}
                placeholder="Name"
                flex={1}
                maxLength={63}
                value={line.name}
                onChange={(text) => change(line.id, { name: text })}
              />
              <NumberInput
                aria-label={`Calls of ${one} ${i + 1}`}
                placeholder="Calls"
                w={110}
                min={1}
                allowDecimal={false}
                thousandSeparator=","
                hideControls
                value={line.limit}
                onChange={(limit) => change(line.id, { limit })}
              />
              <Select
                aria-label={`Period of ${one} ${i + 1}`}
                w={130}
                data={known ? choices : [...choices, { value: line.per, label: inWindow(Number(line.per)) }]}
                value={line.per}
                onChange={(per) => per && change(line.id, { per })}
              />
              <ActionIcon
                aria-label={`Remove ${one} ${i + 1}`}
                onClick={() => onChange(lines.filter((l) => l.id !== line.id))}
              >
                <IconTrash size={16} stroke={1.6} />
              </ActionIcon>
            </Group>
          );
        })}
        {lines.length < 10 && (
          <div>
            <Button
              variant="default"
              size="compact-sm"
              leftSection={<IconPlus size={14} aria-hidden />}
              onClick={() =>
                onChange([
                  ...lines,
                  { id: 1 + Math.max(-1, ...lines.map((l) => l.id)), name: '', limit: '', per: usual },
                ])
              }
            >
              {add}
            </Button>
          </div>
        )}
      </Stack>
    </fieldset>
  );
}
