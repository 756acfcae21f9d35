import { Menu, Tooltip } from '@mantine/core';
import { IconCheck, IconDots, IconTrash } from '@tabler/icons-react';
import { type ComponentProps, memo, type MouseEvent, useEffect, useRef, useState } from 'react';
import type { Column, DataTableProps, RowAction, TrashAction } from './data_table';

// Of these there are as many as a page has rows: plain elements, and nothing that is not needed before it is used.

interface TableRowProps<Row> {
  row: Row;
  props: DataTableProps<Row>;
  selected: boolean;
  tabbable: boolean;
  index: number;
  onFocus: (index: number) => void;
}

function TableRowPlain<Row>({ row, props, selected, tabbable, index, onFocus }: TableRowProps<Row>) {
  const { idOf, nameOf, iconOf, columns, selection, actions, trash, onOpen, quiet } = props;
  const open = (event: MouseEvent) => {
    if (!(event.target as Element).closest('button, a, input')) onOpen(row);
  };
  return (
    <tr
      className={[selected ? 'sel' : '', quiet?.(row) ? 'off' : ''].join(' ').trim() || undefined}
      aria-selected={selection ? selected : undefined}
      tabIndex={tabbable ? 0 : -1}
      data-id={idOf(row)}
      onDoubleClick={open}
      onFocus={() => onFocus(index)}
    >
      {iconOf && (
        <td className="pickcell">
          <Pick row={row} props={props} selected={selected} />
        </td>
      )}
      <Cells row={row} columns={columns as Column<unknown>[]} />
      {actions && (
        <td className="actcell">
          <Actions name={nameOf(row)} actions={() => actions(row)} />
        </td>
      )}
      {trash && (
        <td className="actcell">
          <Trash {...trash(row)} />
        </td>
      )}
    </tr>
  );
}
/** What the columns say of the row: selecting it changes none of that. */
const Cells = memo(function Cells({ row, columns }: { row: unknown; columns: Column<unknown>[] }) {
  return columns.map((column, i) => (
    <td key={column.title} data-align={column.align} className={i === 0 ? 'namecell' : undefined}>
      {column.cell(row)}
    </td>
  ));
});

// Rows are many and change seldom: one that is the same is not drawn again.
export const TableRow = memo(
  TableRowPlain,
  (a, b) =>
    a.row === b.row &&
    a.selected === b.selected &&
    a.tabbable === b.tabbable &&
    a.index === b.index &&
    a.props.columns === b.props.columns &&
    (a.props.selection === undefined) === (b.props.selection === undefined) &&
    a.props.selection?.toggle === b.props.selection?.toggle,
) as typeof TableRowPlain;

/** The kind's icon, which becomes a checkbox when hovered or focused, and a green disc when ticked. */
export function Pick<Row>({ row, props, selected }: { row: Row; props: DataTableProps<Row>; selected: boolean }) {
  const { iconOf, nameOf, idOf, selection } = props;
  const Icon = iconOf!(row);
  if (!selection) {
    return (
      <span className="pick fixed">
        <Icon size={16} stroke={1.6} aria-hidden />
      </span>
    );
  }
  return (
    <span className="pick" data-on={selected || undefined}>
      <span className="ico" aria-hidden>
        <Icon size={16} stroke={1.6} />
      </span>
      <span className="box" aria-hidden>
        {selected && <IconCheck size={13} stroke={3} />}
      </span>
      <input
        type="checkbox"
        tabIndex={-1}
        checked={selected}
        aria-label={`Select ${nameOf(row)}`}
        onChange={() => undefined}
        onClick={(event) => selection.toggle(idOf(row), event.shiftKey)}
      />
    </span>
  );
}

export function Trash({ label, onClick }: TrashAction) {
  return (
    <Tooltip label={label}>
      <RowButton aria-label={label} onClick={onClick}>
        <IconTrash size={16} stroke={1.7} />
      </RowButton>
    </Tooltip>
  );
}

/** What can be done with a row. Tables have hundreds: the menu is made when it is first opened. */
export function Actions({ name, actions }: { name: string; actions: () => RowAction[] }) {
  const [used, setUsed] = useState(false);
  if (used) return <ActionMenu name={name} actions={actions} />;
  return <ActionsButton name={name} aria-haspopup="menu" aria-expanded={false} onClick={() => setUsed(true)} />;
}

function ActionsButton({ name, ...others }: { name: string } & ComponentProps<'button'>) {
  return (
    <RowButton {...others} aria-label={`Actions for ${name}`}>
      <IconDots size={16} aria-hidden />
    </RowButton>
  );
}

/** Looks as an ActionIcon does, at a fraction of its cost. */
function RowButton(props: ComponentProps<'button'>) {
  return <button type="button" {...props} className="rowact mantine-focus-auto mantine-active" tabIndex={-1} />;
}

function ActionMenu({ name, actions }: { name: string; actions: () => RowAction[] }) {
  const [open, setOpen] = useState(true);
  const button = useRef<HTMLButtonElement>(null);
  // The button takes the place of one that was just used: the focus is its own.
  useEffect(() => button.current?.focus(), []);
  useEscape(open, () => {
    setOpen(false);
    button.current?.focus();
  });
  return (
    <Menu position="bottom-end" opened={open} onChange={setOpen} returnFocus>
      <Menu.Target>
        <ActionsButton name={name} ref={button} />
      </Menu.Target>
      {open && (
        <Menu.Dropdown>
          {actions().map((action) => (
            <Menu.Item
              key={action.label}
              color={action.destroys ? 'red' : undefined}
              disabled={action.disabled !== undefined}
              onClick={action.onClick}
            >
              {action.label}
              {action.disabled && <span className="menuwhy">{action.disabled}</span>}
            </Menu.Item>
          ))}
        </Menu.Dropdown>
      )}
    </Menu>
  );
}

/**
 * Escape closes what is open before it means anything to the row. The menu itself hears of Escape only once the focus
 * has moved into it, which is a moment after it is seen.
 */
function useEscape(open: boolean, close: () => void) {
  const latest = useRef(close);
  useEffect(() => {
    latest.current = close;
  });
  useEffect(() => {
    if (!open) return;
    const onKey = (event: globalThis.KeyboardEvent) => {
      if (event.key !== 'Escape') return;
      event.preventDefault();
      event.stopPropagation();
      latest.current();
    };
    window.addEventListener('keydown', onKey, { capture: true });
    return () => window.removeEventListener('keydown', onKey, { capture: true });
  }, [open]);
}
