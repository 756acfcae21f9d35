import { Select } from '@mantine/core';

/** How long a secret goes on after it was replaced, in seconds as text. */
export const graces = [
  { value: '0', label: 'Ends at once' },
  { value: '3600', label: 'Works for another hour' },
  { value: '86400', label: 'Works for another day' },
  { value: '604800', label: 'Works for another 7 days' },
  { value: '2592000', label: 'Works for another 30 days' },
];

/** Chooses how long what is replaced goes on: "The key and secret before". */
export function GraceChoice({
  what,
  value,
  onChange,
  error,
}: {
  what: string;
  value: string;
  onChange: (seconds: string) => void;
  error?: string;
}) {
  return (
    <Select
      label={what}
      data={graces}
      value={value}
      onChange={(seconds) => seconds !== null && onChange(seconds)}
      error={error}
    />
  );
}
