import { Radio, Stack } from '@mantine/core';
import { type ReactNode, useState } from 'react';
import { useOnce } from '../api/once';
import { Info, Notice } from '../state/problem_note';
import { DialogForm } from './dialog';
import { GraceChoice } from './grace_choice';

type Why = 'planned' | 'leaked' | 'lost';

interface RotateFormProps {
  /** What is replaced: "key", "key and secret". */
  what: string;
  /** The button's words. */
  action: string;
  /** What it means for this kind. */
  children: ReactNode;
  /** Rotates; the headers make it happen once. */
  rotate: (graceSeconds: number, headers: { 'Idempotency-Key': string }) => Promise<unknown>;
  onCancel: () => void;
}

/** The first step of a rotation: why, and so for how long what is replaced goes on. */
export function RotateForm({ what, action, children, rotate, onCancel }: RotateFormProps) {
  const once = useOnce();
  const [why, setWhy] = useState<Why>('planned');
  const [grace, setGrace] = useState('604800');
  const atOnce = what.includes(' and ') ? 'Those before end at once.' : 'The one before ends at once.';
  return (
    <DialogForm
      fields={['grace_period_seconds']}
      action={action}
      onCancel={onCancel}
      onSubmit={async () => {
        try {
          await rotate(why === 'planned' ? Number(grace) : 0, once.headers());
        } catch (problem) {
          if ((problem as { status?: number }).status) once.renew();
          throw problem;
        }
      }}
    >
      {(errors) => (
        <>
          {children}
          <Radio.Group label="Why" value={why} onChange={(value) => setWhy(value as Why)}>
            <Stack gap={8} mt={6}>
              <Radio
                value="planned"
                label="It is time for a new one"
                description="Both work until every program has the new one."
              />
              <Radio value="leaked" label={`Others may know the ${what}`} description={atOnce} />
              <Radio value="lost" label={`Nobody has the ${what} any more`} description={atOnce} />
            </Stack>
          </Radio.Group>
          {why === 'planned' && (
            <GraceChoice
              what={`The ${what} before`}
              value={grace}
              onChange={setGrace}
              error={errors.grace_period_seconds}
            />
          )}
          {why === 'leaked' && (
            <Notice>Programs that still have what is replaced fail until you put the new one into them.</Notice>
          )}
          {why === 'lost' && <Info>If a program has it after all, it fails until it gets the new one.</Info>}
        </>
      )}
    </DialogForm>
  );
}
