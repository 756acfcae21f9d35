import { TextInput } from '@mantine/core';
import { useDebouncedCallback, useMediaQuery } from '@mantine/hooks';
import { IconSearch } from '@tabler/icons-react';
import { useEffect, useState } from 'react';
import { cutKey } from './cut_key';

/** A list's search field: "/" jumps to it. A pasted key is cut to its ID before anything sees it. */
export function SearchInput({
  what,
  value,
  onChange,
}: {
  what: string;
  value: string;
  onChange: (text: string) => void;
}) {
  const [text, setText] = useState(value);
  const [sent, setSent] = useState(value);
  const small = useMediaQuery('(max-width: 767px)');
  const send = useDebouncedCallback((next: string) => {
    setSent(next);
    onChange(next);
  }, 150);
  useEffect(() => {
    // The back button, or "Clear filters".
    if (value !== sent) {
      setText(value);
      setSent(value);
    }
  }, [value, sent]);
  return (
    <TextInput
      className="searchinput"
      data-search
      type="search"
      aria-label={`Search ${what}`}
      placeholder={`Search ${what}`}
      autoComplete="off"
      spellCheck={false}
      leftSection={<IconSearch size={16} stroke={1.6} aria-hidden />}
      rightSection={small ? null : <kbd>/</kbd>}
      value={text}
      onChange={(event) => {
        const next = cutKey(event.currentTarget.value);
        setText(next);
        send(next);
      }}
      onKeyDown={(event) => {
        if (event.key === 'Escape' && text !== '') {
          event.preventDefault();
          setText('');
          send('');
        }
      }}
    />
  );
}
