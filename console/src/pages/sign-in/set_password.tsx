import { Button, PasswordInput, Stack, Text } from '@mantine/core';
import { useNavigate } from '@tanstack/react-router';
import { type FormEvent, type ReactNode, useState } from 'react';
import { fieldErrors } from '../../api/problem';
import { queryClient } from '../../api/query';
import { ProblemNote } from '../../state/problem_note';
import { Door } from '../../shell/door';

/** The one-time token of a link. It stands in the fragment, which no server sees, and leaves the address at once. */
export function takeToken(): string {
  const token = new URLSearchParams(location.hash.slice(1)).get('token') ?? '';
  if (location.hash !== '') history.replaceState(history.state, '', location.pathname);
  return token;
}

interface SetPasswordProps {
  title: string;
  text: string;
  action: string;
  /** Further fields above the passwords. */
  children?: ReactNode;
  fields: readonly string[];
  errorsTo?: (errors: Record<string, string>) => void;
  send: (password: string) => Promise<unknown>;
}

/** A form in which someone sets their first password. */
export function SetPassword({ title, text, action, children, fields, errorsTo, send }: SetPasswordProps) {
  const navigate = useNavigate();
  const [password, setPassword] = useState('');
  const [again, setAgain] = useState('');
  const [errors, setErrors] = useState<Record<string, string>>({});
  const [busy, setBusy] = useState(false);
  async function submit(event: FormEvent) {
    event.preventDefault();
    if (password.length < 12) return setErrors({ password: 'Use 12 characters or more' });
    if (password !== again) return setErrors({ again: 'This is not the same password' });
    setBusy(true);
    setErrors({});
    try {
      await send(password);
      queryClient.clear();
      await navigate({ to: '/', replace: true });
    } catch (problem) {
      const found = fieldErrors(problem, ['password', ...fields]);
      setErrors(found);
      errorsTo?.(found);
    } finally {
      setBusy(false);
    }
  }
  return (
    <Door title={title}>
      <form onSubmit={submit} noValidate>
        <Stack gap={16} mt={8}>
          <Text size="md">{text}</Text>
          {children}
          <PasswordInput
            label="Password"
            description="12 characters or more"
            autoComplete="new-password"
            value={password}
            onChange={(event) => setPassword(event.currentTarget.value)}
            error={errors.password}
          />
          <PasswordInput
            label="The same password again"
            autoComplete="new-password"
            value={again}
            onChange={(event) => setAgain(event.currentTarget.value)}
            error={errors.again}
          />
          <ProblemNote error={errors['']} />
          <Button type="submit" loading={busy} fullWidth>
            {action}
          </Button>
        </Stack>
      </form>
    </Door>
  );
}
