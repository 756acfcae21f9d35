// A problem is what the API answers when it refuses or fails (RFC 9457). It never holds a
// rejected value, so its texts can be shown as they are.
export interface Problem {
  status: number; // 0: the server was not reached
  code: string;
  title: string;
  detail: string;
  request_id?: string;
  errors?: { pointer: string; message: string }[];
}

const unreachable: Problem = {
  status: 0,
  code: 'unreachable',
  title: 'Claviger cannot be reached',
  detail: 'Claviger cannot be reached. Check your connection, then try again.',
};

/** Makes a problem of whatever was thrown. */
export function problemOf(error: unknown): Problem {
  if (typeof error === 'object' && error !== null && 'code' in error && 'status' in error) return error as Problem;
  return unreachable;
}

/** Whether the error is a problem with this code. */
export function hasCode(error: unknown, code: string): boolean {
  return problemOf(error).code === code;
}

/**
 * The messages for a form's fields, by field name: "/name" is the field "name". What
 * belongs to no field of the form is under "" and is shown above the buttons.
 */
export function fieldErrors(error: unknown, fields: readonly string[]): Record<string, string> {
  const problem = problemOf(error);
  const out: Record<string, string> = {};
  const rest: string[] = [];
  for (const e of problem.errors ?? []) {
    const name = e.pointer.replace(/^\//, '').split('/')[0] ?? '';
    if (fields.includes(name)) out[name] ??= e.message;
    else rest.push(e.message);
  }
  if (Object.keys(out).length === 0 || rest.length > 0) out[''] = rest.length > 0 ? rest.join(' ') : problem.detail;
  return out;
}
