import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { type Browser, type BrowserContext, chromium, type Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, expect } from 'vitest';

// What demo.json tells: everything that was seeded, with passwords and keys.
export interface Demo {
  url: string;
  verifier_key: string;
  system_tenant_id: string;
  system_admin: { tenant: string; username: string; password: string };
  tenants: DemoTenant[];
}
export interface DemoTenant {
  id: string;
  slug: string;
  name: string;
  model: 'PV' | 'NV' | 'VX' | 'EE' | 'VC';
  account_id: number;
  organizations: { id: string; name: string; parent_id?: string }[];
  users: DemoUser[];
  credentials: DemoCredential[];
}
export interface DemoUser {
  id: string;
  username: string;
  password: string;
  role: string;
  organization_id: string;
}
export interface DemoCredential {
  id: string;
  kind: string;
  name: string;
  state: string;
  owner: string;
  organization_id: string;
  permissions: string[];
  expires_at?: string;
  key?: string;
  secret?: string;
  user_id?: string;
  client_id?: string;
  client_secret?: string;
  scopes?: string[];
  key_id?: string;
  private_key_file?: string;
}

const root = path.resolve(import.meta.dirname, '../..');
const binary = process.env.CLAVIGER_BINARY ?? path.join(root, 'bin/claviger');

// In a root container Chromium has no sandbox to make; the others keep it from talking to
// servers that have nothing to do with us.
const chromiumArguments = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];

/** Starts the built program's demo on a port of its own, and stops it in the end. */
export class Server {
  demo!: Demo;
  private process?: ChildProcess;
  private readonly dir = fs.mkdtempSync(path.join(os.tmpdir(), 'claviger-console-'));

  /** The folder of the running program's data. */
  get data(): string {
    return path.join(this.dir, 'data');
  }

  /** What the program prints for these arguments. */
  run(...args: string[]): string {
    const { status, stdout, stderr } = spawnSync(binary, args, { encoding: 'utf8' });
    if (status !== 0) throw new Error(stderr);
    return stdout;
  }

  /** `demo`, or `serve` with further flags: then there is no demo.json, only the URL. */
  async start(command: 'demo' | 'serve' = 'demo', flags: string[] = []) {
    const ready = path.join(this.dir, 'ready');
    fs.rmSync(ready, { force: true });
    const { data } = this;
    const log = fs.openSync(path.join(this.dir, 'log'), 'a');
    this.process = spawn(binary, [command, '--addr', '127.0.0.1:0', '--data', data, '--ready-file', ready, ...flags], {
      stdio: ['ignore', log, log],
    });
    const begun = Date.now();
    while (!fs.existsSync(ready)) {
      if (this.process.exitCode !== null || Date.now() - begun > 60_000) {
        throw new Error(`the demo did not start:\n${fs.readFileSync(path.join(this.dir, 'log'), 'utf8').slice(-4000)}`);
      }
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
    if (command === 'serve') {
      this.demo = { url: fs.readFileSync(ready, 'utf8').trim() } as Demo;
      return;
    }
    this.demo = JSON.parse(fs.readFileSync(path.join(data, 'demo.json'), 'utf8')) as Demo;
  }

  async stop() {
    const child = this.process;
    if (child && child.exitCode === null) {
      const ended = new Promise((resolve) => child.once('exit', resolve));
      child.kill('SIGTERM');
      await ended;
    }
    fs.rmSync(this.dir, { recursive: true, force: true });
  }

  tenant(model: DemoTenant['model']): DemoTenant {
    return this.demo.tenants.find((t) => t.model === model)!;
  }

  /** The first user of a model's tenant with this role, such as "Super Admin". */
  user(model: DemoTenant['model'], role: string): DemoUser & { tenant: string } {
    const tenant = this.tenant(model);
    const user = tenant.users.find((u) => u.role === role);
    if (!user) throw new Error(`no ${role} in ${model}: ${tenant.users.map((u) => u.role).join(', ')}`);
    return { ...user, tenant: tenant.slug };
  }
}

/** What pages did that no page may do: errors in the console, requests to other origins. */
interface Watched {
  context: BrowserContext;
  complaints: string[];
}

/** Notes what no page may do, also on pages that open others, such as the help. */
function watch(context: BrowserContext, own: string): string[] {
  const complaints: string[] = [];
  context.on('request', (request) => {
    const url = new URL(request.url());
    if (url.origin !== own && !/^(data|blob|about):$/.test(url.protocol))
      complaints.push(`left the origin: ${url.href}`);
  });
  context.on('weberror', (error) => complaints.push(`page error: ${error.error().message}`));
  context.on('console', (message) => {
    if (message.type() !== 'error') return;
    // A refused request is part of many tests; the browser reports it as an error. What a page is made of is not.
    const asked = message.text().startsWith('Failed to load resource') && message.location().url;
    if (asked && /^\/(v1\/|healthz)/.test(new URL(asked).pathname)) return;
    complaints.push(`console: ${message.text()} ${message.location().url}`);
  });
  return complaints;
}

/**
 * The world of a test file: a server of its own and one browser. Every page that a test
 * opened is checked after it: no error in the console, no request that left the origin.
 */
export function world(options: { command?: 'serve'; flags?: () => string[] } = {}) {
  const server = new Server();
  let browser: Browser;
  let opened: Watched[] = [];

  beforeAll(async () => {
    await server.start(options.command, options.flags?.());
    browser = await chromium.launch({
      executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
      args: chromiumArguments,
    });
  });
  afterAll(async () => {
    await browser?.close();
    await server.stop();
  });
  afterEach(async () => {
    const complaints = opened.flatMap((watched) => watched.complaints);
    for (const { context } of opened) await context.close();
    opened = [];
    expect(complaints).toEqual([]);
  });

  return {
    server,
    /** A page for nobody. Size: 1440×900 unless said otherwise. */
    async open(target = '/', size = { width: 1440, height: 900 }): Promise<Page> {
      const context = await browser.newContext({
        viewport: size,
        timezoneId: 'Europe/Lisbon',
        locale: 'en-GB',
        acceptDownloads: true,
        reducedMotion: 'reduce',
        permissions: ['clipboard-read', 'clipboard-write'],
      });
      const watched: Watched = { context, complaints: watch(context, new URL(server.demo.url).origin) };
      opened.push(watched);
      const page = await context.newPage();
      // Sooner than the test's own, so that a failure names what was waited for.
      page.setDefaultTimeout(12_000);
      await page.goto(server.demo.url + target);
      return page;
    },

    /** A page for someone who is signed in. */
    async as(
      user: { tenant: string; username: string; password: string },
      target = '/',
      size?: { width: number; height: number },
    ): Promise<Page> {
      const page = await this.open('/sign-in', size);
      const status = await page.evaluate(
        async ({ tenant, username, password }) =>
          (
            await fetch('/v1/sessions', {
              method: 'POST',
              headers: { 'Content-Type': 'application/json' },
              body: JSON.stringify({ tenant, username, password }),
            })
          ).status,
        { tenant: user.tenant, username: user.username, password: user.password },
      );
      expect(status).toBe(201);
      await page.goto(server.demo.url + target);
      return page;
    },

    /** Asks the management API as the page's person: for preparing and for checking. */
    async api<T = unknown>(
      page: Page,
      method: string,
      route: string,
      body?: unknown,
    ): Promise<{ status: number; body: T }> {
      return page.evaluate(
        async ([m, r, b]) => {
          const response = await fetch(r as string, {
            method: m as string,
            headers: b === undefined ? {} : { 'Content-Type': 'application/json' },
            body: b === undefined ? undefined : JSON.stringify(b),
          });
          const text = await response.text();
          return { status: response.status, body: text === '' ? undefined : JSON.parse(text) };
        },
        [method, route, body] as const,
      ) as Promise<{ status: number; body: T }>;
    },

    /** Asks whether a credential is good, as an API would. */
    async verify(body: Record<string, unknown>): Promise<{ valid: boolean; code: string }> {
      const response = await fetch(`${server.demo.url}/v1/verify`, {
        method: 'POST',
        headers: { 'Content-Type': 'application/json', Authorization: `Bearer ${server.demo.verifier_key}` },
        body: JSON.stringify(body),
      });
      return (await response.json()) as { valid: boolean; code: string };
    },
  };
}

const axeSource = fs.readFileSync(path.join(root, 'console/node_modules/axe-core/axe.min.js'), 'utf8');

/** Fails on anything serious that axe-core finds on the page as it is. */
export async function expectAccessible(page: Page) {
  await page.evaluate(axeSource);
  const violations = await page.evaluate(async () => {
    const { axe } = window as unknown as {
      axe: {
        run: (options: object) => Promise<{
          violations: { id: string; impact: string; nodes: { target: string[]; any: { message: string }[] }[] }[];
        }>;
      };
    };
    const found = await axe.run({ runOnly: ['wcag2a', 'wcag2aa', 'wcag21aa', 'wcag22aa', 'best-practice'] });
    return found.violations
      .filter((v) => v.impact === 'serious' || v.impact === 'critical')
      .map(
        (v) =>
          `${v.impact} ${v.id}: ${v.nodes
            .slice(0, 3)
            .map((n) => `${n.target.join(' ')} (${n.any[0]?.message ?? ''})`)
            .join('; ')}`,
      );
  });
  expect(violations).toEqual([]);
}
