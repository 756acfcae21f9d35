import { problemOf } from '../../api/problem';

export interface Downloaded {
  file: Blob;
  name: string;
  rows: number;
}

/** A download that ended before all rows were there. */
export class Truncated extends Error {
  constructor(
    readonly rows: number,
    readonly total: number,
  ) {
    super('truncated');
  }
}

const totalHeader = 'Claviger-Total';
/** How much is held before it is handed to the browser, which keeps large blobs on disk. */
const chunkSize = 1 << 20;

/** Asks for the file; a problem is thrown. Its body is still to come. */
export async function requestCSV(url: string, signal: AbortSignal): Promise<Response> {
  const response = await fetch(url, { credentials: 'same-origin', headers: { Accept: 'text/csv' }, signal });
  if (response.ok && response.body) return response;
  const problem: unknown = await response.json().catch(() => undefined);
  throw problemOf(problem);
}

/** Reads the file, telling how many rows are there of how many. Memory doesn't grow with it. */
export async function readCSV(
  response: Response,
  progress: (rows: number, total: number) => void,
): Promise<Downloaded> {
  const total = Number(response.headers.get(totalHeader) ?? 0);
  const reader = response.body!.getReader();
  const count = counter();
  const parts: Blob[] = [];
  let held: Uint8Array<ArrayBuffer>[] = [];
  let size = 0;
  const pass = () => {
    if (held.length > 0) parts.push(new Blob(held));
    held = [];
    size = 0;
  };
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (done) break;
      held.push(value as Uint8Array<ArrayBuffer>);
      size += value.length;
      if (size >= chunkSize) pass();
      progress(count.read(value), total);
    }
  } catch (error) {
    if (error instanceof DOMException && error.name === 'AbortError') throw error;
    throw new Truncated(count.rows(), total);
  }
  pass();
  // Whatever ended it, a file with fewer rows than were announced is not whole.
  if (!count.whole() || count.rows() < total) throw new Truncated(count.rows(), total);
  return { file: new Blob(parts, { type: 'text/csv' }), name: nameOf(response), rows: count.rows() };
}

/** Counts the rows of a CSV file below its heading, in pieces cut anywhere. */
export function counter() {
  let lines = 0;
  let quoted = false;
  let last = 0;
  const rows = () => Math.max(0, lines - 1);
  return {
    read(bytes: Uint8Array): number {
      for (const byte of bytes) {
        if (byte === 0x22) quoted = !quoted;
        else if (byte === 0x0a && !quoted) lines++;
        last = byte;
      }
      return rows();
    },
    rows,
    /** Whether it ends with a row's end. */
    whole: () => lines > 0 && !quoted && last === 0x0a,
  };
}

function nameOf(response: Response): string {
  return /filename="([^"]+)"/.exec(response.headers.get('Content-Disposition') ?? '')?.[1] ?? 'api-keys.csv';
}

/** Hands a file to the browser to be saved. */
export function save({ file, name }: Downloaded) {
  const url = URL.createObjectURL(file);
  const link = document.createElement('a');
  link.href = url;
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(url), 60_000);
}
