import { ActionIcon, AppShell, Avatar, Burger, Drawer, Menu, UnstyledButton } from '@mantine/core';
import { useDisclosure, useMediaQuery } from '@mantine/hooks';
import { IconKeyboard, IconLogout, IconSearch, IconUserCircle } from '@tabler/icons-react';
import { Link, Outlet, useLocation, useNavigate } from '@tanstack/react-router';
import { Suspense, useCallback, useEffect, useState } from 'react';
import { api } from '../api/client';
import { queryClient } from '../api/query';
import { nameOf, useMe } from '../session/me';
import { StepUpProvider } from '../session/step_up';
import { initials } from '../words';
import { AwayBanner } from './away_banner';
import { Brand } from './brand';
import { ColorScheme } from './color_scheme';
import { GoTo } from './go_to';
import { type Destination, foot, groups, shown } from './navigation';
import { ScopeMenu } from './scope_menu';
import { Shortcuts } from './shortcuts';

/** What surrounds every page behind the sign-in. */
export function Shell() {
  const wide = useMediaQuery('(min-width: 1024px)', window.innerWidth >= 1024, { getInitialValueInEffect: false });
  const [drawer, { open, close }] = useDisclosure(false);
  const [goTo, setGoTo] = useState(false);
  const openGoTo = useCallback(() => setGoTo(true), []);
  const [keys, { open: openKeys, close: closeKeys }] = useDisclosure(false);
  const path = useLocation({ select: (location) => location.pathname });
  useEffect(close, [path, close]);
  return (
    <StepUpProvider>
      <a href="#main" className="skip">
        Skip to the content
      </a>
      <AppShell
        header={{ height: 52 }}
        navbar={{ width: 232, breakpoint: 1024, collapsed: { mobile: true, desktop: !wide } }}
        layout="alt"
        padding={0}
        transitionDuration={0}
      >
        {wide && (
          <AppShell.Navbar className="rail" withBorder={false}>
            <Navigation />
          </AppShell.Navbar>
        )}
        <AppShell.Header className="header">
          <div className="top">
            {!wide && <Burger size="sm" opened={drawer} onClick={open} aria-label="Open navigation" mx={8} />}
            <ScopeMenu />
            <div className="spring" />
            <Find wide={wide} onClick={openGoTo} />
            <ColorScheme />
            <Account onShortcuts={openKeys} />
          </div>
        </AppShell.Header>
        <AppShell.Main id="main" tabIndex={-1}>
          <AwayBanner />
          <Suspense>
            <Outlet />
          </Suspense>
        </AppShell.Main>
      </AppShell>
      <Drawer
        opened={drawer}
        onClose={close}
        size={264}
        padding={0}
        withCloseButton={false}
        title="Navigation"
        classNames={{ body: 'rail drawer', header: 'hidden' }}
      >
        <Navigation />
      </Drawer>
      <GoTo open={goTo} onClose={() => setGoTo(false)} />
      <Shortcuts open={keys} onOpen={openKeys} onClose={closeKeys} onGoTo={openGoTo} />
    </StepUpProvider>
  );
}

function Navigation() {
  const me = useMe();
  return (
    <>
      <Brand />
      <nav aria-label="Main">
        {groups.map((group) => {
          const pages = group.pages.filter((page) => shown(page, me));
          return (
            pages.length > 0 && (
              <div key={group.label} role="group" aria-label={group.label}>
                <div className="navgroup" aria-hidden>
                  {group.label}
                </div>
                {pages.map((page) => (
                  <NavItem key={page.to} page={page} />
                ))}
              </div>
            )
          );
        })}
      </nav>
      <nav aria-label="More" className="navfoot">
        {foot
          .filter((page) => shown(page, me))
          .map((page) => (
            <NavItem key={page.to} page={page} />
          ))}
      </nav>
    </>
  );
}

function NavItem({ page }: { page: Destination }) {
  const Icon = page.icon;
  // The keys have an entry of their own, though their page is among the settings.
  const elsewhere = useLocation({
    select: ({ pathname }) => page.to === '/settings' && pathname.startsWith('/settings/api-keys'),
  });
  return (
    <Link
      to={page.to}
      className="navitem"
      activeOptions={{ exact: elsewhere, includeSearch: false }}
      activeProps={{ 'aria-current': 'page' }}
    >
      <Icon size={16} stroke={1.6} aria-hidden />
      {page.label}
    </Link>
  );
}

function Find({ wide, onClick }: { wide: boolean; onClick: () => void }) {
  if (!wide) {
    return (
      <ActionIcon aria-label="Go to…" onClick={onClick}>
        <IconSearch size={18} stroke={1.6} />
      </ActionIcon>
    );
  }
  return (
    <UnstyledButton className="find" onClick={onClick} aria-keyshortcuts="Control+K">
      <IconSearch size={16} stroke={1.6} aria-hidden />
      Go to…<kbd>Ctrl K</kbd>
    </UnstyledButton>
  );
}

function Account({ onShortcuts }: { onShortcuts: () => void }) {
  const me = useMe();
  const navigate = useNavigate();
  const name = nameOf(me);
  async function signOut() {
    await api.DELETE('/v1/sessions/current');
    queryClient.clear();
    await navigate({ to: '/sign-in', search: {} as never });
  }
  return (
    <Menu position="bottom-end">
      <Menu.Target>
        <UnstyledButton className="avatar" aria-label={`Account: ${name}`}>
          <Avatar size={28} color="ink" radius="xl">
            {initials(name)}
          </Avatar>
        </UnstyledButton>
      </Menu.Target>
      <Menu.Dropdown>
        <Menu.Label>
          <span className="trunc">{name}</span>
          <span className="trunc">{me.tenant.name}</span>
        </Menu.Label>
        <Menu.Item component={Link} to="/profile" leftSection={<IconUserCircle size={16} stroke={1.6} />}>
          Profile
        </Menu.Item>
        <Menu.Item leftSection={<IconKeyboard size={16} stroke={1.6} />} onClick={onShortcuts}>
          Keyboard shortcuts
        </Menu.Item>
        <Menu.Divider />
        <Menu.Item leftSection={<IconLogout size={16} stroke={1.6} />} onClick={() => void signOut()}>
          Sign out
        </Menu.Item>
      </Menu.Dropdown>
    </Menu>
  );
}
