import { Modal, TextInput } from '@mantine/core';
import { useDebouncedValue } from '@mantine/hooks';
import { IconSearch, type TablerIcon } from '@tabler/icons-react';
import { useNavigate } from '@tanstack/react-router';
import { type KeyboardEvent, useEffect, useId, useState } from 'react';
import { useMe } from '../session/me';
import { cutKey } from '../table/cut_key';
import { foot, groups, shown } from './navigation';
import { useFound } from './found';

export interface Place {
  id: string;
  label: string;
  about: string;
  icon?: TablerIcon;
  to: string;
  search?: Record<string, string>;
}

/** "Go to…": pages, things by name, and credentials by their crd_ ID. */
export function GoTo({ open, onClose }: { open: boolean; onClose: () => void }) {
  return (
    <Modal
      opened={open}
      onClose={onClose}
      title="Go to…"
      size={560}
      padding={0}
      withCloseButton={false}
      classNames={{ header: 'hidden' }}
    >
      <GoToList onClose={onClose} />
    </Modal>
  );
}

function GoToList({ onClose }: { onClose: () => void }) {
  const me = useMe();
  const navigate = useNavigate();
  const id = useId();
  const [text, setText] = useState('');
  const [current, setCurrent] = useState(0);
  const [search] = useDebouncedValue(text.trim(), 150);
  const found = useFound(search);

  const pages: Place[] = [...groups.flatMap((group) => group.pages), ...foot]
    .filter((page) => shown(page, me) && page.label.toLowerCase().includes(text.trim().toLowerCase()))
    .map((page) => ({ id: page.to, label: page.label, about: 'Page', icon: page.icon, to: page.to }));
  if ('profile'.includes(text.trim().toLowerCase()))
    pages.push({ id: '/profile', label: 'Profile', about: 'Page', to: '/profile' });
  const places = [...pages, ...found];
  const at = Math.min(current, places.length - 1);
  useEffect(() => {
    document.getElementById(`${id}-${at}`)?.scrollIntoView({ block: 'nearest' });
  }, [at, id]);

  function go(place: Place | undefined) {
    if (!place) return;
    onClose();
    void navigate({ to: place.to, search: (place.search ?? {}) as never });
  }
  function keys(event: KeyboardEvent) {
    if (event.key === 'ArrowDown') setCurrent(Math.min(at + 1, places.length - 1));
    else if (event.key === 'ArrowUp') setCurrent(Math.max(at - 1, 0));
    else if (event.key === 'Enter') go(places[at]);
    else return;
    event.preventDefault();
  }
  return (
    <div onKeyDown={keys}>
      <TextInput
        className="gotosearch"
        variant="unstyled"
        data-autofocus
        placeholder="A page, a name or a crd_ ID"
        aria-label="Go to a page, a name or a crd_ ID"
        role="combobox"
        aria-expanded
        aria-controls={id}
        aria-activedescendant={`${id}-${at}`}
        leftSection={<IconSearch size={18} stroke={1.6} aria-hidden />}
        autoComplete="off"
        spellCheck={false}
        value={text}
        onChange={(event) => {
          setText(cutKey(event.currentTarget.value));
          setCurrent(0);
        }}
      />
      <div role="listbox" id={id} aria-label="Where to go" className="gotolist">
        {places.map((place, i) => {
          const Icon = place.icon;
          return (
            <div
              key={`${place.about}-${place.id}`}
              id={`${id}-${i}`}
              role="option"
              aria-selected={i === at}
              data-current={i === at || undefined}
              className="gotoitem"
              onClick={() => go(place)}
              onMouseMove={() => setCurrent(i)}
            >
              {Icon ? <Icon size={16} stroke={1.6} aria-hidden className="muted fixed" /> : <span className="noicon" />}
              <span className="trunc">{place.label}</span>
              <span className="muted about">{place.about}</span>
            </div>
          );
        })}
        {places.length === 0 && <div className="gotonone muted">Nothing is called that.</div>}
      </div>
    </div>
  );
}
