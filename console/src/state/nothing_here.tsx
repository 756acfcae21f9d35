import { Button } from '@mantine/core';
import { Link } from '@tanstack/react-router';
import { Door } from '../shell/door';

/** No page has this address. */
export function NothingHere() {
  return (
    <Door title="There is no page at this address">
      <Button component={Link} to="/" mt={16} fullWidth>
        Go to the first page
      </Button>
    </Door>
  );
}
