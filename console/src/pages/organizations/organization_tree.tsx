import { useMediaQuery } from '@mantine/hooks';
import { IconBuilding, IconChevronRight } from '@tabler/icons-react';
import { type KeyboardEvent, useEffect, useId, useLayoutEffect, useMemo, useRef, useState } from 'react';
import { StateBadge } from '../../state/badge';
import { keyIn, type Line, linesOf, type search, type Tree } from './tree';

// In px, as in app.css; fingers need more.
const heights = { wide: 36, phone: 44 };
const margin = 12; // lines above and below what is seen

interface OrganizationTreeProps {
  tree: Tree;
  searched: ReturnType<typeof search>;
  /** The organization that is open at the right. */
  open: string | undefined;
  onOpen: (id: string) => void;
}

/**
 * The tree, of which only what is seen is in the document. It is one stop of the Tab key:
 * arrows move, open and close, Enter shows the organization.
 */
export function OrganizationTree({ tree, searched, open, onOpen }: OrganizationTreeProps) {
  const id = useId();
  const small = useMediaQuery('(max-width: 767px)', window.innerWidth < 768, { getInitialValueInEffect: false });
  const rowHeight = small ? heights.phone : heights.wide;
  const box = useRef<HTMLDivElement>(null);
  const [expanded, setExpanded] = useState<ReadonlySet<string>>(() => atFirst(tree, open));
  const [current, setCurrent] = useState<string | undefined>(open);
  const [view, setView] = useState({ top: 0, height: 800 });
  const lines = useMemo(() => linesOf(tree, expanded, searched), [tree, expanded, searched]);
  const found = current === undefined ? -1 : lines.findIndex((l) => l.organization.id === current);
  const at = Math.max(found, 0);
  const first = Math.max(0, Math.floor(view.top / rowHeight) - margin);
  const last = Math.min(lines.length, Math.ceil((view.top + view.height) / rowHeight) + margin);

  // What is opened from elsewhere is shown in the tree.
  const [shownOpen, setShownOpen] = useState(open);
  if (open !== shownOpen) {
    setShownOpen(open);
    if (open !== undefined) {
      setCurrent(open);
      const above = (tree.byID.get(open)?.path ?? []).slice(0, -1);
      if (above.some((a) => !expanded.has(a))) setExpanded(new Set([...expanded, ...above]));
    }
  }
  useLayoutEffect(() => {
    const element = box.current;
    if (!element) return;
    const observer = new ResizeObserver(() => setView({ top: element.scrollTop, height: element.clientHeight }));
    observer.observe(element);
    return () => observer.disconnect();
  }, []);
  const openAt = lines.findIndex((l) => l.organization.id === open);
  useEffect(() => {
    if (openAt >= 0) reveal(box.current, openAt, rowHeight);
    // Only when another one is opened: lines above may open and close without a jump.
    // eslint-disable-next-line react-hooks/exhaustive-deps
  }, [open]);

  function go(to: number) {
    const line = lines[to];
    if (!line) return;
    setCurrent(line.organization.id);
    reveal(box.current, to, rowHeight);
  }
  function toggle(line: Line) {
    const next = new Set(expanded);
    if (line.expanded) next.delete(line.organization.id);
    else next.add(line.organization.id);
    setExpanded(next);
  }
  function keys(event: KeyboardEvent) {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const line = lines[at];
    if ((event.key === 'Enter' || event.key === ' ') && line) {
      event.preventDefault();
      onOpen(line.organization.id);
      return;
    }
    // "/", "n" and "?" are the page's.
    if (event.key === '/' || event.key === '?' || event.key === 'n') return;
    const does = keyIn(lines, at, event.key);
    if (!does) return;
    event.preventDefault();
    event.stopPropagation();
    if (does.go !== undefined) go(does.go);
    if (!searched && (does.expand ?? does.collapse)) toggle(line!);
  }

  return (
    <div
      ref={box}
      className="otree"
      role="tree"
      aria-label="Organizations"
      tabIndex={0}
      aria-activedescendant={at >= first && at < last ? `${id}-${lines[at]?.organization.id}` : undefined}
      onKeyDown={keys}
      onScroll={(event) => setView({ top: event.currentTarget.scrollTop, height: event.currentTarget.clientHeight })}
    >
      <div role="presentation" style={{ height: first * rowHeight }} />
      {lines.slice(first, last).map((line, i) => (
        <TreeLine
          key={line.organization.id}
          id={`${id}-${line.organization.id}`}
          line={line}
          current={first + i === at}
          selected={line.organization.id === open}
          closable={searched === undefined}
          onOpen={() => {
            setCurrent(line.organization.id);
            onOpen(line.organization.id);
          }}
          onToggle={() => {
            setCurrent(line.organization.id);
            toggle(line);
          }}
        />
      ))}
      <div role="presentation" style={{ height: (lines.length - last) * rowHeight }} />
    </div>
  );
}

/** A small tree is wholly open, a large one down to what is looked at. */
function atFirst(tree: Tree, open: string | undefined): Set<string> {
  if (tree.byID.size <= 60) return new Set(tree.byID.keys());
  const path = open === undefined ? [] : (tree.byID.get(open)?.path ?? []).slice(0, -1);
  return new Set([...tree.roots.map((o) => o.id), ...path]);
}

function reveal(box: HTMLElement | null, at: number, rowHeight: number) {
  if (!box) return;
  const top = at * rowHeight;
  if (top < box.scrollTop) box.scrollTop = top;
  else if (top + rowHeight > box.scrollTop + box.clientHeight) box.scrollTop = top + rowHeight - box.clientHeight;
}

function TreeLine({
  id,
  line,
  current,
  selected,
  closable,
  onOpen,
  onToggle,
}: {
  id: string;
  line: Line;
  current: boolean;
  selected: boolean;
  closable: boolean;
  onOpen: () => void;
  onToggle: () => void;
}) {
  const { organization, level } = line;
  return (
    <div
      id={id}
      role="treeitem"
      className="oline"
      aria-level={level}
      aria-setsize={line.siblings}
      aria-posinset={line.position}
      aria-expanded={line.expandable ? line.expanded : undefined}
      aria-selected={selected}
      aria-label={organization.state === 'suspended' ? `${organization.name}, suspended` : organization.name}
      data-current={current || undefined}
      data-quiet={!line.found || organization.state !== 'active' || undefined}
      title={organization.name}
      style={{ paddingLeft: 8 + Math.min(level - 1, 16) * 20 }}
      onClick={onOpen}
      onDoubleClick={line.expandable && closable ? onToggle : undefined}
    >
      <span
        className="otwist"
        aria-hidden
        data-open={line.expanded || undefined}
        onClick={(event) => {
          if (!line.expandable || !closable) return;
          event.stopPropagation();
          onToggle();
        }}
        onDoubleClick={(event) => event.stopPropagation()}
      >
        {line.expandable && <IconChevronRight size={15} stroke={1.8} />}
      </span>
      <IconBuilding size={16} stroke={1.6} className="muted fixed" aria-hidden />
      <span className="trunc">{organization.name}</span>
      {organization.state !== 'active' && <StateBadge state={organization.state} />}
    </div>
  );
}
