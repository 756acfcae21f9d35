import { Button, Group, PasswordInput, Stack } from '@mantine/core';
import { useQueryClient } from '@tanstack/react-query';
import { type FormEvent, useState } from 'react';
import { answer, api } from '../../api/client';
import { fieldErrors } from '../../api/problem';
import { useMe } from '../../session/me';
import { Card } from '../../shell/page';
import { ProblemNote } from '../../state/problem_note';
import { toast } from '../../state/toast';

const empty = { current: '', next: '', again: '' };

/** Changes the person's password; every other session of theirs ends. */
export function PasswordCard() {
  const me = useMe();
  const client = useQueryClient();
  const [form, setForm] = useState(empty);
  const [errors, setErrors] = useState<Record<string, string>>({});
  const [busy, setBusy] = useState(false);
  const set = (field: keyof typeof empty, value: string) => {
    setForm((old) => ({ ...old, [field]: value }));
    setErrors({});
  };
  async function submit(event: FormEvent) {
    event.preventDefault();
    if (form.current === '') return setErrors({ current_password: 'Enter your present password' });
    if (form.next.length < 12) return setErrors({ new_password: 'Use 12 characters or more' });
    if (form.next !== form.again) return setErrors({ again: 'This is not the same password' });
    setBusy(true);
    setErrors({});
    try {
      await answer(api.POST('/v1/me/password', { body: { current_password: form.current, new_password: form.next } }));
      setForm(empty);
      toast('Password changed');
      await client.invalidateQueries({ queryKey: ['get', '/v1/sessions'] });
    } catch (problem) {
      setErrors(fieldErrors(problem, ['current_password', 'new_password']));
    } finally {
      setBusy(false);
    }
  }
  return (
    <Card title="Password">
      <form onSubmit={submit} noValidate>
        <Stack gap={16}>
          <input type="text" name="username" autoComplete="username" defaultValue={me.username} hidden readOnly />
          <PasswordInput
            label="Present password"
            autoComplete="current-password"
            value={form.current}
            onChange={(event) => set('current', event.currentTarget.value)}
            error={errors.current_password}
          />
          <PasswordInput
            label="New password"
            description="12 to 128 characters, not your user name"
            autoComplete="new-password"
            value={form.next}
            onChange={(event) => set('next', event.currentTarget.value)}
            error={errors.new_password}
          />
          <PasswordInput
            label="The new password again"
            autoComplete="new-password"
            value={form.again}
            onChange={(event) => set('again', event.currentTarget.value)}
            error={errors.again}
          />
          <p className="muted formnote">Your other devices are signed out.</p>
          <ProblemNote error={errors['']} />
          <Group justify="flex-end">
            <Button type="submit" loading={busy} disabled={form.current + form.next + form.again === ''}>
              Change password
            </Button>
          </Group>
        </Stack>
      </form>
    </Card>
  );
}
