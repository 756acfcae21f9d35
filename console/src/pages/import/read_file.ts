// Reads files of keys in the browser, so that a wrong file never leaves it.

/** What a file may tell of a key. */
export const columns = ['name', 'owner', 'key', 'digest', 'expires_at'] as const;
export type Column = (typeof columns)[number];

/** A line of a file: its number, and its cells by head; no cells when it can't be read. */
export interface Row {
  line: number;
  cells?: Record<string, string>;
}

export interface KeyFile {
  heads: string[];
  rows: Row[];
}

/** Reads CSV whose first line names the columns, or JSON Lines. */
export function readKeys(text: string, jsonLines: boolean): KeyFile {
  const plain = text.startsWith('\ufeff') ? text.slice(1) : text;
  return jsonLines ? readLines(plain) : readTable(plain);
}

function readLines(text: string): KeyFile {
  const heads = new Set<string>();
  const rows: Row[] = [];
  text.split('\n').forEach((line, i) => {
    if (line.trim() === '') return;
    const cells = objectOf(line);
    for (const head of Object.keys(cells ?? {})) heads.add(head);
    rows.push({ line: i + 1, cells });
  });
  return { heads: [...heads], rows };
}

function objectOf(line: string): Record<string, string> | undefined {
  try {
    const value: unknown = JSON.parse(line);
    if (typeof value !== 'object' || value === null || Array.isArray(value)) return undefined;
    const out: Record<string, string> = {};
    for (const [head, cell] of Object.entries(value)) {
      if (typeof cell === 'string') out[head] = cell;
      else if (cell !== null) return undefined;
    }
    return out;
  } catch {
    return undefined;
  }
}

function readTable(text: string): KeyFile {
  const first = text.slice(0, Math.max(0, text.search(/\r?\n|$/)));
  const separator = [',', ';', '\t'].reduce((a, b) => (first.split(b).length > first.split(a).length ? b : a));
  const lines = splitTable(text, separator);
  const heads = (lines.shift()?.cells ?? []).map((head) => head.trim());
  return {
    heads,
    rows: lines.map(({ line, cells }) => ({
      line,
      cells:
        cells?.length === heads.length ? Object.fromEntries(heads.map((head, i) => [head, cells[i] ?? ''])) : undefined,
    })),
  };
}

/** Takes CSV apart (RFC 4180). A line whose quotes are wrong has no cells. */
function splitTable(text: string, separator: string): { line: number; cells?: string[] }[] {
  const out: { line: number; cells?: string[] }[] = [];
  let at = 0;
  let line = 1;
  while (at < text.length) {
    const begun = line;
    const cells: string[] = [];
    let bad = false;
    for (let more = true; more;) {
      let cell = '';
      if (text[at] === '"') {
        for (at++; at < text.length && !(text[at] === '"' && text[at + 1] !== '"'); at++) {
          if (text[at] === '"') at++;
          if (text[at] === '\n') line++;
          cell += text[at];
        }
        bad ||= at >= text.length;
        at++;
      }
      while (at < text.length && text[at] !== separator && text[at] !== '\n') cell += text[at++];
      cells.push(cell.replace(/\r$/, ''));
      more = text[at] === separator;
      at++;
    }
    line++;
    if (cells.length > 1 || cells[0] !== '') out.push({ line: begun, cells: bad ? undefined : cells });
  }
  return out;
}

/** Which head is which column, as far as that can be guessed. */
export function guess(heads: string[]): Partial<Record<Column, string>> {
  const words: Record<Column, RegExp> = {
    name: /^(name|label|title|description)$/i,
    owner: /^(owner|user|user[ _-]?id|user[ _-]?name|username|email|e-?mail|user[ _-]?email)$/i,
    key: /^(key|token|secret|api[ _-]?key|api[ _-]?token)$/i,
    digest: /^(digest|hash|sha-?256|key[ _-]?hash)$/i,
    expires_at: /^(expires?|expires[ _-]?at|expiry|ends?|valid[ _-]?until)$/i,
  };
  const out: Partial<Record<Column, string>> = {};
  for (const column of columns) {
    const head = heads.find((h) => h.toLowerCase() === column) ?? heads.find((h) => words[column].test(h));
    if (head !== undefined) out[column] = head;
  }
  return out;
}

export interface Line {
  line: number;
  name?: string;
  owner?: string;
  key?: string;
  digest?: string;
  expires_at?: string;
  malformed?: boolean;
}

/** The lines as they are sent, in pieces of what one request takes. */
export function pieces(rows: Row[], map: Partial<Record<Column, string>>): Line[][] {
  const out: Line[][] = [];
  let piece: Line[] = [];
  let size = 0;
  for (const row of rows) {
    const line: Line = { line: row.line };
    if (!row.cells) line.malformed = true;
    for (const column of columns) {
      const cell = row.cells?.[map[column] ?? '']?.trim();
      if (cell) line[column] = cell;
      if ((cell?.length ?? 0) > 8192) {
        for (const c of columns) delete line[c];
        line.malformed = true;
        break;
      }
    }
    const length = JSON.stringify(line).length * 2;
    if (piece.length === 1000 || size + length > 512 * 1024) {
      out.push(piece);
      piece = [];
      size = 0;
    }
    piece.push(line);
    size += length;
  }
  if (piece.length > 0) out.push(piece);
  return out;
}
