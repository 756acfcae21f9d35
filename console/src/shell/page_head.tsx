import { ActionIcon, Group, Text, Title, Tooltip } from '@mantine/core';
import { IconHelp } from '@tabler/icons-react';
import { Link } from '@tanstack/react-router';
import { type ReactNode, useEffect } from 'react';
import { useMe } from '../session/me';

interface PageHeadProps {
  /** The page's name, or the object's. */
  title: string;
  /** The page above, as a link: { label: 'Apps', to: '/apps' }; without `to` it is no page of this person's. */
  parent?: { label: string; to?: string };
  /** The page of docs/console that is about this one: "api-keys". */
  help: string;
  /** A state badge. */
  badge?: ReactNode;
  sub?: ReactNode;
  /** Actions; the primary one last. */
  children?: ReactNode;
}

/** A page's heading: parent as a link, one h1, help, actions. It also sets the window's title. */
export function PageHead({ title, parent, help, badge, sub, children }: PageHeadProps) {
  const me = useMe();
  useTitle(title, me.tenant.name);
  return (
    <Group justify="space-between" align="flex-start" mb={16} gap={12} wrap="wrap" className="pagehead">
      <div className="grow">
        <Group className="headline" gap={8} wrap="nowrap" align="center" mih={32}>
          <Title order={1}>
            {parent && (
              <>
                {parent.to ? (
                  <Link to={parent.to} className="crumb">
                    {parent.label}
                  </Link>
                ) : (
                  <span className="crumb plaincrumb">{parent.label}</span>
                )}
                <span className="crumbmark" aria-hidden>
                  /
                </span>
              </>
            )}
            {title}
          </Title>
          {badge}
          <Tooltip label="Help for this page">
            <ActionIcon
              component="a"
              href={`/help/console/${help}`}
              target="_blank"
              rel="noopener"
              aria-label="Help for this page"
              size={28}
            >
              <IconHelp size={18} stroke={1.6} />
            </ActionIcon>
          </Tooltip>
        </Group>
        {sub && (
          <Text size="sm" c="dimmed" component="div">
            {sub}
          </Text>
        )}
      </div>
      {children && <Group gap={8}>{children}</Group>}
    </Group>
  );
}

/** "API Keys · Northwind Voice · Claviger" */
export function useTitle(title: string, tenant?: string) {
  useEffect(() => {
    document.title = [title, tenant, 'Claviger'].filter(Boolean).join(' · ');
  }, [title, tenant]);
}
