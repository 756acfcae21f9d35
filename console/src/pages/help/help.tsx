import { Burger, Button, Drawer } from '@mantine/core';
import { useDisclosure, useMediaQuery } from '@mantine/hooks';
import { IconMoodEmpty } from '@tabler/icons-react';
import { useQuery } from '@tanstack/react-query';
import { Link, useLocation } from '@tanstack/react-router';
import { useEffect, useMemo } from 'react';
import { useTitle } from '../../shell/page_head';
import { Blank, LoadFailed } from '../../state/blank';
import { HelpHead } from './help_head';
import { addressOf, pageAt } from './links';
import { type Heading, Markdown, parse } from './markdown';
import { groups, pages, textOf, titleOf } from './pages';

/** The documentation: for everybody, signed in or not. */
export function HelpPage() {
  const path = useLocation({ select: (location) => location.pathname });
  const page = pageAt(decodeURIComponent(path).replace(/^\/help\/?/, ''), pages);
  const wide = useMediaQuery('(min-width: 1024px)', window.innerWidth >= 1024, { getInitialValueInEffect: false });
  const [drawer, { open, close }] = useDisclosure(false);
  useEffect(close, [path, close]);
  return (
    <div className="help">
      <HelpHead
        short={!wide}
        menu={!wide && <Burger size="sm" opened={drawer} onClick={open} aria-label="Open contents" />}
      />
      {wide && (
        <div className="helpnav">
          <Contents current={page} />
        </div>
      )}
      <main id="main" tabIndex={-1} className="helpmain">
        {page === undefined ? <NoSuchPage /> : <Article key={page} page={page} />}
      </main>
      <Drawer opened={drawer} onClose={close} size={300} title="Contents" closeButtonProps={{ 'aria-label': 'Close' }}>
        <Contents current={page} />
      </Drawer>
    </div>
  );
}

function Contents({ current }: { current: string | undefined }) {
  return (
    <nav aria-label="Documentation">
      <HelpLink page="README" current={current} />
      {groups.map((group) => (
        <div key={group.label} role="group" aria-label={group.label}>
          <div className="navgroup" aria-hidden>
            {group.label}
          </div>
          {group.pages.map((page) => (
            <HelpLink key={page} page={page} current={current} />
          ))}
        </div>
      ))}
      <div className="navgroup" aria-hidden>
        API
      </div>
      <Link to="/reference" className="helplink">
        API reference
      </Link>
    </nav>
  );
}

function HelpLink({ page, current }: { page: string; current: string | undefined }) {
  return (
    <Link
      to={addressOf(page)}
      className="helplink"
      activeOptions={{ exact: true, includeSearch: false }}
      data-current={page === current || undefined}
    >
      {titleOf(page)}
    </Link>
  );
}

function Article({ page }: { page: string }) {
  const hash = useLocation({ select: (location) => location.hash });
  useTitle(titleOf(page), 'Documentation');
  const text = useQuery({
    queryKey: ['help', page],
    queryFn: () => textOf(page),
    staleTime: Infinity,
    placeholderData: undefined,
    retry: false,
  });
  const parsed = useMemo(() => (text.data === undefined ? undefined : parse(text.data)), [text.data]);
  const ready = parsed !== undefined;
  useEffect(() => {
    if (!ready) return;
    if (hash) document.getElementById(decodeURIComponent(hash))?.scrollIntoView();
    else window.scrollTo(0, 0);
  }, [ready, hash]);
  if (text.isError) return <LoadFailed what="This page" error={text.error} onRetry={() => void text.refetch()} />;
  if (!parsed) return <div className="helppage" aria-busy />;
  return (
    <div className="helppage">
      <article className="prose">
        <Markdown page={page} parsed={parsed} />
      </article>
      <OnThisPage headings={[...parsed.headings.values()].filter((heading) => heading.depth === 2)} />
    </div>
  );
}

function OnThisPage({ headings }: { headings: Heading[] }) {
  if (headings.length < 2) return null;
  return (
    <nav className="helptoc" aria-label="On this page">
      <div className="navgroup" aria-hidden>
        On this page
      </div>
      {headings.map((heading) => (
        <a key={heading.anchor} href={`#${heading.anchor}`} className="helplink">
          {heading.text}
        </a>
      ))}
    </nav>
  );
}

function NoSuchPage() {
  useTitle('No such page', 'Documentation');
  return (
    <Blank
      icon={IconMoodEmpty}
      title="The documentation has no page at this address."
      actions={
        <Button component={Link} to="/help" variant="default">
          Go to the contents
        </Button>
      }
    >
      Search for what you need, or choose a page from the contents.
    </Blank>
  );
}
