import { ActionIcon, Button, Progress } from '@mantine/core';
import { IconAlertCircle, IconDownload, IconX } from '@tabler/icons-react';
import { type ReactNode, useEffect, useRef, useState } from 'react';
import { problemOf } from '../../api/problem';
import { useStepUp } from '../../session/step_up';
import { counted, number } from '../../words';
import { readCSV, requestCSV, save, Truncated } from './download';

type Doing = { rows: number; total: number } | { error: unknown } | undefined;

/** Downloads what the list shows; `bar` is how far it is, or what went wrong. */
export function useDownload(url: string): { button: (disabled: boolean) => ReactNode; bar: ReactNode } {
  const stepUp = useStepUp();
  const [doing, setDoing] = useState<Doing>();
  const abort = useRef<AbortController | undefined>(undefined);
  useEffect(() => () => abort.current?.abort(), []);

  async function start() {
    const controller = new AbortController();
    abort.current = controller;
    setDoing({ rows: 0, total: 0 });
    try {
      const response = await stepUp(() => requestCSV(url, controller.signal));
      if (response) save(await readCSV(response, (rows, total) => setDoing({ rows, total })));
      setDoing(undefined);
    } catch (error) {
      setDoing(controller.signal.aborted ? undefined : { error });
    }
  }
  const running = doing !== undefined && 'rows' in doing;
  return {
    button: (disabled) => (
      <Button
        variant="default"
        leftSection={<IconDownload size={16} stroke={1.6} aria-hidden />}
        disabled={disabled}
        loading={running}
        onClick={() => void start()}
      >
        Download
      </Button>
    ),
    bar:
      doing === undefined ? undefined : 'rows' in doing ? (
        <>
          <span className="tcount" role="status">
            {doing.total > 0 ? `${number(doing.rows)} of ${number(doing.total)} downloaded` : 'Preparing the download'}
          </span>
          <Progress
            value={doing.total > 0 ? (100 * doing.rows) / doing.total : 0}
            aria-label="Downloaded"
            className="tprogress"
          />
          <Button variant="subtle" color="gray" size="compact-sm" onClick={() => abort.current?.abort()}>
            Cancel
          </Button>
        </>
      ) : (
        <>
          <IconAlertCircle size={16} stroke={1.8} className="danger fixed" aria-hidden />
          <span className="trunc ttold" role="alert">
            {doing.error instanceof Truncated
              ? `The download broke off after ${number(doing.error.rows)} of ${counted(doing.error.total, 'key', 'keys')}. Nothing was saved.`
              : problemOf(doing.error).detail}
          </span>
          <Button variant="subtle" size="compact-sm" onClick={() => void start()}>
            Try again
          </Button>
          <div className="spring" />
          <ActionIcon aria-label="Dismiss" onClick={() => setDoing(undefined)}>
            <IconX size={16} />
          </ActionIcon>
        </>
      ),
  };
}
