import { useDebouncedValue } from '@mantine/hooks';
import { IconSearch } from '@tabler/icons-react';
import { useNavigate } from '@tanstack/react-router';
import { type KeyboardEvent, useEffect, useId, useRef, useState } from 'react';
import { TextField } from '../../dialog/text_field';
import { useSingleKeys } from '../../shell/shortcuts';
import { cutKey } from '../../table/cut_key';
import { addressOf } from './links';
import type { Hit } from './search_index';

/** Searches all pages. What it searches in is loaded when someone comes to search. */
export function HelpSearch() {
  const navigate = useNavigate();
  const id = useId();
  const box = useRef<HTMLDivElement>(null);
  const field = useRef<HTMLInputElement>(null);
  const [text, setText] = useState('');
  const [open, setOpen] = useState(false);
  const [current, setCurrent] = useState(0);
  const [words] = useDebouncedValue(text.trim(), 100);
  const hits = useHits(words);
  useSlash(field);

  const shown = open && words.length >= 2 && hits !== undefined;
  const at = Math.min(current, (hits?.length ?? 0) - 1);
  useEffect(() => {
    document.getElementById(`${id}-${at}`)?.scrollIntoView({ block: 'nearest' });
  }, [at, id]);

  function go(hit: Hit | undefined) {
    if (!hit) return;
    setOpen(false);
    field.current?.blur();
    void navigate({ to: addressOf(hit.page), hash: hit.anchor || undefined });
  }
  function keys(event: KeyboardEvent) {
    if (event.key === 'Escape') {
      setOpen(false);
      return;
    }
    if (event.key === 'ArrowDown') setCurrent(Math.min(at + 1, (hits?.length ?? 0) - 1));
    else if (event.key === 'ArrowUp') setCurrent(Math.max(at - 1, 0));
    else if (event.key === 'Enter') go(hits?.[at]);
    else return;
    event.preventDefault();
  }
  return (
    <div
      className="helpsearch"
      role="search"
      ref={box}
      onBlur={(event) => !box.current?.contains(event.relatedTarget) && setOpen(false)}
    >
      <TextField
        ref={field}
        type="search"
        placeholder="Search the documentation"
        aria-label="Search the documentation"
        role="combobox"
        aria-expanded={shown}
        aria-controls={id}
        aria-activedescendant={shown && hits.length > 0 ? `${id}-${at}` : undefined}
        spellCheck={false}
        leftSection={<IconSearch size={16} stroke={1.6} aria-hidden />}
        rightSection={<kbd>/</kbd>}
        value={text}
        onFocus={() => setOpen(true)}
        onChange={(text) => {
          setText(cutKey(text));
          setCurrent(0);
          setOpen(true);
        }}
        onKeyDown={keys}
      />
      {shown && (
        <div className="helphits" role="listbox" id={id} aria-label="Found" tabIndex={-1}>
          {hits.map((hit, i) => (
            <div
              key={hit.id}
              id={`${id}-${i}`}
              role="option"
              aria-selected={i === at}
              data-current={i === at || undefined}
              className="helphit"
              onMouseDown={(event) => event.preventDefault()}
              onMouseMove={() => setCurrent(i)}
              onClick={() => go(hit)}
            >
              <span className="strong">
                {hit.title}
                {hit.heading && <span className="muted"> › </span>}
                {hit.heading}
              </span>
              <span className="muted helphittext">{hit.excerpt}</span>
            </div>
          ))}
        </div>
      )}
      {shown && hits.length === 0 && (
        <div className="helphits gotonone muted" role="status">
          No page has these words.
        </div>
      )}
    </div>
  );
}

function useHits(words: string): Hit[] | undefined {
  const [hits, setHits] = useState<{ of: string; list: Hit[] }>();
  useEffect(() => {
    if (words.length < 2) return;
    let stale = false;
    void import('./search_index').then(({ find }) => {
      if (!stale) setHits({ of: words, list: find(words) });
    });
    return () => {
      stale = true;
    };
  }, [words]);
  return hits?.list;
}

function useSlash(field: { current: HTMLInputElement | null }) {
  const [enabled] = useSingleKeys();
  useEffect(() => {
    if (!enabled) return;
    const pressed = (event: globalThis.KeyboardEvent) => {
      if (event.key !== '/' || event.ctrlKey || event.metaKey || event.altKey) return;
      if (event.target instanceof HTMLElement && /^(INPUT|TEXTAREA|SELECT)$/.test(event.target.tagName)) return;
      event.preventDefault();
      field.current?.focus();
      field.current?.select();
    };
    window.addEventListener('keydown', pressed);
    return () => window.removeEventListener('keydown', pressed);
  }, [enabled, field]);
}
