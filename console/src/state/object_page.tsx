import { Button } from '@mantine/core';
import { Link } from '@tanstack/react-router';
import type { ReactNode } from 'react';
import { hasCode, problemOf } from '../api/problem';
import { Page } from '../shell/page';
import { PageHead } from '../shell/page_head';
import { ObjectFailed } from './blank';
import { PlanGate } from './plan_gate';

interface ObjectPageProps<T> {
  query: { data?: T; error: unknown; refetch: () => unknown };
  /** "service account" */
  what: string;
  /** While there is no other; absent: `what`. */
  title?: string;
  /** "service accounts" */
  things: string;
  parent: { label: string; to: string };
  help: string;
  /** The page, once the object is here. */
  children: (object: T) => ReactNode;
}

/** The page of one object: the object, or what there is instead of it, and the way back. */
export function ObjectPage<T>({ query, what, title, things, parent, help, children }: ObjectPageProps<T>) {
  const { data, error } = query;
  // An object that is shown stays while reading it again fails, unless it is gone.
  if (data !== undefined && problemOf(error).status !== 404) return children(data);
  return (
    <Page kind="detail">
      <PageHead title={title ?? what.charAt(0).toUpperCase() + what.slice(1)} parent={parent} help={help} />
      {Boolean(error) && (
        <div className="card">
          {hasCode(error, 'plan_without_api_access') ? (
            <PlanGate things={things} />
          ) : (
            <ObjectFailed
              what={what}
              error={error}
              onRetry={() => void query.refetch()}
              back={
                <Button component={Link} to={parent.to} variant="default">
                  All {things}
                </Button>
              }
            />
          )}
        </div>
      )}
    </Page>
  );
}
