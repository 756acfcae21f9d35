import { Kbd, Table } from '@mantine/core';
import { useLocalStorage } from '@mantine/hooks';
import { useEffect, useRef } from 'react';
import { Dialog } from '../dialog/dialog';

/** Whether single keys do something; people can turn it off in their profile. */
export function useSingleKeys() {
  return useLocalStorage({ key: 'claviger-single-keys', defaultValue: true, getInitialValueInEffect: false });
}

const creators: (() => void)[] = [];

/** What "n" does on this page. */
export function useCreate(create: (() => void) | undefined) {
  const latest = useRef(create);
  useEffect(() => {
    latest.current = create;
  });
  const active = create !== undefined;
  useEffect(() => {
    if (!active) return;
    const run = () => latest.current?.();
    creators.push(run);
    return () => {
      creators.splice(creators.indexOf(run), 1);
    };
  }, [active]);
}

function typing(target: EventTarget | null): boolean {
  return (
    target instanceof HTMLElement && (target.isContentEditable || /^(INPUT|TEXTAREA|SELECT)$/.test(target.tagName))
  );
}

const dialogOpen = () => document.querySelector('[role=dialog], [role=alertdialog], [role=menu]') !== null;

interface ShortcutsProps {
  /** Whether the list of them is shown. */
  open: boolean;
  onOpen: () => void;
  onClose: () => void;
  onGoTo: () => void;
}

/** Listens for the keys that work on every page. */
export function Shortcuts({ open, onOpen, onClose, onGoTo }: ShortcutsProps) {
  const [enabled] = useSingleKeys();
  useEffect(() => {
    function pressed(event: KeyboardEvent) {
      if ((event.ctrlKey || event.metaKey) && !event.altKey && event.key.toLowerCase() === 'k') {
        event.preventDefault();
        onGoTo();
        return;
      }
      if (!enabled || event.ctrlKey || event.metaKey || event.altKey || typing(event.target) || dialogOpen()) return;
      if (event.key === '/') {
        const search = document.querySelector<HTMLInputElement>('input[data-search]');
        if (search) {
          event.preventDefault();
          search.focus();
          search.select();
        }
      } else if (event.key === 'n' && creators.length > 0) {
        event.preventDefault();
        creators.at(-1)!();
      } else if (event.key === '?') {
        event.preventDefault();
        onOpen();
      } else if (event.key === 'ArrowDown' && (event.target === document.body || event.target === null)) {
        const row = document.querySelector<HTMLElement>('table.dt tbody tr[tabindex="0"]');
        if (row) {
          event.preventDefault();
          row.focus();
        }
      }
    }
    window.addEventListener('keydown', pressed);
    return () => window.removeEventListener('keydown', pressed);
  }, [enabled, onGoTo, onOpen]);
  return (
    <Dialog open={open} onClose={onClose} title="Keyboard shortcuts">
      <ShortcutTable />
    </Dialog>
  );
}

export const shortcuts: [keys: string[], what: string][] = [
  [['/'], 'Search'],
  [['n'], 'New'],
  [['?'], 'These shortcuts'],
  [['Ctrl', 'K'], 'Go to…'],
  [['↑', '↓'], 'Row before, row after'],
  [['Home', 'End'], 'First row, last row'],
  [['Space'], 'Select the row; with Shift a range'],
  [['Ctrl', 'A'], 'Select all that the filter shows'],
  [['Enter'], 'Open the row'],
  [['Shift', 'F10'], 'The row’s actions'],
  [['Delete'], 'Delete what is selected'],
  [['Esc'], 'Clear the selection, close a dialogue'],
];

export function ShortcutTable() {
  return (
    <Table withRowBorders verticalSpacing={6} horizontalSpacing={0} fz="sm">
      <Table.Tbody>
        {shortcuts.map(([keys, what]) => (
          <Table.Tr key={what}>
            <Table.Td w={150}>
              {keys.map((key) => (
                <Kbd key={key} mr={4}>
                  {key}
                </Kbd>
              ))}
            </Table.Td>
            <Table.Td>{what}</Table.Td>
          </Table.Tr>
        ))}
      </Table.Tbody>
    </Table>
  );
}
