import { Button, CopyButton, Group, Text } from '@mantine/core';
import {
  IconAlertTriangle,
  IconKeyOff,
  IconLockAccess,
  IconMoodEmpty,
  IconSearchOff,
  type TablerIcon,
} from '@tabler/icons-react';
import type { ReactNode } from 'react';
import { problemOf } from '../api/problem';

interface BlankProps {
  icon: TablerIcon;
  title: string;
  children?: ReactNode;
  /** What to do next; the primary button first. */
  actions?: ReactNode;
  note?: ReactNode;
}

/** What stands where a list or a page has nothing to show: what it is, why, what to do next. */
export function Blank({ icon: Icon, title, children, actions, note }: BlankProps) {
  return (
    <div className="blank">
      <div className="disc" aria-hidden>
        <Icon size={24} stroke={1.5} />
      </div>
      <h2>{title}</h2>
      {children && (
        <Text size="md" c="dimmed" maw={520} component="div">
          {children}
        </Text>
      )}
      {actions && (
        <Group mt={12} gap={8} justify="center">
          {actions}
        </Group>
      )}
      {note && (
        <Text size="sm" c="dimmed" mt={16} component="div">
          {note}
        </Text>
      )}
    </div>
  );
}

/** Nothing matches the search or the filters. */
export function NoMatch({
  what,
  search,
  where,
  onClear,
}: {
  what: string;
  search?: string;
  where?: string;
  onClear: () => void;
}) {
  const quoted = search ? ` “${search}”` : ' these filters';
  return (
    <Blank
      icon={IconSearchOff}
      title={`No ${what} match${quoted}${where ? ` in ${where}` : ''}.`}
      actions={
        <Button variant="default" onClick={onClear}>
          Clear filters
        </Button>
      }
    />
  );
}

/** The caller may not use this page; `right` is the name of the permission that is missing. */
export function NoPermission({ right }: { right?: string }) {
  return (
    <Blank icon={IconLockAccess} title="You do not have access to this page.">
      {right ? `A Super Admin can give you “${right}”.` : 'A Super Admin can give you access.'}
    </Blank>
  );
}

/** There is no such object, or it is none of the caller's business: both look the same. */
export function NotFound({ what, back }: { what: string; back?: ReactNode }) {
  return <Blank icon={IconMoodEmpty} title={`There is no such ${what}, or you may not see it.`} actions={back} />;
}

/** Something could not be loaded. */
export function LoadFailed({ what, error, onRetry }: { what: string; error: unknown; onRetry: () => void }) {
  const problem = problemOf(error);
  return (
    <Blank
      icon={IconAlertTriangle}
      title={`${what} could not be loaded.`}
      actions={<Button onClick={onRetry}>Try again</Button>}
      note={problem.request_id && <RequestID id={problem.request_id} />}
    >
      {problem.detail}
    </Blank>
  );
}

export function RequestID({ id }: { id: string }) {
  return (
    <>
      Request <span className="mono">{id}</span>{' '}
      <CopyButton value={id}>
        {({ copied, copy }) => (
          <Button variant="subtle" size="compact-xs" onClick={copy}>
            {copied ? 'Copied' : 'Copy'}
          </Button>
        )}
      </CopyButton>
    </>
  );
}

export { IconKeyOff };

/**
 * What to show instead of an object's page when reading it failed: not found and denied
 * read differently from a failure.
 */
export function ObjectFailed({
  what,
  error,
  onRetry,
  back,
}: {
  what: string;
  error: unknown;
  onRetry: () => void;
  back?: ReactNode;
}) {
  const { status } = problemOf(error);
  if (status === 404 || status === 400) return <NotFound what={what} back={back} />;
  if (status === 403) return <NoPermission />;
  return <LoadFailed what={`The ${what}`} error={error} onRetry={onRetry} />;
}
