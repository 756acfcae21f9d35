import { Button, Group, Modal, Stack } from '@mantine/core';
import { type FormEvent, type ReactNode, useCallback, useEffect, useState } from 'react';
import { fieldErrors } from '../api/problem';
import { ProblemNote } from '../state/problem_note';

interface DialogProps {
  open: boolean;
  onClose: () => void;
  /** Asks or states, with the object's name: "Revoke “call-archive-sync”?" */
  title: string;
  size?: number;
  /** A secret is shown: neither Esc nor a click beside it closes the dialogue. */
  held?: boolean;
  /** Interrupts: it is about destroying something. */
  alert?: boolean;
  children: ReactNode;
}

const focusAfter = 20; // ms after which the library has given the focus back, or does not

/** What has the focus now; of a menu its button, which stays. */
function focused(): HTMLElement | undefined {
  const active = document.activeElement;
  if (!(active instanceof HTMLElement) || active === document.body) return undefined;
  const button = active.closest('[role=menu]')?.getAttribute('aria-labelledby');
  return (button && document.getElementById(button)) || active;
}

/**
 * Gives the focus back when a dialogue closes and nothing has it then: to what opened the dialogue or, where that is
 * gone with its row, to the row in its place. The library does so only for dialogues that were there, closed, before.
 */
function useFocusBack(open: boolean) {
  const [wasOpen, setWasOpen] = useState(false);
  const [opener, setOpener] = useState<HTMLElement>();
  if (open !== wasOpen) {
    setWasOpen(open);
    // Before anything of the dialogue is drawn: an entry of a menu would be gone after that.
    if (open) setOpener(focused());
  }
  useEffect(() => {
    if (!open || !opener) return;
    const { pathname } = location;
    return () => {
      // A dialogue that fades has it for a moment longer.
      const atClose = document.activeElement;
      setTimeout(() => {
        const now = document.activeElement;
        if (location.pathname !== pathname || (now && now !== document.body && now !== atClose)) return;
        const row = document.querySelector<HTMLElement>('table.dt tbody tr[tabindex="0"]');
        (opener.isConnected ? opener : row)?.focus();
      }, focusAfter);
    };
  }, [open, opener]);
}

/** One dialogue for one decision. Focus returns to its opener, or to the next row. */
export function Dialog({ open, onClose, title, size = 480, held, alert, children }: DialogProps) {
  useFocusBack(open);
  // The library gives every dialogue the one role, and no way to say another.
  const interrupts = useCallback((inside: HTMLElement | null) => {
    inside?.closest('[role=dialog]')?.setAttribute('role', 'alertdialog');
  }, []);
  return (
    <Modal
      opened={open}
      onClose={onClose}
      title={title}
      size={size}
      withCloseButton={!held}
      closeOnEscape={!held}
      closeOnClickOutside={false}
      closeButtonProps={{ 'aria-label': 'Close' }}
      keepMounted={false}
      className="dialog"
    >
      {alert ? <div ref={interrupts}>{children}</div> : children}
    </Modal>
  );
}

interface ConfirmProps {
  open: boolean;
  onClose: () => void;
  title: string;
  /** The button's words: verb and object, "Yes, revoke API key". */
  action: string;
  /** Does it, and closes, unless it answers false; what it throws is shown in the dialogue. */
  onConfirm: () => Promise<unknown>;
  /** Not red: nothing is destroyed. */
  mild?: boolean;
  /** The number that must be typed first. */
  typed?: number;
  /** Consequence first, then facts. */
  children: ReactNode;
  /** Shows a problem in another way; undefined: as its text. */
  onProblem?: (error: unknown) => ReactNode | undefined;
  /** Why it cannot be done. */
  blocked?: boolean;
  /** Something is still to be chosen. */
  disabled?: boolean;
}

/** Asks before something is destroyed. It opens with focus on Cancel, or on the number to type. */
export function ConfirmDialog({ open, onClose, title, ...rest }: ConfirmProps) {
  return (
    <Dialog open={open} onClose={onClose} title={title} alert={!rest.mild}>
      <ConfirmForm onClose={onClose} {...rest} />
    </Dialog>
  );
}

/** What is in a dialogue that asks before something is destroyed. */
export function ConfirmForm({
  onClose,
  action,
  onConfirm,
  mild,
  typed,
  children,
  onProblem,
  blocked,
  disabled,
}: Omit<ConfirmProps, 'open' | 'title'>) {
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState<unknown>();
  const [text, setText] = useState('');
  const ready = typed === undefined || text.trim() === String(typed);
  async function submit(event: FormEvent) {
    event.preventDefault();
    event.stopPropagation();
    if (!ready || busy) return;
    setBusy(true);
    setError(undefined);
    try {
      if ((await onConfirm()) !== false) onClose();
    } catch (problem) {
      setError(problem);
    } finally {
      setBusy(false);
    }
  }
  const special = error !== undefined ? onProblem?.(error) : undefined;
  return (
    <form onSubmit={submit} noValidate>
      <Stack gap={16}>
        {children}
        {typed !== undefined && <TypeToConfirm number={typed} value={text} onChange={setText} />}
        {special ?? <ProblemNote error={error} />}
        <Group justify="flex-end" gap={8} mt={4}>
          <Button variant="default" onClick={onClose} data-autofocus={typed === undefined || undefined}>
            Cancel
          </Button>
          {!blocked && (
            <Button type="submit" color={mild ? undefined : 'red'} loading={busy} disabled={!ready || disabled}>
              {action}
            </Button>
          )}
        </Group>
      </Stack>
    </form>
  );
}

function TypeToConfirm({
  number,
  value,
  onChange,
}: {
  number: number;
  value: string;
  onChange: (text: string) => void;
}) {
  return (
    <div>
      <label htmlFor="type-to-confirm" className="fieldlabel">
        Type {number} to confirm
      </label>
      <input
        id="type-to-confirm"
        className="plaininput"
        inputMode="numeric"
        autoComplete="off"
        data-autofocus
        value={value}
        onChange={(event) => onChange(event.currentTarget.value)}
      />
    </div>
  );
}

interface FormProps {
  /** The names of the form's fields, as the API's pointers name them. */
  fields: readonly string[];
  /** Sends it; what it throws is shown at its field, or above the buttons. */
  onSubmit: () => Promise<unknown>;
  onCancel: () => void;
  action: string;
  disabled?: boolean;
  /** Gets the messages of problems, by field. */
  children: (errors: Record<string, string>) => ReactNode;
}

/** A form in a dialogue, with Cancel and one action. */
export function DialogForm({ fields, onSubmit, onCancel, action, disabled, children }: FormProps) {
  const [busy, setBusy] = useState(false);
  const [errors, setErrors] = useState<Record<string, string>>({});
  async function submit(event: FormEvent) {
    event.preventDefault();
    event.stopPropagation();
    if (busy) return;
    setBusy(true);
    setErrors({});
    try {
      await onSubmit();
    } catch (problem) {
      setErrors(problem instanceof FieldError ? { [problem.field]: problem.message } : fieldErrors(problem, fields));
    } finally {
      setBusy(false);
    }
  }
  return (
    <form onSubmit={submit} noValidate>
      <Stack gap={16}>
        {children(errors)}
        <ProblemNote error={errors['']} />
        <Group justify="flex-end" gap={8} mt={4}>
          <Button variant="default" onClick={onCancel}>
            Cancel
          </Button>
          <Button type="submit" loading={busy} disabled={disabled}>
            {action}
          </Button>
        </Group>
      </Stack>
    </form>
  );
}

/** What the form itself finds wrong, before anything is sent: throw it in onSubmit. */
export class FieldError extends Error {
  constructor(
    readonly field: string,
    message: string,
  ) {
    super(message);
  }
}
