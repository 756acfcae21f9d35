import { execFileSync } from 'node:child_process';
import { createPublicKey, generateKeyPairSync, verify } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { expect, test } from 'vitest';
import { accountName, roleNames, type ServiceAccount } from './account';
import { fileName, snippets } from './snippets';

test('an account is called by its description, or by its address', () => {
  expect(accountName({ description: 'Night campaign', account_email: 'sva-1@x.claviger.internal' })).toBe(
    'Night campaign',
  );
  expect(accountName({ account_email: 'sva-1@x.claviger.internal' })).toBe('sva-1');
});

test('VX2: without a role an account has the basic methods only', () => {
  expect(roleNames({ roles: [] } as unknown as ServiceAccount)).toBe('Basic only');
  const roles = [{ role_name: 'Analyst' }, { role_name: 'Analyst' }, { role_id: 'rol_1' }];
  expect(roleNames({ roles } as unknown as ServiceAccount)).toBe('Analyst, rol_1');
});

// What people copy must work: each example signs a real token.
test.each(['curl', 'Node'])('VX4: the example for %s makes a good JWT', (language) => {
  const dir = mkdtempSync(path.join(tmpdir(), 'claviger-snippet-'));
  try {
    const signer = { accountID: 1234567, keyID: '7d257678-dd13-42ca-a30d-d3e3a881ac1a' };
    const pair = generateKeyPairSync('rsa', {
      modulusLength: 2048,
      privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
      publicKeyEncoding: { type: 'spki', format: 'pem' },
    });
    writeFileSync(path.join(dir, fileName(signer.keyID)), JSON.stringify({ private_key: pair.privateKey }));
    const code = snippets.find((s) => s.language === language)!.code(signer);
    // The call itself is left out: there is no such API.
    const token =
      language === 'curl'
        ? run(dir, 'bash', ['-c', code.replace(/curl .* -H "Authorization: Bearer (.*)"/, 'printf %s "$1"')])
        : run(dir, 'node', [
            '--input-type=module',
            '-e',
            code.replace(/const answer[^]*/, 'process.stdout.write(token)'),
          ]);
    const [head = '', body = '', signature = ''] = token.split('.');
    expect(JSON.parse(text(head))).toEqual({ alg: 'RS256', kid: signer.keyID });
    const claims = JSON.parse(text(body)) as { iss: number; iat: number; exp: number };
    expect(claims.iss).toBe(signer.accountID);
    expect(claims.exp - claims.iat).toBe(3600);
    expect(Math.abs(claims.iat - Date.now() / 1000)).toBeLessThan(60);
    const good = verify(
      'RSA-SHA256',
      Buffer.from(`${head}.${body}`),
      createPublicKey(pair.publicKey),
      Buffer.from(signature, 'base64url'),
    );
    expect(good).toBe(true);
  } finally {
    rmSync(dir, { recursive: true });
  }
});

function run(cwd: string, program: string, args: string[]): string {
  return execFileSync(program, args, { cwd, encoding: 'utf8' });
}

function text(part: string): string {
  return Buffer.from(part, 'base64url').toString();
}
