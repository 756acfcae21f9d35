import { Button, Group, Modal, PasswordInput, Stack, Text } from '@mantine/core';
import { createContext, type FormEvent, type ReactNode, use, useCallback, useMemo, useRef, useState } from 'react';
import { answer, api } from '../api/client';
import { fieldErrors, hasCode } from '../api/problem';
import { useMe, nameOf } from './me';

/**
 * Runs something that the server allows only to people who gave their password within the
 * last five minutes. When it says so, the password is asked for, once, and it is run again.
 * Undefined: the person cancelled.
 */
export type StepUp = <T>(run: () => Promise<T>) => Promise<T | undefined>;

const Context = createContext<StepUp | null>(null);

export function useStepUp(): StepUp {
  const stepUp = use(Context);
  if (!stepUp) throw new Error('no step-up above this component');
  return stepUp;
}

export function StepUpProvider({ children }: { children: ReactNode }) {
  const [open, setOpen] = useState(false);
  const settle = useRef<((done: boolean) => void) | undefined>(undefined);

  const ask = useCallback(
    () =>
      new Promise<boolean>((resolve) => {
        settle.current = resolve;
        setOpen(true);
      }),
    [],
  );
  const close = useCallback((done: boolean) => {
    setOpen(false);
    settle.current?.(done);
    settle.current = undefined;
  }, []);
  const stepUp = useMemo<StepUp>(
    () => async (run) => {
      try {
        return await run();
      } catch (error) {
        if (!hasCode(error, 'reauthentication_required')) throw error;
      }
      return (await ask()) ? run() : undefined;
    },
    [ask],
  );
  return (
    <Context value={stepUp}>
      {children}
      <Modal
        opened={open}
        onClose={() => close(false)}
        title="Confirm that it is you"
        size={420}
        zIndex={300}
        closeButtonProps={{ 'aria-label': 'Close' }}
      >
        <PasswordForm onDone={() => close(true)} onCancel={() => close(false)} />
      </Modal>
    </Context>
  );
}

function PasswordForm({ onDone, onCancel }: { onDone: () => void; onCancel: () => void }) {
  const me = useMe();
  const [password, setPassword] = useState('');
  const [error, setError] = useState<string>();
  const [busy, setBusy] = useState(false);

  async function submit(event: FormEvent) {
    event.preventDefault();
    // The dialogue may stand inside another form.
    event.stopPropagation();
    if (password === '') {
      setError('Enter your password');
      return;
    }
    setBusy(true);
    try {
      await answer(api.POST('/v1/sessions/current/reauthenticate', { body: { password } }));
      setPassword('');
      onDone();
    } catch (problem) {
      const found = fieldErrors(problem, ['password']);
      setError(found.password ?? found['']);
      setPassword('');
    } finally {
      setBusy(false);
    }
  }

  return (
    <form onSubmit={submit} noValidate>
      <Stack gap={16}>
        <Text size="md">
          What you asked for shows a secret. Enter your password; you are not asked again for five minutes.
        </Text>
        <input type="text" name="username" autoComplete="username" defaultValue={me.username} hidden readOnly />
        <PasswordInput
          label={`Password of ${nameOf(me)}`}
          autoComplete="current-password"
          data-autofocus
          value={password}
          onChange={(e) => {
            setPassword(e.currentTarget.value);
            setError(undefined);
          }}
          error={error}
        />
        <Group justify="flex-end" gap={8}>
          <Button variant="default" onClick={onCancel}>
            Cancel
          </Button>
          <Button type="submit" loading={busy}>
            Continue
          </Button>
        </Group>
      </Stack>
    </form>
  );
}
