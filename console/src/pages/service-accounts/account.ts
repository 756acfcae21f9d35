import { answered, api, type Schema } from '../../api/client';
import { queryClient } from '../../api/query';
import { fileName } from './snippets';

export type ServiceAccount = Schema<'ServiceAccount'>;
export type ServiceAccountKey = Schema<'ServiceAccountKey'>;

/** The name of the right that opens the page. */
export const accountsRight = 'Service accounts';

/** What to call a service account: it has no name but its description, and an address. */
export function accountName(account: Pick<ServiceAccount, 'description' | 'account_email'>): string {
  return account.description || (account.account_email.split('@')[0] ?? account.account_email);
}

/** "Call lists, Recordings reader"; without a role, the basic methods only. */
export function roleNames(account: ServiceAccount): string {
  const names = new Set(account.roles.map((role) => role.role_name ?? role.role_id));
  return names.size === 0 ? 'Basic only' : [...names].join(', ');
}

/** Whether a key has not ended. */
export function living(key: Pick<ServiceAccountKey, 'state'>): boolean {
  return key.state === 'active' || key.state === 'suspended';
}

/** A key as it is called in titles: the beginning of its ID. */
export function shortID(key: Pick<ServiceAccountKey, 'key_id'>): string {
  return `${key.key_id.slice(0, 8)}…`;
}

/** Reads service accounts anew, wherever they are shown. */
export function accountsChanged() {
  return Promise.all(
    ['/v1/service-accounts', '/v1/service-accounts/{id}', '/v1/service-accounts/{id}/keys'].map((path) =>
      queryClient.invalidateQueries({ queryKey: ['get', path] }),
    ),
  );
}

/**
 * Makes a key for an account and lets the browser save its file. The private key goes from
 * the answer into the file and is kept nowhere else. Answers the key's ID.
 */
export async function generateKey(account: string, header: { 'Idempotency-Key': string }): Promise<string> {
  const issued = await answered(
    api.POST('/v1/service-accounts/{id}/keys', { params: { path: { id: account }, header }, body: {} }),
  );
  return saveFile(issued, 'Revoke that key and generate another.');
}

/** Makes the key that takes the place of one, as generateKey does. */
export async function replaceKey(
  id: string,
  graceSeconds: number,
  header: { 'Idempotency-Key': string },
): Promise<string> {
  const issued = await answered(
    api.POST('/v1/service-account-keys/{id}/rotate', {
      params: { path: { id }, header },
      body: { grace_period_seconds: graceSeconds },
    }),
  );
  return saveFile(issued, 'Roll the rotation back, or revoke that key and generate another.');
}

function saveFile(issued: Schema<'IssuedServiceAccountKey'>, lost: string): string {
  if (!issued.key_file) {
    throw {
      status: 409,
      code: 'shown_before',
      title: 'Shown before',
      detail: `A key was made, but its file did not arrive here. ${lost}`,
    };
  }
  save(fileName(issued.key_id), JSON.stringify(issued.key_file, null, 2));
  return issued.key_id;
}

function save(name: string, text: string) {
  const url = URL.createObjectURL(new Blob([text], { type: 'application/json' }));
  const link = document.createElement('a');
  link.href = url;
  link.download = name;
  link.click();
  // The browser has taken the file by the end of this turn.
  setTimeout(() => URL.revokeObjectURL(url), 0);
}
