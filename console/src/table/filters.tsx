import { ActionIcon, Drawer, Indicator, Stack } from '@mantine/core';
import { useMediaQuery } from '@mantine/hooks';
import { IconFilter } from '@tabler/icons-react';
import { type ReactNode, useState } from 'react';

/** For a Select's comboboxProps: its choices are made when it is opened. Closed ones were measured as a page opens. */
export const whenOpened = { keepMounted: false };

interface FiltersProps {
  search: ReactNode;
  /** Whether a filter is set: on a phone the filters are out of sight. */
  active?: boolean;
  children?: ReactNode;
}

/** A list's search and filters above the table; on a phone the filters are in a sheet. */
export function Filters({ search, active, children }: FiltersProps) {
  const small = useMediaQuery('(max-width: 767px)', window.innerWidth < 768, { getInitialValueInEffect: false });
  const [open, setOpen] = useState(false);
  return (
    <div className="filters" role="search">
      {search}
      {children && !small && children}
      {children && small && (
        <>
          <Indicator disabled={!active} color="ink" size={8} offset={4}>
            <ActionIcon variant="default" className="filterbutton" aria-label="Filters" onClick={() => setOpen(true)}>
              <IconFilter size={16} stroke={1.6} />
            </ActionIcon>
          </Indicator>
          <Drawer
            opened={open}
            onClose={() => setOpen(false)}
            position="bottom"
            title="Filters"
            className="filterdrawer"
            closeButtonProps={{ 'aria-label': 'Close' }}
          >
            <Stack gap={12} className="filtersheet">
              {children}
            </Stack>
          </Drawer>
        </>
      )}
    </div>
  );
}
