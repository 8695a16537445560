import { readdirSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import type { Json } from '../../src/core/json.ts';
import { SOURCES } from '../../src/health/index.ts';
import { context, instance, PATIENT, question, serve } from './ask.ts';

const FOLDER = new URL('../../src/health/', import.meta.url);

/** The least that each kind must be asked. */
const QUERIES: Record<string, Json> = {
  alertmanager: { matchers: ['severity="page"'] },
  haproxy: { backend: 'shop', measure: 'sessions' },
  http: { path: '/healthz' },
  prometheus: { promql: 'up' },
  scrape: { value: { of: 'up' } },
};

function ask(kind: string, url: string, signal: AbortSignal, query: Json | undefined = QUERIES[kind]) {
  const source = SOURCES[kind];
  if (!source || query === undefined) throw new Error(`${kind} has no query in this test`);
  const options = source.schema.parse(kind === 'scrape' ? {} : { url });
  const world = context({ instances: async () => [instance({ metricsUrl: `${url}/metrics` })] });
  const want = kind === 'alertmanager' ? 'alerts' : 'number';
  return source.create(options, world).measure(question(query, { want }), signal);
}

describe('the table of health sources', () => {
  it('has a line for every file that is a source, and no other', async () => {
    const found: string[] = [];
    for (const file of readdirSync(FOLDER).filter((name) => name.endsWith('.ts') && name !== 'index.ts')) {
      for (const value of Object.values(await import(new URL(file, FOLDER).href))) {
        if (value !== null && typeof value === 'object' && 'querySchema' in value) found.push(file.replace('.ts', ''));
      }
    }
    expect(found.sort()).toEqual(Object.keys(SOURCES).sort());
  });

  it.each(Object.entries(SOURCES))(
    '%s has its own name, a title, and a JSON Schema with words for every field',
    (name, source) => {
      expect(source.kind).toBe(name);
      expect(source.title).not.toBe('');
      for (const schema of [source.schema, source.querySchema]) {
        const json = z.toJSONSchema(schema, { io: 'input' });
        for (const one of [json, ...(json.anyOf ?? [])]) {
          for (const [field, property] of Object.entries(one.properties ?? {})) {
            expect(property, field).toHaveProperty('description');
          }
        }
      }
    },
  );
});

describe.each(Object.keys(SOURCES))('T9 %s answers missing, and never throws', (kind) => {
  it('when nobody listens', async () => {
    const gone = await serve(() => {});
    await gone[Symbol.asyncDispose]();
    expect(await ask(kind, gone.url, PATIENT)).toMatchObject({ value: null, missing: 'unreachable' });
  });
  it('when the answer never comes and the caller gives up', async () => {
    await using silent = await serve(() => {});
    const giveUp = new AbortController();
    const asked = ask(kind, silent.url, giveUp.signal);
    setTimeout(() => giveUp.abort(), 20);
    expect(await asked).toMatchObject({ value: null, missing: 'unreachable' });
  });
  it('when the connection breaks in the middle of the answer', async () => {
    await using broken = await serve((_, response) => {
      response.writeHead(200, { 'content-length': '1000' });
      response.write('up 1\n', () => response.destroy());
    });
    expect(await ask(kind, broken.url, PATIENT)).toMatchObject({ value: null, missing: 'unreachable' });
  });
  it('when the answer is larger than any honest one', async () => {
    await using flood = await serve((_, response) => response.end('x'.repeat(5 * 1024 * 1024)));
    expect(await ask(kind, flood.url, PATIENT)).toMatchObject({ value: null, missing: 'bad-answer' });
  });
  it('when the answer is not text', async () => {
    await using binary = await serve((_, response) => response.end(Buffer.from([0xff, 0xfe, 0x00])));
    expect(await ask(kind, binary.url, PATIENT)).toMatchObject({ value: null, missing: 'bad-answer' });
  });
  it('when the query is not one', async () => {
    const queries: Json[] = [null, 'up', 1, [], {}, { promql: 1 }, { path: 'healthz' }, { extra: true }];
    for (const query of queries) {
      if (kind === 'http' && JSON.stringify(query) === '{}') continue;
      expect(await ask(kind, 'http://127.0.0.1:1', PATIENT, query)).toMatchObject({
        value: null,
        missing: 'bad-query',
      });
    }
  });
  it('and follows no redirect', async () => {
    let followed = false;
    await using elsewhere = await serve((_, response) => {
      followed = true;
      response.end('up 1\n');
    });
    await using here = await serve((_, response) => response.writeHead(302, { location: elsewhere.url }).end());
    const measurement = await ask(kind, here.url, PATIENT);
    expect(measurement.value === null || measurement.value === 0).toBe(true);
    expect(followed).toBe(false);
  });
});

describe.each(Object.keys(SOURCES).filter((kind) => kind !== 'scrape'))('%s refuses an address', (kind) => {
  it.each(['ftp://a', 'http://u:p@a', 'http://169.254.169.254', 'http://[fe80::1]', 'nowhere'])('%s', (url) => {
    expect(SOURCES[kind]?.schema.safeParse({ url }).success).toBe(false);
  });
});
