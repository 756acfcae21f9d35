import { Button } from '@mantine/core';
import { IconMoodEmpty } from '@tabler/icons-react';
import { Link } from '@tanstack/react-router';
import { Blank } from './blank';

/** No page has this address. */
export function NothingHere() {
  return (
    <main className="page">
      <Blank
        icon={IconMoodEmpty}
        title="There is no page at this address."
        actions={
          <Button component={Link} to="/" variant="default">
            Go to the first page
          </Button>
        }
      />
    </main>
  );
}
