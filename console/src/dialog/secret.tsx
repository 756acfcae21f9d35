import { ActionIcon, Button, Text, Tooltip } from '@mantine/core';
import { IconCheck, IconCopy, IconEye, IconEyeOff } from '@tabler/icons-react';
import { useBlocker } from '@tanstack/react-router';
import { useCallback, useEffect, useRef, useState } from 'react';
import { useStepUp } from '../session/step_up';
import { ProblemNote } from '../state/problem_note';
import { toast } from '../state/toast';

/** Puts a text on the clipboard, and says so. */
export async function copy(text: string) {
  await navigator.clipboard.writeText(text);
  toast('Copied');
}

function useCopied() {
  const [copied, setCopied] = useState(false);
  useEffect(() => {
    if (!copied) return;
    const timer = setTimeout(() => setCopied(false), 2000);
    return () => clearTimeout(timer);
  }, [copied]);
  return [copied, () => setCopied(true)] as const;
}

interface ShownProps {
  label: string;
  value: string;
  /** The button to press first; once copied it no longer is. */
  primary?: boolean;
  onCopied?: () => void;
  /** A secret, as opposed to an ID that stands beside it. */
  secret?: boolean;
}

/** A value with a copy button, as after issuing. */
export function ShownValue({ label, value, primary, onCopied, secret }: ShownProps) {
  const [copied, setCopied] = useCopied();
  return (
    <div>
      <Text size="sm" fw={500} mb={4} component="div">
        {label}
      </Text>
      <div className="secret">
        <span className="val" data-secret={secret || undefined}>
          {value}
        </span>
        <Button
          variant={primary ? 'filled' : 'default'}
          data-autofocus={primary || undefined}
          aria-label={`Copy ${label}`}
          leftSection={copied ? <IconCheck size={15} aria-hidden /> : <IconCopy size={15} stroke={1.7} aria-hidden />}
          onClick={() =>
            void navigator.clipboard.writeText(value).then(() => {
              setCopied();
              onCopied?.();
            })
          }
        >
          {copied ? 'Copied' : 'Copy'}
        </Button>
      </div>
    </div>
  );
}

const hideAfter = 60_000; // ms

interface RecoverableProps {
  label: string;
  /** What may always be shown: the hint. */
  masked: string;
  /** Beside the label: what it is for. */
  hint?: string;
  /** Reads the secret; the server asks for the password first and writes it to the audit log. */
  reveal: () => Promise<string>;
}

/**
 * A secret that can be shown again: an eye, and a copy button. Shown, it hides after a
 * minute or when the window is left, and is then gone from the document.
 */
export function RecoverableSecret({ label, masked, hint, reveal }: RecoverableProps) {
  const stepUp = useStepUp();
  const [value, setValue] = useState<string>();
  const [error, setError] = useState<unknown>();
  const [busy, setBusy] = useState(false);
  const alive = useRef(true);
  const hide = useCallback(() => setValue(undefined), []);

  useEffect(() => {
    alive.current = true;
    return () => {
      alive.current = false;
    };
  }, []);
  useEffect(() => {
    if (value === undefined) return;
    const timer = setTimeout(hide, hideAfter);
    const left = () => document.visibilityState === 'hidden' && hide();
    document.addEventListener('visibilitychange', left);
    window.addEventListener('pagehide', hide);
    return () => {
      clearTimeout(timer);
      document.removeEventListener('visibilitychange', left);
      window.removeEventListener('pagehide', hide);
    };
  }, [value, hide]);

  async function read(then: (secret: string) => unknown) {
    setBusy(true);
    setError(undefined);
    try {
      const secret = value ?? (await stepUp(reveal));
      if (secret !== undefined && alive.current) await then(secret);
    } catch (problem) {
      setError(problem);
    } finally {
      setBusy(false);
    }
  }
  const shown = value !== undefined;
  const name = label.toLowerCase();
  return (
    <div>
      <div className="secrethead">
        <Text size="sm" fw={500}>
          {label}
        </Text>
        {hint && (
          <Text size="xs" c="dimmed">
            {hint}
          </Text>
        )}
      </div>
      <div className="secret">
        <span
          className={shown ? 'val' : 'val masked'}
          data-secret={shown || undefined}
          aria-label={shown ? undefined : `${label}, hidden`}
        >
          {value ?? masked}
        </span>
        <Tooltip label={shown ? 'Hide' : 'Show'}>
          <ActionIcon
            aria-label={`${shown ? 'Hide' : 'Show'} ${name}`}
            aria-pressed={shown}
            loading={busy}
            onClick={() => (shown ? hide() : void read(setValue))}
          >
            {shown ? <IconEyeOff size={17} stroke={1.6} /> : <IconEye size={17} stroke={1.6} />}
          </ActionIcon>
        </Tooltip>
        <Tooltip label="Copy">
          <ActionIcon aria-label={`Copy ${name}`} disabled={busy} onClick={() => void read(copy)}>
            <IconCopy size={17} stroke={1.6} />
          </ActionIcon>
        </Tooltip>
      </div>
      {error !== undefined && (
        <div className="below">
          <ProblemNote error={error} />
        </div>
      )}
    </div>
  );
}

/** Asks before the page is left, or another one opened, while a secret that is shown once is open. */
export function useHoldPage(holding: boolean) {
  useBlocker({
    shouldBlockFn: () => !window.confirm('The key on this page is shown only now. Leave without it?'),
    enableBeforeUnload: true,
    disabled: !holding,
  });
}

/** Example code, with a copy button. It never holds a secret. */
export function Code({ children, label }: { children: string; label?: string }) {
  const [copied, setCopied] = useCopied();
  return (
    <div className="code">
      <pre className="pre" tabIndex={0} aria-label={label}>
        {children}
      </pre>
      <Tooltip label={copied ? 'Copied' : 'Copy'}>
        <ActionIcon
          variant="default"
          className="codecopy"
          aria-label={label ? `Copy ${label}` : 'Copy the example'}
          onClick={() => void navigator.clipboard.writeText(children).then(setCopied)}
        >
          {copied ? <IconCheck size={15} /> : <IconCopy size={15} stroke={1.7} />}
        </ActionIcon>
      </Tooltip>
    </div>
  );
}
