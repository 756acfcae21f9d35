import { Button, Group, Stack } from '@mantine/core';
import { type ReactNode, useEffect, useRef, useState } from 'react';
import { flushSync } from 'react-dom';
import { Dialog } from './dialog';
import { useHoldPage } from './secret';

interface IssuedDialogProps<T> {
  open: boolean;
  onClose: () => void;
  title: string;
  /** The title once it is issued: "App created". */
  doneTitle: string;
  size?: number;
  /** The form. It hands what was issued to `done`. */
  form: (done: (issued: T) => void) => ReactNode;
  /** Shows it; `copied` says that it was copied, `primary` whether copying is what to do first. */
  shown: (issued: T, copied: () => void, primary: boolean) => ReactNode;
  /** After "I have saved it". */
  onSaved?: (issued: T) => void;
}

/**
 * A dialogue that issues something with a secret. What was issued is kept here and nowhere
 * else, until "I have saved it", which alone closes the dialogue then.
 */
export function IssuedDialog<T>({ open, onClose, title, doneTitle, size, form, shown, onSaved }: IssuedDialogProps<T>) {
  const [issued, setIssued] = useState<T>();
  const [copied, setCopied] = useState(false);
  const [done, setDone] = useState(false);
  const [wasOpen, setWasOpen] = useState(open);
  if (open !== wasOpen) {
    setWasOpen(open);
    setIssued(undefined);
    // While it fades it keeps its title.
    if (open) {
      setDone(false);
      setCopied(false);
    }
  }
  const holding = issued !== undefined;
  useHoldPage(holding);
  const body = useRef<HTMLDivElement>(null);
  useEffect(() => {
    if (holding) body.current?.querySelector<HTMLElement>('[data-autofocus]')?.focus();
  }, [holding]);
  function saved() {
    const last = issued;
    // It must be forgotten before anything else is opened, or leaving would be asked about.
    flushSync(() => {
      setIssued(undefined);
      onClose();
    });
    if (last !== undefined) onSaved?.(last);
  }
  return (
    <Dialog open={open} onClose={onClose} title={done ? doneTitle : title} held={holding} size={size}>
      {!open || (done && !holding) ? null : issued === undefined ? (
        form((result) => {
          setIssued(result);
          setDone(true);
        })
      ) : (
        <div ref={body}>
          <Stack gap={16}>
            {shown(issued, () => setCopied(true), !copied)}
            <Group justify="flex-end" mt={4}>
              <Button variant={copied ? 'filled' : 'default'} onClick={saved}>
                I have saved it
              </Button>
            </Group>
          </Stack>
        </div>
      )}
    </Dialog>
  );
}
