import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { CHECKS } from '../../src/checks/index.ts';
import { COMMANDS } from '../../src/cli/index.ts';
import { SOURCES } from '../../src/health/index.ts';
import { PROVIDERS } from '../../src/providers/index.ts';
import { VERBS } from '../../src/slack/commands/index.ts';
import { ARROWS, arrowBreaches, bannedIn, circleIn, importsOf, namingBreaches, type SourceFile } from './rules.ts';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));
const BINARY = /\.(png|jpg|gif|ico|woff2?)$/;

const files: SourceFile[] = execFileSync('git', ['ls-files'], { cwd: ROOT, encoding: 'utf8' })
  .split('\n')
  .filter((path) => path !== '' && !BINARY.test(path) && existsSync(ROOT + path))
  .map((path) => ({ path, text: readFileSync(ROOT + path, 'utf8') }));

const textOf = (path: string) => files.find((one) => one.path === path)?.text ?? null;
const ofSource = (path: string, text: string): SourceFile => ({ path, text });

describe('the house', () => {
  it('every arrow between folders points towards core', () => {
    expect(files.filter((one) => one.path.startsWith('src/')).length).toBeGreaterThan(80);
    expect(files.flatMap(arrowBreaches)).toEqual([]);
  });

  it('every folder of src has its arrows, or composes', () => {
    const folders = new Set(files.flatMap(({ path }) => path.match(/^src\/([^/]+)\//)?.[1] ?? []));
    expect([...folders].filter((one) => !['cli', 'compose'].includes(one)).sort()).toEqual(Object.keys(ARROWS).sort());
  });

  it('no import inside core leads back to where it began', () => {
    expect(circleIn(files.filter((one) => one.path.startsWith('src/core/')))).toEqual([]);
  });

  it('nothing that is banned is in a file', () => {
    expect(files.filter((one) => one.path !== 'test/tidy/tidy.test.ts').flatMap(bannedIn)).toEqual([]);
  });

  it('every file has a name that says what is in it, and is one thing', () => {
    expect(files.flatMap(namingBreaches)).toEqual([]);
  });
});

describe('the checkers find what is planted', () => {
  it.each([
    ['src/core/x.ts', "import { z } from 'zod';"],
    ['src/core/x.ts', "import { createHash } from 'node:crypto';"],
    ['src/core/x.ts', "import type { Owed } from '../engine/ledger.ts';"],
    ['src/core/x.ts', "export { y } from '../perform.ts';"],
    ['src/core/judge/x.ts', "import { y } from '../../health/source.ts';"],
    ['src/slack/views/x.ts', "import { y } from '../../github/refs.ts';"],
    ['src/slack/x.ts', "const y = await import('../store/ledger.ts');"],
    ['src/providers/x.ts', "import {\n  a,\n  b,\n} from '../health/http.ts';"],
    ['src/engine/x.ts', "import '../store/audit.ts';"],
    ['src/store/x.ts', "import { createEngine } from '../engine/engine.ts';"],
    ['src/store/x.ts', "import { y } from '../config/env.ts';"],
    ['src/github/x.ts', "import type { App } from '@slack/bolt';"],
    ['src/engine/x.ts', "import Sqlite from 'better-sqlite3';"],
    ['src/app.ts', "import { y } from '../sandbox/fleet.ts';"],
    ['src/cli/x.ts', "import { y } from '../../test/support/given.ts';"],
  ])('%s: %s', (path, text) => {
    expect(arrowBreaches(ofSource(path, text))).toHaveLength(1);
  });

  it.each([
    ['src/core/x.ts', "import { y } from './judge/verdict.ts';"],
    ['src/store/x.ts', "import type { Ledger } from '../engine/ledger.ts';"],
    ['src/slack/views/x.ts', "import { y } from '../../core/rollout.ts';"],
    ['src/app.ts', "import { createEngine } from './engine/engine.ts';"],
    ['src/cli/x.ts', "import { y } from '../store/migrate.ts';"],
    ['src/health/x.ts', "import { z } from 'zod';"],
  ])('and let stand what is right: %s: %s', (path, text) => {
    expect(arrowBreaches(ofSource(path, text))).toEqual([]);
  });

  it('a circle of imports, however long, and whoever only leads to it', () => {
    const leadsTo = ofSource('src/core/a.ts', "import { b } from './judge/b.ts';");
    const b = ofSource('src/core/judge/b.ts', "import { c } from '../c.ts';\nimport { d } from '../d.ts';");
    const c = ofSource('src/core/c.ts', "import type { D } from './d.ts';");
    const d = (text: string) => ofSource('src/core/d.ts', text);
    expect(circleIn([leadsTo, b, c, d("import { z } from 'zod';")])).toEqual([]);
    expect(circleIn([leadsTo, b, c, d("import { b } from './judge/b.ts';")])).toEqual([
      'src/core/judge/b.ts > src/core/c.ts > src/core/d.ts > src/core/judge/b.ts',
    ]);
    expect(circleIn([d("export type { Itself } from './d.ts';")])).toHaveLength(1);
  });

  it('imports are found wherever they are', () => {
    const text = "import a from 'a';\nimport type { B } from 'b';\nexport * from 'c';\nimport 'd';\nawait import('e');";
    expect(
      importsOf(text)
        .map((one) => one.from)
        .sort(),
    ).toEqual(['a', 'b', 'c', 'd', 'e']);
  });

  it.each([
    ['src/app.ts', 'const x = process.env.HOME;'],
    ['src/cli/x.ts', 'const { env } = process;'],
    ['src/core/x.ts', 'const now = Date.now();'],
    ['src/core/judge/x.ts', 'return Math.random();'],
    ['src/core/x.ts', 'const at = new Date(5);'],
    ['src/slack/x.ts', 'export default 5;'],
    ['test/core/x.test.ts', 'it.only("x", () => {});'],
    ['test/core/x.test.ts', 'describe.skip("x", () => {});'],
    ['test/core/x.test.ts', 'it.concurrent.only("x", () => {});'],
    ['src/core/x.ts', `// ${'TO'}DO later`],
    ['docs/x.md', `see https://${'registry'}.somewhere.org/x`],
    ['README.md', `cd ${'/work'}/main`],
  ])('%s: %s', (path, text) => {
    expect(bannedIn(ofSource(path, `\n${text}`))).toHaveLength(1);
  });

  it.each([
    ['src/core/types.ts', ''],
    ['src/utils/time.ts', ''],
    ['src/core/helpers.ts', ''],
    ['src/core/bigFile.ts', ''],
    ['src/core/long.ts', 'x\n'.repeat(401)],
  ])('a name or a size: %s', (path, text) => {
    expect(namingBreaches(ofSource(path, text))).toHaveLength(1);
  });
});

describe('every file of a table’s folder is in its table', () => {
  const TABLES: [string, string, readonly unknown[]][] = [
    ['src/providers/', 'ProviderKind', Object.values(PROVIDERS)],
    ['src/health/', 'SourceKind', Object.values(SOURCES)],
    ['src/checks/', 'CheckKind', Object.values(CHECKS)],
    ['src/slack/commands/', 'Verb', VERBS],
    ['src/cli/', 'Command', COMMANDS],
  ];

  it.each(TABLES)('%s', async (folder, type, table) => {
    const declared = new RegExp(`^(?:export )?const (\\w+): ${type}(?:<.*>)? = `, 'gm');
    const kinds = files
      .filter(({ path }) => path.startsWith(folder) && !path.endsWith('/index.ts'))
      .flatMap(({ path, text }) => [...text.matchAll(declared)].map(([, name = '']) => ({ path, name })));
    expect(kinds.length).toBeGreaterThan(1);
    for (const { path, name } of kinds) {
      const module = (await import(ROOT + path)) as Record<string, unknown>;
      expect([path, table.includes(module[name])]).toEqual([path, true]);
    }
  });
});

describe('dependencies', () => {
  const manifest = JSON.parse(textOf('package.json') ?? '{}') as Record<string, Record<string, string>>;

  it('are pinned exactly', () => {
    const all = Object.entries({ ...manifest.dependencies, ...manifest.devDependencies });
    expect(all.length).toBeGreaterThan(10);
    expect(all.filter(([, version]) => !/^\d+\.\d+\.\d+$/.test(version))).toEqual([]);
  });

  it('are locked without the name of a registry', () => {
    const lock = JSON.parse(textOf('package-lock.json') ?? '{}') as { packages: Record<string, { resolved?: string }> };
    const resolved = Object.entries(lock.packages).filter(([, one]) => one.resolved?.includes('://'));
    expect(resolved).toEqual([]);
  });

  it('every package that src imports is a dependency, and every dependency is imported', () => {
    const packages = new Set(
      files
        .filter(({ path }) => path.startsWith('src/'))
        .flatMap(({ text }) => importsOf(text).map((one) => one.from))
        .filter((from) => !from.startsWith('.') && !from.startsWith('node:'))
        .map((from) =>
          from
            .split('/')
            .slice(0, from.startsWith('@') ? 2 : 1)
            .join('/'),
        ),
    );
    expect([...packages].sort()).toEqual(Object.keys(manifest.dependencies ?? {}).sort());
  });
});

describe('docs/features.md', () => {
  const COUNTS = { S: 7, B: 3, P: 6, R: 8, H: 5, D: 9, G: 8, M: 2, X: 9, O: 4, C: 5 };
  const ids = Object.entries(COUNTS).flatMap(([letter, count]) =>
    Array.from({ length: count }, (_, index) => `${letter}${index + 1}`),
  );
  const rows = new Map(
    [...(textOf('docs/features.md') ?? '').matchAll(/^\| ([A-Z]\d+) \| (.+?) \| (.+?) \| (.*?) ?\|$/gm)].map(
      ([, id = '', , state = '', missing = '']) => [id, { state, missing }],
    ),
  );

  it('has every feature once, with its state; what is partly there says what is missing', () => {
    expect([...rows.keys()].sort()).toEqual(ids.sort());
    for (const [id, { state, missing }] of rows) {
      expect([id, ['works', 'partly', 'not yet'].includes(state)]).toEqual([id, true]);
      if (state === 'partly') expect([id, missing.trim() === '']).toEqual([id, false]);
    }
  });

  it('what works is named by a test', () => {
    const tests = files.filter(({ path }) => /^test\/.*\.test\.ts$/.test(path) && !path.startsWith('test/tidy/'));
    const named = new Set(tests.flatMap(({ text }) => text.match(/\b[SBPRHDGMXOC]\d\b/g) ?? []));
    const works = [...rows].filter(([, { state }]) => state === 'works').map(([id]) => id);
    expect(works.filter((id) => !named.has(id))).toEqual([]);
  });
});
