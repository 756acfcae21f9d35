import { Button } from '@mantine/core';
import { IconArrowLeft } from '@tabler/icons-react';
import { useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import type { ReactNode } from 'react';
import { meQuery } from '../../session/me';
import { Brand } from '../../shell/brand';
import { ColorScheme } from '../../shell/color_scheme';
import { HelpSearch } from './search';

/** The bar above the documentation and the API reference; `menu` opens the contents where they don't fit. */
export function HelpHead({ menu, short }: { menu?: ReactNode; short: boolean }) {
  return (
    <>
      <a href="#main" className="skip">
        Skip to the content
      </a>
      <header className="helphead">
        {menu}
        <Link to="/help" className="helpbrand" aria-label="Claviger documentation">
          <Brand />
        </Link>
        <HelpSearch />
        <div className="spring" />
        <BackToConsole short={short} />
        <ColorScheme />
      </header>
    </>
  );
}

function BackToConsole({ short }: { short: boolean }) {
  const { data: me } = useQuery(meQuery);
  if (!me) {
    return (
      <Button component={Link} to="/sign-in" variant="default" className="fixed">
        Sign in
      </Button>
    );
  }
  return (
    <Button
      component={Link}
      to="/"
      variant="default"
      className="fixed"
      leftSection={<IconArrowLeft size={15} stroke={1.7} aria-hidden />}
    >
      {short ? 'Console' : 'Back to the console'}
    </Button>
  );
}
