/** A tracked file: its path from the top of the repository, with slashes, and what is in it. */
export type SourceFile = { path: string; text: string };

/** What breaks a rule, where: one line for whoever has to mend it. */
export type Breach = string;

/** Which folders of src may import which. What is not listed (app.ts, perform.ts, change.ts, measure.ts, cli/, compose/) composes and may import all. */
export const ARROWS: Record<string, string[]> = {
  core: [],
  engine: ['core'],
  store: ['core', 'engine'],
  config: ['core'],
  providers: ['core'],
  health: ['core'],
  chart: ['core'],
  checks: ['core'],
  github: ['core'],
  slack: ['core'],
  web: ['core'],
};

/** Who may use which package: an SDK belongs to its edge. Not listed: whoever needs it. */
const OWNERS: Record<string, string[]> = {
  kysely: ['store'],
  'better-sqlite3': ['store'],
  '@slack/bolt': ['slack'],
  octokit: ['github'],
  yaml: ['config'],
  '@resvg/resvg-wasm': ['chart'],
};

export type Import = { from: string; isType: boolean };

/** Every module that a file imports, by its text: static, dynamic, re-exported, for its side effects, in a type, or as a file. */
export function importsOf(text: string): Import[] {
  const found: Import[] = [];
  const statement = /^\s*(import|export)\b(\s+type\b)?[^'"`;]*?\bfrom\s+['"]([^'"]+)['"]/gm;
  for (const [, , type, from = ''] of text.matchAll(statement)) found.push({ from, isType: type !== undefined });
  for (const [, from = ''] of text.matchAll(/^\s*import\s+['"]([^'"]+)['"]/gm)) found.push({ from, isType: false });
  for (const [, from = ''] of text.matchAll(/\bimport\(\s*['"`]([^'"`]+)['"`]/g)) found.push({ from, isType: false });
  for (const [, from = ''] of text.matchAll(/\bimport\.meta\.resolve\(\s*['"`]([^'"`]+)['"`]/g)) {
    found.push({ from, isType: false });
  }
  return found;
}

function resolve(path: string, from: string): string {
  const parts = path.split('/').slice(0, -1);
  for (const part of from.split('/')) {
    if (part === '..') parts.pop();
    else if (part !== '.') parts.push(part);
  }
  return parts.join('/');
}

/** The folder of src that a path belongs to; null: it lies beside the folders, or outside of src. */
function folderOf(path: string): string | null {
  const [top, folder, ...rest] = path.split('/');
  return top === 'src' && folder !== undefined && rest.length > 0 ? folder : null;
}

/** Arrows between folders: towards core, and never from one edge to another. */
export function arrowBreaches(file: SourceFile): Breach[] {
  if (!file.path.startsWith('src/')) return [];
  const folder = folderOf(file.path);
  const allowed = folder === null ? undefined : ARROWS[folder];
  const breaches: Breach[] = [];
  for (const { from, isType } of importsOf(file.text)) {
    const breach = (why: string) => breaches.push(`${file.path} imports ${from}: ${why}`);
    if (!from.startsWith('.')) {
      const owners =
        OWNERS[
          from
            .split('/')
            .slice(0, from.startsWith('@') ? 2 : 1)
            .join('/')
        ];
      if (folder === 'core') breach('core imports nothing but core');
      else if (owners && allowed && !owners.includes(folder ?? '')) breach(`it belongs to ${owners}`);
      continue;
    }
    const target = resolve(file.path, from);
    const other = folderOf(target);
    if (!target.startsWith('src/')) breach('src imports nothing from outside src');
    else if (!allowed || other === folder) continue;
    else if (other === null || !allowed.includes(other)) breach(`${folder} may import ${['itself', ...allowed]}`);
    else if (folder === 'store' && other === 'engine' && !isType) breach('store imports types of engine only');
  }
  return breaches;
}

/**
 * Imports that lead back to where they began, types included: one circle, as `a.ts > b.ts > a.ts`, or nothing. Who imports
 * nothing that is left is taken away until nobody is; from whoever stays, every way leads into a circle.
 */
export function circleIn(files: SourceFile[]): Breach[] {
  const left = new Map(
    files.map(({ path, text }) => [path, importsOf(text).map(({ from }) => resolve(path, from))] as const),
  );
  const next = (path: string) => left.get(path)?.find((one) => left.has(one));
  for (let before = -1; before !== left.size; ) {
    before = left.size;
    for (const path of [...left.keys()]) if (next(path) === undefined) left.delete(path);
  }
  const [first] = left.keys();
  const way: string[] = [];
  for (let at = first; at !== undefined; at = next(at)) {
    const begin = way.indexOf(at);
    way.push(at);
    if (begin >= 0) return [way.slice(begin).join(' > ')];
  }
  return [];
}

/** One pattern that must not appear, and where it is looked for. */
type Ban = { where: RegExp; except?: RegExp; pattern: RegExp; why: string };

const BANS: Ban[] = [
  {
    where: /^src\/.*\.ts$/,
    except: /^src\/config\/env\.ts$/,
    pattern:
      /process\s*\.\s*env\b|process\[['"]env|\benv\s*}\s*=\s*process\b|\bimport\s*{[^}]*\benv\b[^}]*}\s*from\s*'node:process'/,
    why: 'the environment has one door: src/config/env.ts',
  },
  {
    where: /^src\/core\//,
    pattern:
      /\bDate\.now\b|\bMath\.random\b|\bnew Date\b|\bperformance\.now\b|\bcrypto\.|\bfetch\(|\bsetTimeout\b|\bprocess\./,
    why: 'core has no clock, no randomness and no world',
  },
  { where: /^src\/.*\.ts$/, pattern: /^\s*export\s+default\b|\bas\s+default\b/m, why: 'no default exports' },
  {
    where: /^(src|sandbox|test|bench)\/.*\.tsx?$/,
    pattern: /\b(?:it|test|describe)\s*(?:\.\w+)*\.(?:only|skip|todo)\b|\bx(?:it|describe)\(/,
    why: 'every test runs',
  },
  {
    where: /\.(?:tsx?|js|md|sql|yml)$/,
    pattern: /\b(?:TO[D]O|FIX[M]E)\b/,
    why: 'what is left to do is done or said in docs/features.md',
  },
  {
    where: /./,
    except: /^package-lock\.json$/,
    pattern:
      /\bregistry\.(?!example)[a-z0-9-]+\.[a-z]{2,}\b|\bnpmjs\.(?:org|com)\b|\byarnpkg\.com\b|\bpypi\.org\b|\bdeb\.debian\.org\b/,
    why: 'no file names a package registry',
  },
  { where: /./, pattern: /\/work\/(?:main|shared)\b|\.\.\/shared\//, why: 'no path of one machine' },
];

/** Patterns that must not appear in a file. */
export function bannedIn(file: SourceFile): Breach[] {
  return BANS.filter(({ where, except }) => where.test(file.path) && !except?.test(file.path)).flatMap((ban) => {
    const match = ban.pattern.exec(file.text);
    return match
      ? [`${file.path}:${file.text.slice(0, match.index).split('\n').length} ${match[0].trim()}: ${ban.why}`]
      : [];
  });
}

const LINES = 400;

/** Names that say nothing, and files that are two things. */
export function namingBreaches({ path, text }: SourceFile): Breach[] {
  const breaches: Breach[] = [];
  if (!/^(src|sandbox|test)\//.test(path)) return breaches;
  const name = path.split('/').at(-1) ?? '';
  if (/(^|\/)(utils?|helpers?|common|shared|misc|lib)(\/|\.ts$)|\/(types|interfaces)\.ts$/.test(path)) {
    breaches.push(`${path}: name it after what is in it`);
  }
  if (path.endsWith('.ts') && !/^[a-z0-9]+(-[a-z0-9]+)*(\.test)?\.ts$/.test(name)) breaches.push(`${path}: kebab-case`);
  const lines = text.split('\n').length - 1;
  if (/^src\/.*\.ts$/.test(path) && !path.includes('schema') && lines > LINES) {
    breaches.push(`${path}: ${lines} lines; which two things is it?`);
  }
  return breaches;
}
