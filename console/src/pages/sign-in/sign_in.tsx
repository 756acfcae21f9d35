import { Button, PasswordInput, Stack, Text } from '@mantine/core';
import { useNavigate, useSearch } from '@tanstack/react-router';
import { type FormEvent, useState } from 'react';
import { answer, api } from '../../api/client';
import { fieldErrors } from '../../api/problem';
import { queryClient } from '../../api/query';
import { TextField } from '../../dialog/text_field';
import { meQuery } from '../../session/me';
import { ProblemNote } from '../../state/problem_note';
import { Door } from '../../shell/door';

const rememberedTenant = 'claviger-tenant';

/** Where to go after signing in: a page of this console and nothing else. */
export function safeNext(next: string | undefined): string {
  return next && /^\/(?![/\\])/.test(next) && !next.startsWith('/sign-in') ? next : '/';
}

/** Sign-in with tenant, user name and password. */
export function SignInPage() {
  const search = useSearch({ strict: false }) as { next?: string; tenant_name?: string };
  const navigate = useNavigate();
  const [tenant, setTenant] = useState(() => localStorage.getItem(rememberedTenant) ?? '');
  const [username, setUsername] = useState('');
  const [password, setPassword] = useState('');
  const [errors, setErrors] = useState<Record<string, string>>({});
  const [busy, setBusy] = useState(false);

  async function submit(event: FormEvent) {
    event.preventDefault();
    const missing: Record<string, string> = {};
    if (tenant.trim() === '') missing.tenant = 'Enter your company’s short name';
    if (username.trim() === '') missing.username = 'Enter your user name';
    if (password === '') missing.password = 'Enter your password';
    setErrors(missing);
    if (Object.keys(missing).length > 0) return;
    setBusy(true);
    try {
      await answer(api.POST('/v1/sessions', { body: { tenant: tenant.trim(), username: username.trim(), password } }));
      localStorage.setItem(rememberedTenant, tenant.trim());
      queryClient.clear();
      await queryClient.fetchQuery(meQuery);
      await navigate({ href: safeNext(search.next), replace: true });
    } catch (problem) {
      setPassword('');
      setErrors(fieldErrors(problem, ['tenant', 'username', 'password']));
    } finally {
      setBusy(false);
    }
  }

  return (
    <Door title="Sign in">
      <form onSubmit={submit} noValidate>
        <Stack gap={16} mt={16}>
          <TextField
            label="Company"
            description="The short name you were given, such as northwind-voice"
            name="tenant"
            autoComplete="organization"
            autoCapitalize="none"
            spellCheck={false}
            autoFocus={tenant === ''}
            value={tenant}
            onChange={setTenant}
            error={errors.tenant}
          />
          <TextField
            label="User name"
            name="username"
            autoComplete="username"
            autoCapitalize="none"
            spellCheck={false}
            autoFocus={tenant !== ''}
            value={username}
            onChange={setUsername}
            error={errors.username}
          />
          <PasswordInput
            label="Password"
            name="password"
            autoComplete="current-password"
            value={password}
            onChange={(event) => setPassword(event.currentTarget.value)}
            error={errors.password}
          />
          <ProblemNote error={errors['']} />
          <Button type="submit" loading={busy} fullWidth>
            Sign in
          </Button>
          <Text size="xs" c="dimmed">
            No account yet? An administrator of your company invites you with a link.
          </Text>
        </Stack>
      </form>
    </Door>
  );
}
