import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { belayJsonSchema, serviceJsonSchema } from '../../src/cli/json-schema.ts';
import { kindsPage } from '../../src/cli/kinds-page.ts';
import { KINDS } from '../../src/cli/ready.ts';
import { belaySchema } from '../../src/config/belay-schema.ts';
import { loadInstallation } from '../../src/config/config.ts';
import { problemText } from '../../src/config/problem.ts';
import { serviceSchema } from '../../src/config/service-schema.ts';

const read = (path: string) => readFileSync(path, 'utf8');

type Node = {
  properties?: Record<string, Node>;
  additionalProperties?: Node | boolean;
  items?: Node;
  [key: string]: unknown;
};

/** Every key that a file may have, at whatever depth, with its description. */
function keysOf(schema: Node): [key: string, description: unknown][] {
  const own = Object.entries(schema.properties ?? {});
  const below = [schema.items, schema.additionalProperties].filter((one): one is Node => typeof one === 'object');
  return [
    ...own.map(([key, node]): [string, unknown] => [key, node.description]),
    ...[...own.map(([, node]) => node), ...below].flatMap(keysOf),
  ];
}

describe('C3 the JSON Schema and the documents follow the program', () => {
  it.each([
    ['docs/belay.schema.json', belayJsonSchema],
    ['docs/service.schema.json', serviceJsonSchema],
  ])('%s is up to date (npm run schema)', (path, make) => {
    expect(JSON.parse(read(path))).toEqual(JSON.parse(JSON.stringify(make())));
  });

  it('docs/kinds.md is up to date (npm run schema)', () => {
    expect(read('docs/kinds.md')).toBe(kindsPage());
  });

  it('completes the options of every kind', () => {
    const belay = JSON.stringify(belayJsonSchema());
    for (const kind of [...Object.keys(KINDS.providers), ...Object.keys(KINDS.sources)]) {
      expect(belay).toContain(`"const":"${kind}"`);
    }
    const service = JSON.stringify(serviceJsonSchema());
    for (const kind of Object.keys(KINDS.checks)) expect(service).toContain(`"const":"${kind}"`);
  });

  it('every key is described in the schema and explained in docs/configuration.md', () => {
    const docs = read('docs/configuration.md');
    for (const schema of [belaySchema, serviceSchema]) {
      const keys = keysOf(z.toJSONSchema(schema, { io: 'input', unrepresentable: 'any' }) as Node);
      expect(keys.length).toBeGreaterThan(20);
      expect(keys.filter(([, description]) => !description)).toEqual([]);
      expect(keys.map(([key]) => key).filter((key) => !docs.includes(`\`${key}\``))).toEqual([]);
    }
  });

  it('the examples are good, name their schema, and need only what they say', () => {
    const loaded = loadInstallation('examples/belay.yml', { PLATFORM_TOKEN: 'a-token' }, KINDS);
    expect('problems' in loaded ? loaded.problems.map(problemText) : []).toEqual([]);
    expect(read('examples/belay.yml')).toMatch(/^# yaml-language-server: \$schema=\.\.\/docs\/belay\.schema\.json\n/);
    expect(read('examples/services/shop.yml')).toMatch(
      /^# yaml-language-server: \$schema=\.\.\/\.\.\/docs\/service\.schema\.json\n/,
    );
  });

  it('every YAML snippet of docs/configuration.md is taken as it is written', () => {
    const snippets = [...read('docs/configuration.md').matchAll(/```yaml\n([\s\S]*?)```/g)].map(([, text]) => text);
    expect(snippets.length).toBeGreaterThan(1);
    const examples = read('examples/belay.yml') + read('examples/services/shop.yml');
    const plain = (text = '') =>
      text
        .split('\n')
        .map((line) => line.replace(/\s+#.*$/, '').trim())
        .filter(Boolean);
    const known = new Set(plain(examples));
    for (const snippet of snippets) expect(plain(snippet).filter((line) => !known.has(line))).toEqual([]);
  });
});
