import { Checkbox, MultiSelect, Select, Stack, Textarea } from '@mantine/core';
import { useState } from 'react';
import { DialogForm, FieldError } from '../../dialog/dialog';
import { TextField } from '../../dialog/text_field';
import { keyOf, listOf } from './edit';

/** What a form of the catalogue asks for. */
export interface Field {
  name: string;
  label: string;
  description?: string;
  kind: 'text' | 'list' | 'flag' | 'one' | 'many';
  choices?: { value: string; label: string }[];
}

export type Values = Record<string, string | boolean | string[]>;

interface EntryFormProps {
  fields: Field[];
  /** What is there; without a key, the key is made of the name. */
  values: Values;
  isNew: boolean;
  action: string;
  onCancel: () => void;
  onSubmit: (values: Values) => Promise<unknown>;
}

/** The form of one thing of the catalogue: its name and key, then what it has besides. */
export function EntryForm({ fields, values, isNew, action, onCancel, onSubmit }: EntryFormProps) {
  const [form, setForm] = useState<Values>(values);
  const [ownKey, setOwnKey] = useState<string>();
  const name = String(form.name ?? '');
  const key = isNew ? (ownKey ?? keyOf(name)) : String(values.key);
  const set = (field: string, value: Values[string]) => setForm((old) => ({ ...old, [field]: value }));
  async function submit() {
    if (name.trim() === '') throw new FieldError('name', 'Enter a name');
    if (key === '') throw new FieldError('key', 'Enter a key');
    const out: Values = { ...form, name: name.trim(), key };
    for (const field of fields) if (field.kind === 'list') out[field.name] = listOf(String(form[field.name] ?? ''));
    await onSubmit(out);
  }
  return (
    <DialogForm fields={['name', 'key']} onSubmit={submit} onCancel={onCancel} action={action}>
      {(errors) => (
        <Stack gap={16}>
          <TextField
            label="Name"
            data-autofocus
            value={name}
            onChange={(text) => set('name', text)}
            error={errors.name}
          />
          <TextField
            label="Key"
            description={isNew ? 'For programs; it cannot be changed later' : 'It cannot be changed'}
            spellCheck={false}
            readOnly={!isNew}
            value={key}
            onChange={setOwnKey}
            error={errors.key}
          />
          {fields.map((field) => (
            <FieldInput key={field.name} field={field} value={form[field.name]} onChange={(v) => set(field.name, v)} />
          ))}
        </Stack>
      )}
    </DialogForm>
  );
}

interface FieldInputProps {
  field: Field;
  value: Values[string] | undefined;
  onChange: (value: Values[string]) => void;
}

function FieldInput({ field, value, onChange }: FieldInputProps) {
  const { label, description } = field;
  switch (field.kind) {
    case 'flag':
      return (
        <Checkbox
          label={label}
          description={description}
          checked={value === true}
          onChange={(event) => onChange(event.currentTarget.checked)}
        />
      );
    case 'one':
      return (
        <Select
          label={label}
          description={description}
          data={field.choices ?? []}
          value={String(value ?? '')}
          onChange={(next) => onChange(next ?? '')}
        />
      );
    case 'many':
      return (
        <MultiSelect
          label={label}
          description={description}
          data={field.choices ?? []}
          value={Array.isArray(value) ? value : []}
          onChange={onChange}
        />
      );
    case 'list':
      return (
        <Textarea
          label={label}
          description={description}
          autosize
          minRows={2}
          maxRows={10}
          spellCheck={false}
          classNames={{ input: 'monoinput' }}
          value={String(value ?? '')}
          onChange={(event) => onChange(event.currentTarget.value)}
        />
      );
    default:
      return <TextField label={label} description={description} value={String(value ?? '')} onChange={onChange} />;
  }
}
