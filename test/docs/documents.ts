import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

/** A document for people: its path from the project's folder, and its text. */
export type Document = { path: string; text: string };

/** Every Markdown file that people read: at the top and in docs. */
export function documents(): Document[] {
  const paths = ['.', 'docs', 'docs/pictures'].flatMap((folder) =>
    readdirSync(folder)
      .filter((name) => name.endsWith('.md'))
      .map((name) => join(folder, name)),
  );
  return paths.map((path) => ({ path, text: readFileSync(path, 'utf8') }));
}

export function read(path: string): string {
  return readFileSync(path, 'utf8');
}

export type Fence = { language: string; text: string };

export function fences({ text }: Document): Fence[] {
  return [...text.matchAll(/^```(\w*)\n([\s\S]*?)^```/gm)].map(([, language = '', body = '']) => ({
    language,
    text: body,
  }));
}

/** What is written as code: fences and spans, one line each. */
export function codeOf(document: Document): string[] {
  const prose = document.text.replace(/^```\w*\n[\s\S]*?^```/gm, '');
  const spans = [...prose.matchAll(/`([^`\n]+(?:\n[^`\n]+)?)`/g)].map(([, span = '']) => span.replace(/\s+/g, ' '));
  return [...fences(document).flatMap((fence) => fence.text.split('\n')), ...spans];
}

/** Links and pictures to files of the project that are not there, or to headings that are not. */
export function brokenLinks({ path, text }: Document): string[] {
  const prose = text.replace(/^```\w*\n[\s\S]*?^```/gm, '').replace(/`[^`\n]+`/g, '');
  return [...prose.matchAll(/\]\(([^)\s]+)\)/g)]
    .map(([, link = '']) => link)
    .filter((link) => !/^[a-z]+:/.test(link))
    .filter((link) => {
      const [file = '', heading] = link.split('#');
      const target = file === '' ? path : join(dirname(path), file);
      if (!existsSync(target)) return true;
      return heading !== undefined && !headings(read(target)).includes(heading);
    });
}

/** As GitHub names them. */
function headings(text: string): string[] {
  return [...text.matchAll(/^#+ (.+)$/gm)].map(([, title = '']) =>
    title
      .toLowerCase()
      .replace(/[^\p{L}\p{N} _-]/gu, '')
      .replaceAll(' ', '-'),
  );
}

/** The rows of every table, as cells; a `\|` is no border. */
export function rows(text: string): string[][] {
  return text
    .split('\n')
    .filter((line) => /^\|.*\|$/.test(line) && !/^\|[-|]+\|$/.test(line))
    .map((line) =>
      line
        .slice(1, -1)
        .split(/(?<!\\)\|/)
        .map((cell) => cell.trim().replaceAll('\\|', '|')),
    );
}
