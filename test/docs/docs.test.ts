import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { VARIABLES } from '../../src/checks/command.ts';
import { EXIT } from '../../src/cli/command.ts';
import { COMMANDS as CLI } from '../../src/cli/index.ts';
import { KINDS } from '../../src/cli/ready.ts';
import { loadInstallation } from '../../src/config/config.ts';
import { problemText } from '../../src/config/problem.ts';
import { type Action, authorize } from '../../src/core/authorize.ts';
import type { Role } from '../../src/core/principal.ts';
import { VERBS } from '../../src/slack/commands/index.ts';
import { THREAD_WORDS } from '../../src/slack/commands/thread.ts';
import { brokenLinks, codeOf, documents, fences, read, rows } from './documents.ts';

const DOCUMENTS = documents();
const CODE = DOCUMENTS.flatMap((document) => codeOf(document).map((line) => ({ path: document.path, line })));

/** Every match of the pattern's group in what is written as code, with where it was. */
function written(pattern: RegExp): { path: string; found: string }[] {
  return CODE.flatMap(({ path, line }) =>
    [...line.matchAll(pattern)].map(([, found = '']) => ({ path, found: found.trim() })),
  );
}

describe('what the documents name is there', () => {
  it.each(DOCUMENTS)('every link of $path leads somewhere', (document) => {
    expect(brokenLinks(document)).toEqual([]);
  });

  it('every npm script', () => {
    const { scripts } = JSON.parse(read('package.json')) as { scripts: Record<string, string> };
    const named = [...written(/npm run ([a-z:-]+)/g), ...written(/\bnpm (test|start)\b/g)];
    expect(named.length).toBeGreaterThan(5);
    expect(named.filter(({ found }) => !(found in scripts))).toEqual([]);
  });

  it('every command of the command line, with its options', () => {
    const lines = CODE.filter(
      ({ line }) => /(^|[\s/])belay [a-z]/.test(line) && !/^docker (run|build)|^journalctl|systemctl/.test(line),
    );
    const used = lines.flatMap(({ path, line }) =>
      [...line.matchAll(/(?:^|\s|bin\/)belay ([a-z]+)((?:\s+[^#&|;]+)?)/g)]
        .filter(([, name]) => name !== 'node')
        .map(([, name = '', rest = '']) => ({
          path,
          name,
          options: [...rest.matchAll(/--([a-z-]+)/g)].map(([, one = '']) => one),
        })),
    );
    expect(used.length).toBeGreaterThan(10);
    const unknown = used.filter(({ name, options }) => {
      if (name === 'help') return false;
      const command = CLI.find((one) => one.name === name);
      const known = ['config', 'json', 'help', ...Object.keys(command?.options ?? {})];
      return !command || options.some((one) => !known.includes(one));
    });
    expect(unknown).toEqual([]);
  });

  it('every slash command and verb, and each of them is explained', () => {
    const known = new Set(VERBS.flatMap((verb) => [verb.command, `${verb.command} ${verb.name}`.trim()]));
    const named = written(/^(\/(?:deploy|rollback|belay|oncall)(?: [a-z]+)?)(?=$|\s)/g);
    expect(named.length).toBeGreaterThan(8);
    // A word after /rollback is a service or “because”, never a verb.
    const verbs = named.map(({ found, ...rest }) => ({ ...rest, found: found.replace(/^\/rollback .*/, '/rollback') }));
    expect(verbs.filter(({ found }) => !known.has(found))).toEqual([]);
    const explained = rows(read('docs/slack.md')).map(([first]) => first);
    expect(VERBS.map((verb) => `\`${verb.usage}\``).filter((usage) => !explained.includes(usage))).toEqual([]);
  });

  it('every word that is said in a thread', () => {
    const said = written(/@Belay ([a-z]+)/g).map(({ found }) => found);
    const known: string[] = [...THREAD_WORDS, ...VERBS.map((verb) => verb.name), 'rollback', 'deploy'];
    expect(said.length).toBeGreaterThan(3);
    expect(said.filter((word) => !known.includes(word))).toEqual([]);
  });

  it('every variable of the environment, in both directions', () => {
    const door = new Set(
      [...read('src/config/env.ts').matchAll(/'((?:BELAY|SLACK|GITHUB)_[A-Z_]+)'/g)].map(([, one]) => one),
    );
    const own = written(/\b((?:BELAY|SLACK|GITHUB)_[A-Z_]+[A-Z])\b/g).filter(({ path }) => path !== 'docs/artifact.md');
    expect(own.length).toBeGreaterThan(10);
    // What the program of a check gets to know is set by Belay, and not read.
    expect(own.filter(({ found }) => !door.has(found) && !(found in VARIABLES))).toEqual([]);
    const explained = read('docs/configuration.md');
    expect([...door].filter((name) => !explained.includes(`\`${name}\``))).toEqual([]);
  });

  it('every address that Slack, GitHub or an orchestrator calls', () => {
    const source = read('src/app.ts') + read('src/web/server.ts');
    const named = [
      ...read('docs/install.md').matchAll(/your host>(\/[a-z/]+)/g),
      ...written(/GET (\/[a-z]+)/g).map((one) => ['', one.found]),
    ];
    expect(named.length).toBeGreaterThan(3);
    expect(named.map(([, path]) => path).filter((path) => !source.includes(`${path}'`))).toEqual([]);
  });
});

describe('what the documents say is so', () => {
  it('C3 P4 the two files of docs/install.md are a whole installation, with the same signals in every stage', () => {
    const install = DOCUMENTS.find(({ path }) => path === 'docs/install.md');
    const files = install ? fences(install).filter(({ language }) => language === 'yaml') : [];
    const belay = files.find(({ text }) => text.startsWith('database:'));
    const service = files.find(({ text }) => text.startsWith('service:'));
    const folder = mkdtempSync(join(tmpdir(), 'belay-docs-'));
    try {
      mkdirSync(join(folder, 'services'));
      writeFileSync(join(folder, 'belay.yml'), belay?.text ?? '');
      writeFileSync(join(folder, 'services', 'shop.yml'), service?.text ?? '');
      const loaded = loadInstallation(join(folder, 'belay.yml'), { PLATFORM_TOKEN: 'a-token' }, KINDS);
      if ('problems' in loaded) throw new Error(loaded.problems.map(problemText).join('\n'));
      const stages = loaded.installation.services.flatMap((one) => one.stages);
      const signals = stages.map((stage) => [stage.name, ...stage.signals.map((signal) => signal.name)]);
      expect(signals).toEqual([
        ['staging', 'errors'],
        ['production', 'errors'],
      ]);
    } finally {
      rmSync(folder, { recursive: true });
    }
  });

  it('T15 who may do what', () => {
    const ACTIONS: [row: string, actions: Action[]][] = [
      ['look: status, history, plan (any member)', ['look']],
      ['deploy', ['deploy', 'deploy-protected']],
      ['approve, reject, decide, stop the countdown', ['approve', 'reject', 'decide', 'stop-countdown']],
      ['roll back, abort', ['rollback', 'abort']],
      ['fix drift', ['fix-drift']],
      ['accept drift, put it off', ['accept-drift', 'ignore-drift']],
    ];
    const ROLES: Role[] = ['deployer', 'approver', 'on-call', 'admin'];
    const table = rows(read('docs/slack.md'));
    for (const [row, actions] of ACTIONS) {
      const [, ...cells] = table.find(([first]) => first === row) ?? [];
      for (const action of actions) {
        const may = ROLES.map((role) => {
          const principal = { kind: 'slack', teamId: 'T1', userId: 'U1' } as const;
          const actor = { principal, name: 'Ana', standing: 'member', roles: [role], githubId: 1 } as const;
          return authorize({ ...actor, roles: [role] }, action).allowed ? 'yes' : '';
        });
        expect([row, action, ...may]).toEqual([row, action, ...cells]);
      }
    }
  });

  it('H5 the reasons of a verdict, in the words of the card', () => {
    const told = rows(read('docs/judge.md')).map(([first = '']) => first);
    const from = told.indexOf('the reason says') + 1;
    const reasons = told.slice(from);
    expect(reasons.length).toBeGreaterThan(5);
    const words = read('src/slack/views/signal-words.ts');
    expect(reasons.filter((reason) => !words.includes(`'${reason}`) && !words.includes(`${reason},`))).toEqual([]);
  });

  it('D2 what the card says, in its own words, at night and in each stage', () => {
    const words = ['words', 'trouble-words', 'signal-words'].map((name) => read(`src/slack/views/${name}.ts`)).join();
    const firstCells = (path: string, head: string) => {
      const cells = rows(read(path)).map(([first = '']) => first);
      return cells.slice(cells.indexOf(head) + 1);
    };
    const night = firstCells('docs/operations.md', 'the card says').slice(0, 7);
    const phases = firstCells('docs/stages.md', 'the card says');
    const told = [...night, ...phases].flatMap(
      (cell) =>
        cell
          .split(/,|…|only 11 of 12/)
          .map((one) => one.trim())
          .find((one) => one !== '') ?? [],
    );
    expect(told.length).toBeGreaterThan(14);
    expect(told.filter((text) => !words.includes(text))).toEqual([]);
  });

  it('the exit codes', () => {
    const told = rows(read('docs/operations.md'))
      .filter(([first = '']) => /^\d+$/.test(first))
      .map(([first]) => Number(first));
    expect(told).toEqual(Object.values(EXIT));
  });

  it('the scopes of the Slack app', () => {
    const manifest = parse(read('manifest.yml')) as { oauth_config: { scopes: { bot: string[] } } };
    const { bot } = manifest.oauth_config.scopes;
    const [, told = ''] = /The app asks for (?:\w+) scopes: ([^.]+)\./.exec(read('docs/install.md')) ?? [];
    expect([...told.matchAll(/`([^`]+)`/g)].map(([, scope]) => scope).sort()).toEqual([...bot].sort());
  });

  it('every feature has one state, and what is partly done says what is missing', () => {
    const features = rows(read('docs/features.md')).filter(([id = '']) => /^[A-Z]\d+$/.test(id));
    const COUNTS = { S: 7, B: 3, P: 6, R: 8, H: 5, D: 9, G: 8, M: 2, X: 9, O: 4, C: 5 };
    const ids = Object.entries(COUNTS).flatMap(([letter, count]) =>
      Array.from({ length: count }, (_, index) => `${letter}${index + 1}`),
    );
    expect(features.map(([id]) => id)).toEqual(ids);
    const wrong = features.filter(([, , state = '', missing = '']) => {
      return !['works', 'partly', 'not yet'].includes(state) || (state === 'partly' && missing === '');
    });
    expect(wrong).toEqual([]);
  });

  it('a test names every feature that works, also partly', () => {
    const tests = readdirSync('test', { recursive: true, encoding: 'utf8' })
      .filter((name) => name.endsWith('.test.ts'))
      .map((name) => read(join('test', name)));
    const named = new Set(tests.flatMap((text) => text.match(/\b[A-Z]\d+\b/g) ?? []));
    const silent = rows(read('docs/features.md'))
      .filter(([, , state]) => state === 'works' || state === 'partly')
      .filter(([id = '']) => !named.has(id));
    expect(silent).toEqual([]);
  });

  it('T1 to T20 each say whether they are kept, and what is partly kept says why', () => {
    const promises = rows(read('docs/promises.md')).filter(([id = '']) => /^T\d+$/.test(id));
    expect(promises.map(([id]) => id)).toEqual(Array.from({ length: 20 }, (_, index) => `T${index + 1}`));
    expect(promises.filter(([, , state = '']) => !/^(kept|partly: .+|not yet: .+)$/.test(state))).toEqual([]);
    expect(promises.filter(([, , , proof = '']) => proof === '')).toEqual([]);
  });

  it('the tests that prove a promise name it', () => {
    const promises = rows(read('docs/promises.md')).filter(([id = '']) => /^T\d+$/.test(id));
    const silent = promises.flatMap(([id = '', , , proof = '']) => {
      const files = [...proof.matchAll(/\]\(\.\.\/(test\/[^)]+\.ts)\)/g)].map(([, file = '']) => file);
      if (proof.includes('simulation')) files.push('test/simulation/promises-1.test.ts');
      return files.filter((file) => !new RegExp(`\\b${id}\\b`).test(read(file))).map((file) => `${id} in ${file}`);
    });
    expect(silent).toEqual([]);
  });

  it('C4 the image takes what is there, on the Node that is tested', () => {
    const image = read('Dockerfile');
    const copied = [...image.matchAll(/^COPY (?!--from)(.+) \S+$/gm)].flatMap(([, names = '']) => names.split(' '));
    expect(copied.length).toBeGreaterThan(4);
    expect(copied.filter((name) => !existsSync(name))).toEqual([]);
    const letIn = read('.dockerignore')
      .split('\n')
      .filter((line) => line.startsWith('!'))
      .map((line) => line.slice(1));
    expect([...new Set(copied)].sort()).toEqual([...letIn].sort());
    const { devDependencies } = JSON.parse(read('package.json')) as { devDependencies: Record<string, string> };
    const major = devDependencies.node?.split('.')[0];
    expect([...image.matchAll(/^FROM (\S+)/gm)].map(([, base]) => base)).toEqual([
      `node:${major}-slim`,
      `node:${major}-slim`,
    ]);
    expect(image).toMatch(/^USER [1-9]\d*:/m);
  });
});
