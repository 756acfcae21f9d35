import titles from 'virtual:help-titles';

/** Every page, by its path in docs/ without ".md". */
export const pages = titles.map((t) => t.page);

const byPage = new Map(titles.map((t) => [t.page, t.title]));

/** The title of a page: its first heading. */
export function titleOf(page: string): string {
  return byPage.get(page) ?? page;
}

const texts = import.meta.glob<string>('../../../../docs/**/*.md', { query: '?raw', import: 'default' });

/** The Markdown of a page. */
export async function textOf(page: string): Promise<string> {
  const load = texts[`../../../../docs/${page}.md`];
  if (!load) throw new Error('there is no such page');
  return load();
}

const pictures = import.meta.glob<string>('../../../../docs/images/**/*.{png,svg,jpg,webp}', {
  query: '?url',
  import: 'default',
  eager: true,
});

/** The address of a picture of docs/; undefined when there is none. */
export function pictureAt(path: string): string | undefined {
  return pictures[`../../../../docs/${path}`];
}

// The order of what people look for; pages that are not named follow by title.
const order = [
  'guides/quick-start',
  'guides/README',
  'verification-api',
  'nginx',
  'caddy',
  'guides/go-middleware',
  'guides/business-intelligence',
  'guides/user-keys',
  'guides/organization-keys',
  'guides/service-accounts',
  'guides/apps',
  'guides/client-credentials',
  'guides/rotation',
  'console/README',
  'console/api-keys',
  'console/apps',
  'console/service-accounts',
  'console/api-credentials',
  'console/users',
  'console/roles',
  'console/organizations',
  'console/usage',
  'console/audit-log',
  'console/settings',
  'console/policy',
  'console/webhooks',
  'console/import',
  'console/profile',
  'console/sign-in',
  'console/tenants',
  'console/plans',
  'console/api-catalogue',
  'operations',
];
const place = (page: string) => (order.includes(page) ? order.indexOf(page) : order.length);

function group(label: string, take: (page: string) => boolean) {
  return {
    label,
    pages: pages
      .filter(take)
      .sort((a, b) => place(a) - place(b) || titleOf(a).localeCompare(titleOf(b), 'en', { sensitivity: 'base' })),
  };
}

const guides = ['verification-api', 'nginx', 'caddy'];

/** What stands at the left. */
export const groups = [
  group('Guides', (page) => page.startsWith('guides/') || guides.includes(page)),
  group('Pages of the console', (page) => page.startsWith('console/')),
  group('Operators', (page) => !page.includes('/') && page !== 'README' && !guides.includes(page)),
  group('Decisions', (page) => page.startsWith('decisions/')),
].filter((g) => g.pages.length > 0);
