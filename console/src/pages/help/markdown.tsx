import { IconExternalLink, IconLink } from '@tabler/icons-react';
import { Link } from '@tanstack/react-router';
import { marked, type Token, type Tokens } from 'marked';
import { Fragment, type ReactNode } from 'react';
import { Code } from '../../dialog/secret';
import { addressOf, anchors, join, resolve } from './links';
import { pages, pictureAt } from './pages';

export interface Heading {
  anchor: string;
  text: string;
  depth: number;
}

/** The tokens of a page, and its headings with their anchors. */
export function parse(markdown: string): { tokens: Token[]; headings: Map<Token, Heading> } {
  const tokens = marked.lexer(markdown);
  const anchor = anchors();
  const headings = new Map<Token, Heading>();
  for (const token of tokens) {
    if (token.type !== 'heading') continue;
    const text = plainText(token.tokens ?? []);
    headings.set(token, { anchor: anchor(text), text, depth: (token as Tokens.Heading).depth });
  }
  return { tokens, headings };
}

function plainText(tokens: Token[]): string {
  return tokens
    .map((token) => ('tokens' in token && token.tokens ? plainText(token.tokens) : decode((token as Tokens.Text).text)))
    .join('');
}

const entities: Record<string, string> = { amp: '&', lt: '<', gt: '>', quot: '"', '#39': '’', nbsp: ' ' };

function decode(text: string): string {
  return text.replace(/&(amp|lt|gt|quot|#39|nbsp);/g, (_, name: string) => entities[name] ?? '');
}

/**
 * A page as elements. There is no road for HTML: what looks like it in the Markdown is shown
 * as the text that it is.
 */
export function Markdown({ page, parsed }: { page: string; parsed: ReturnType<typeof parse> }) {
  return <Blocks tokens={parsed.tokens} page={page} headings={parsed.headings} />;
}

interface Context {
  page: string;
  headings: Map<Token, Heading>;
}

function Blocks({ tokens, ...context }: Context & { tokens: Token[] }) {
  return tokens.map((token, i) => <Block key={i} token={token} {...context} />);
}

function Block({ token, ...context }: Context & { token: Token }): ReactNode {
  const inside = <Inlines tokens={('tokens' in token && token.tokens) || []} page={context.page} />;
  switch (token.type) {
    case 'heading':
      return <HeadingBlock heading={context.headings.get(token)}>{inside}</HeadingBlock>;
    case 'paragraph':
      return <p>{inside}</p>;
    case 'text':
      return 'tokens' in token && token.tokens ? inside : decode((token as Tokens.Text).text);
    case 'code':
      return <Code>{(token as Tokens.Code).text}</Code>;
    case 'blockquote':
      return (
        <blockquote>
          <Blocks tokens={token.tokens ?? []} {...context} />
        </blockquote>
      );
    case 'list':
      return <List list={token as Tokens.List} {...context} />;
    case 'table':
      return <TableBlock table={token as Tokens.Table} page={context.page} />;
    case 'hr':
      return <hr />;
    case 'html':
      return <p>{token.raw.trim()}</p>;
    default:
      return null;
  }
}

function HeadingBlock({ heading, children }: { heading?: Heading; children: ReactNode }) {
  const depth = Math.min(heading?.depth ?? 2, 6);
  const Level = `h${depth}` as 'h2';
  if (!heading || depth === 1) return <Level id={heading?.anchor}>{children}</Level>;
  return (
    <Level id={heading.anchor} tabIndex={-1}>
      {children}
      <a className="anchor" href={`#${heading.anchor}`} aria-label={`Link to “${heading.text}”`}>
        <IconLink size={15} stroke={1.8} aria-hidden />
      </a>
    </Level>
  );
}

function List({ list, ...context }: Context & { list: Tokens.List }) {
  const items = list.items.map((item, i) => (
    <li key={i}>
      <Blocks tokens={item.tokens} {...context} />
    </li>
  ));
  return list.ordered ? <ol start={list.start || 1}>{items}</ol> : <ul>{items}</ul>;
}

function TableBlock({ table, page }: { table: Tokens.Table; page: string }) {
  return (
    <div className="tscroll" tabIndex={0} role="region" aria-label="Table">
      <table>
        <thead>
          <tr>
            {table.header.map((cell, i) => (
              <th key={i} scope="col" data-align={cell.align ?? undefined}>
                <Inlines tokens={cell.tokens} page={page} />
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {table.rows.map((row, i) => (
            <tr key={i}>
              {row.map((cell, k) => (
                <td key={k} data-align={cell.align ?? undefined}>
                  <Inlines tokens={cell.tokens} page={page} />
                </td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

function Inlines({ tokens, page }: { tokens: Token[]; page: string }) {
  return tokens.map((token, i) => <Fragment key={i}>{inline(token, page)}</Fragment>);
}

function inline(token: Token, page: string): ReactNode {
  const inside = 'tokens' in token && token.tokens ? <Inlines tokens={token.tokens} page={page} /> : undefined;
  switch (token.type) {
    case 'strong':
      return <strong>{inside}</strong>;
    case 'em':
      return <em>{inside}</em>;
    case 'del':
      return <del>{inside}</del>;
    case 'codespan':
      return <code>{decode((token as Tokens.Codespan).text)}</code>;
    case 'br':
      return <br />;
    case 'link':
      return (
        <TextLink href={(token as Tokens.Link).href} page={page}>
          {inside}
        </TextLink>
      );
    case 'image':
      return <Picture image={token as Tokens.Image} page={page} />;
    case 'html':
      return token.raw;
    default:
      return inside ?? decode((token as Tokens.Text).text ?? '');
  }
}

function TextLink({ href, page, children }: { href: string; page: string; children: ReactNode }) {
  const target = resolve(href, page, pages);
  switch (target.kind) {
    case 'page':
      if (target.page === page && target.hash) return <a href={`#${target.hash}`}>{children}</a>;
      return (
        <Link to={addressOf(target.page)} hash={target.hash || undefined}>
          {children}
        </Link>
      );
    case 'console':
      return <a href={target.to}>{children}</a>;
    case 'out':
      return (
        <a href={target.href} target="_blank" rel="noopener noreferrer">
          {children}
          <IconExternalLink size={13} stroke={1.8} className="outmark" aria-hidden />
          <span className="hidden"> (another site)</span>
        </a>
      );
    case 'nowhere':
      return children;
  }
}

function Picture({ image, page }: { image: Tokens.Image; page: string }) {
  const file = join(page, image.href);
  const address = file === undefined ? undefined : pictureAt(file);
  return address ? <img src={address} alt={image.text} loading="lazy" /> : <em>{image.text}</em>;
}
