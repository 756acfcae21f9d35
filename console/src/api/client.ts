import createFetchClient, { type Middleware } from 'openapi-fetch';
import createClient from 'openapi-react-query';
import type { components, paths } from './schema';

/** The API's types by name: Schema<'APIKey'>. */
export type Schema<Name extends keyof components['schemas']> = components['schemas'][Name];

let signedOut: () => void = () => {};

/** Says what happens when the server no longer knows the session. */
export function onSignedOut(handler: () => void) {
  signedOut = handler;
}

const notSignedIn: Middleware = {
  onResponse({ response, schemaPath }) {
    if (response.status === 401 && !schemaPath.startsWith('/v1/sessions') && schemaPath !== '/v1/me') signedOut();
    return undefined;
  },
};

// The session's cookie goes along by itself: the console and the API are one origin.
export const api = createFetchClient<paths>({ baseUrl: '/', credentials: 'same-origin' });
api.use(notSignedIn);

/** The API for components: $api.useQuery('get', '/v1/api-keys', …). */
export const $api = createClient(api);

/**
 * The answer of a call made with `api`, or its problem thrown:
 * `const key = await answer(api.POST('/v1/api-keys', { body }))`.
 */
export async function answer<T>(
  call: Promise<{ data?: T; error?: unknown; response: Response }>,
): Promise<NonNullable<T> | undefined> {
  const { data, error, response } = await call;
  if (response.ok) return data as NonNullable<T> | undefined;
  if (error && typeof error === 'object') throw error;
  throw {
    status: response.status,
    code: 'unreadable',
    title: 'Unreadable answer',
    detail: 'The server’s answer could not be read. Try again.',
  };
}

/** As answer, for operations that always answer a body. */
export async function answered<T>(
  call: Promise<{ data?: T; error?: unknown; response: Response }>,
): Promise<NonNullable<T>> {
  return (await answer(call)) as NonNullable<T>;
}
