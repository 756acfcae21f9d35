import { ActionIcon, Button, Checkbox, Select, Tooltip } from '@mantine/core';
import { useMediaQuery } from '@mantine/hooks';
import {
  IconArrowDown,
  IconArrowUp,
  IconChevronLeft,
  IconChevronRight,
  IconSelector,
  IconTrash,
  IconX,
  type TablerIcon,
} from '@tabler/icons-react';
import {
  type KeyboardEvent,
  type ReactNode,
  useCallback,
  useDeferredValue,
  useEffect,
  useMemo,
  useRef,
  useState,
} from 'react';
import { counted, number } from '../words';
import { whenOpened } from './filters';
import { pageSizes, type ListState } from './list_state';
import type { Selection } from './selection';
import { Actions, Pick, TableRow, Trash } from './table_row';

export interface Column<Row> {
  title: string;
  /** The API's name of the order by this column; none: it cannot be sorted by. */
  sort?: string;
  /** In px; the first column without one takes the slack. */
  width?: number;
  align?: 'right';
  cell: (row: Row) => ReactNode;
}

export interface RowAction {
  label: string;
  onClick: () => void;
  /** Red, and last. */
  destroys?: boolean;
  /** Why it cannot be done now. */
  disabled?: string;
}

export type TrashAction = Pick<RowAction, 'label' | 'onClick'>;

export interface DataTableProps<Row> {
  /** "API keys": the table's name, also for screen readers. */
  label: string;
  /** What is counted: ['key', 'keys']. */
  noun: [one: string, many: string];
  rows: readonly Row[] | undefined;
  columns: Column<Row>[];
  idOf: (row: Row) => string;
  nameOf: (row: Row) => string;
  /** The kind's icon in the first column; it becomes a checkbox where rows can be selected. */
  iconOf?: (row: Row) => TablerIcon;
  /** Greyed out: suspended and ended rows. */
  quiet?: (row: Row) => boolean;
  onOpen: (row: Row) => void;
  actions?: (row: Row) => RowAction[];
  /** Instead of actions: a trash icon, whose label says what it deletes. */
  trash?: (row: Row) => TrashAction;
  /** The two lines below the name in the list that phones see. */
  phone: (row: Row) => { badge?: ReactNode; key?: ReactNode; about: ReactNode };

  /** How many rows all pages have. */
  total: number | undefined;
  list?: ListState;
  next?: string;
  previous?: string;
  /** Something newer is on its way. */
  fetching?: boolean;
  selection?: Selection;
  /** Deletes what is selected. */
  onDelete?: () => void;
  /** Takes the bar's place: the progress of a bulk operation. */
  progress?: ReactNode;
  /** Stands where rows would be, when there are none. */
  empty?: ReactNode;
}

const skeletonAfter = 200; // ms
const rowHeight = 40; // px
const aroundRows = 200; // px at least, of the window's height
const none: readonly never[] = [];

/**
 * A table of things: its bar, header and pager stay, its rows scroll. Arrows move from row
 * to row, Space selects, Enter opens, Shift F10 shows the actions.
 */
export function DataTable<Row>(props: DataTableProps<Row>) {
  const { rows, empty, fetching } = props;
  const small = useMediaQuery('(max-width: 767px)', window.innerWidth < 768, { getInitialValueInEffect: false });
  const waited = useWaited(rows === undefined);
  const nothing = rows !== undefined && rows.length === 0;
  return (
    <div className="tbl" data-fetching={(fetching && rows !== undefined) || undefined} aria-busy={rows === undefined}>
      <Bar {...props} small={small} />
      {nothing ? (
        <div className="tempty">{empty}</div>
      ) : rows === undefined ? (
        waited ? (
          <Skeleton />
        ) : (
          <div className="tempty" />
        )
      ) : small ? (
        <PhoneList {...props} rows={rows} />
      ) : (
        <WideTable {...props} rows={rows} />
      )}
      {props.list && !nothing && <Pager {...props} list={props.list} small={small} />}
    </div>
  );
}

/** True once it has been waited for as long as nobody minds. */
function useWaited(waiting: boolean): boolean {
  const [waited, setWaited] = useState(false);
  useEffect(() => {
    if (!waiting) return;
    const timer = setTimeout(() => setWaited(true), skeletonAfter);
    return () => {
      clearTimeout(timer);
      setWaited(false);
    };
  }, [waiting]);
  return waited && waiting;
}

function Bar<Row>({ selection, total, noun, progress, onDelete, small }: DataTableProps<Row> & { small: boolean }) {
  const count = selection?.count ?? 0;
  if (progress) return <div className="tbar">{progress}</div>;
  return (
    <div className="tbar" data-sel={count > 0 || undefined} role="toolbar" aria-label="Selection">
      <span aria-live="polite" className={count > 0 ? 'tcount' : 'muted'}>
        {count === 0
          ? total !== undefined && counted(total, ...noun)
          : selection?.all
            ? `All ${number(count)} selected, on all pages`
            : `${number(count)} selected`}
      </span>
      {selection && count > 0 && (
        <>
          {!selection.all && total !== undefined && total > count && (
            <Button variant="subtle" size="compact-sm" onClick={selection.selectAll}>
              {small ? 'All' : `Select all ${number(total)}`}
            </Button>
          )}
          <Button
            variant="subtle"
            color="gray"
            size="compact-sm"
            leftSection={<IconX size={14} aria-hidden />}
            onClick={selection.clear}
          >
            Clear
          </Button>
          <div className="spring" />
          {onDelete && (
            <Tooltip label={`Delete ${counted(count, ...noun)}`}>
              <ActionIcon color="red" aria-label={`Delete ${counted(count, ...noun)}`} onClick={onDelete}>
                <IconTrash size={18} stroke={1.7} />
              </ActionIcon>
            </Tooltip>
          )}
        </>
      )}
    </div>
  );
}

function WideTable<Row>(props: DataTableProps<Row> & { rows: readonly Row[] }) {
  const { columns, rows, list, selection, label, iconOf, idOf } = props;
  const drawn = useDrawn(rows, idOf);
  const body = useRef<HTMLTableSectionElement>(null);
  const [current, setCurrent] = useState(0);
  const hasActions = props.actions !== undefined || props.trash !== undefined;
  const move = useCallback((to: number) => {
    const row = body.current?.rows[to];
    if (!row) return;
    setCurrent(to);
    row.focus();
    row.scrollIntoView({ block: 'nearest' });
  }, []);
  const onKey = (event: KeyboardEvent<HTMLTableSectionElement>) => rowKeys(event, props, move);
  const width = columns.reduce((sum, column) => sum + (column.width ?? 260), iconOf ? 44 : 0) + (hasActions ? 48 : 0);
  return (
    <div className="tscroller" tabIndex={-1}>
      <table
        className="dt"
        aria-label={label}
        data-icons={iconOf ? true : undefined}
        style={{ minWidth: Math.min(width, 1150) }}
      >
        <colgroup>
          {iconOf && <col style={{ width: 44 }} />}
          {columns.map((column) => (
            <col key={column.title} style={column.width ? { width: column.width } : undefined} />
          ))}
          {hasActions && <col style={{ width: 48 }} />}
        </colgroup>
        <thead>
          <tr>
            {iconOf && (
              <th scope="col" className="pickcell">
                {selection && (
                  <Checkbox
                    aria-label={`Select all ${props.noun[1]} that match`}
                    color="green.7"
                    checked={selection.all}
                    indeterminate={!selection.all && selection.count > 0}
                    onChange={() => (selection.count > 0 ? selection.clear() : selection.selectAll())}
                  />
                )}
              </th>
            )}
            {columns.map((column) => (
              <Heading key={column.title} column={column} list={list} />
            ))}
            {hasActions && (
              <th scope="col" className="actcell">
                <span className="hidden">Actions</span>
              </th>
            )}
          </tr>
        </thead>
        <tbody ref={body} onKeyDown={onKey}>
          {drawn.map((row, i) => (
            <TableRow
              key={idOf(row)}
              row={row}
              props={props}
              selected={selection?.has(idOf(row)) ?? false}
              tabbable={i === Math.min(current, rows.length - 1)}
              index={i}
              onFocus={setCurrent}
            />
          ))}
        </tbody>
      </table>
    </div>
  );
}

/**
 * Which of the rows are drawn now: of a new list first what the window shows, and the rest as soon as that is seen.
 * What was drawn stays.
 */
function useDrawn<Row>(rows: readonly Row[], idOf: (row: Row) => string): readonly Row[] {
  const whole = useDeferredValue<readonly Row[]>(rows, none);
  return useMemo(() => {
    if (whole === rows) return rows;
    const shown = Math.ceil((window.innerHeight - aroundRows) / rowHeight);
    const before = new Set(whole.map(idOf));
    return rows.filter((row, i) => i < shown || before.has(idOf(row)));
  }, [rows, whole, idOf]);
}

function Heading<Row>({ column, list }: { column: Column<Row>; list?: ListState }) {
  const sorted = column.sort !== undefined && list?.sort === column.sort;
  const order = sorted ? (list?.descending ? 'descending' : 'ascending') : 'none';
  if (!column.sort || !list) {
    return (
      <th scope="col" data-align={column.align}>
        {column.title}
      </th>
    );
  }
  const Icon = order === 'ascending' ? IconArrowUp : order === 'descending' ? IconArrowDown : IconSelector;
  return (
    <th scope="col" aria-sort={order} data-align={column.align}>
      <button type="button" className="sorter" onClick={() => list.setSort(column.sort!)}>
        {column.title}
        <Icon size={13} aria-hidden className={sorted ? undefined : 'unsorted'} />
      </button>
    </th>
  );
}

/** What keys do in a row. */
function rowKeys<Row>(
  event: KeyboardEvent<HTMLTableSectionElement>,
  { rows = [], idOf, selection, onOpen, onDelete, trash }: DataTableProps<Row>,
  move: (to: number) => void,
) {
  const target = event.target as HTMLElement;
  const tr = target.closest('tr');
  if (!tr || (target !== tr && target.closest('input, button, a, [role=menu]') && event.key !== 'Escape')) {
    if (target.closest('input') === null || !event.key.startsWith('Arrow')) return;
  }
  const at = [...event.currentTarget.rows].indexOf(tr as HTMLTableRowElement);
  const row = rows[at];
  if (row === undefined) return;
  const done = () => {
    event.preventDefault();
    event.stopPropagation();
  };
  const modified = event.ctrlKey || event.metaKey;
  if (event.key === 'ArrowDown') return (done(), move(at + 1));
  if (event.key === 'ArrowUp') return (done(), move(at - 1));
  if (event.key === 'Home') return (done(), move(0));
  if (event.key === 'End') return (done(), move(rows.length - 1));
  if (event.key === 'Enter' && !modified) return (done(), onOpen(row));
  if (event.key === ' ' && selection) return (done(), selection.toggle(idOf(row), event.shiftKey));
  if (event.key.toLowerCase() === 'a' && modified && selection) return (done(), selection.selectAll());
  if (event.key === 'Delete' && onDelete && selection && selection.count > 0) return (done(), onDelete());
  if (event.key === 'Delete' && trash) return (done(), trash(row).onClick());
  if (event.key === 'Escape' && selection && selection.count > 0) return (done(), selection.clear());
  if ((event.key === 'F10' && event.shiftKey) || event.key === 'ContextMenu') {
    const menu = tr?.querySelector<HTMLElement>('.rowact');
    if (menu) return (done(), menu.click());
  }
}

function PhoneList<Row>(props: DataTableProps<Row> & { rows: readonly Row[] }) {
  const { rows, idOf, nameOf, iconOf, phone, onOpen, actions, trash, selection, quiet, label } = props;
  return (
    <ul className="plist" aria-label={label}>
      {rows.map((row) => {
        const id = idOf(row);
        const selected = selection?.has(id) ?? false;
        const { badge, key, about } = phone(row);
        return (
          <li key={id} className={[selected ? 'sel' : '', quiet?.(row) ? 'off' : ''].join(' ').trim() || undefined}>
            {iconOf ? <Pick row={row} props={props} selected={selected} /> : <span />}
            <button type="button" className="pbody" onClick={() => onOpen(row)}>
              <span className="pname">
                <span className="trunc keyname">{nameOf(row)}</span>
                {badge}
              </span>
              {key && <span className="trunc pkey">{key}</span>}
              <span className="trunc muted pabout">{about}</span>
            </button>
            {actions ? (
              <Actions name={nameOf(row)} actions={() => actions(row)} />
            ) : trash ? (
              <Trash {...trash(row)} />
            ) : (
              <span />
            )}
          </li>
        );
      })}
    </ul>
  );
}

function Pager<Row>({
  list,
  rows,
  total,
  next,
  previous,
  small,
}: DataTableProps<Row> & { list: ListState; small: boolean }) {
  const count = rows?.length ?? 0;
  const first = list.cursor ? list.offset : 0;
  return (
    <div className="tfoot">
      <span className="muted">
        {count > 0 &&
          `${number(first + 1)}–${number(first + count)}${total !== undefined ? ` of ${number(total)}` : ''}`}
      </span>
      <div className="spring" />
      {!small && (
        <>
          <span className="muted" id="rows-per-page">
            Rows
          </span>
          <Select
            aria-label="Rows per page"
            data={pageSizes.map(String)}
            value={String(list.limit)}
            onChange={(value) => list.setLimit(Number(value))}
            w={72}
            comboboxProps={{ position: 'top', ...whenOpened }}
          />
        </>
      )}
      <ActionIcon
        variant="default"
        aria-label="Previous page"
        disabled={!previous}
        onClick={() => list.goTo(previous, Math.max(0, first - list.limit))}
      >
        <IconChevronLeft size={16} />
      </ActionIcon>
      <ActionIcon
        variant="default"
        aria-label="Next page"
        disabled={!next}
        onClick={() => list.goTo(next, first + count)}
      >
        <IconChevronRight size={16} />
      </ActionIcon>
    </div>
  );
}

function Skeleton() {
  return (
    <div className="tskeleton" role="status" aria-label="Loading">
      {Array.from({ length: 12 }, (_, i) => (
        <div key={i} className="srow">
          <span className="sk icon" />
          <span className="sk name" />
          <span className="sk" />
          <span className="sk" />
          <span className="sk" />
        </div>
      ))}
    </div>
  );
}
