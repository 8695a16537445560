import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Json } from '../../src/core/json.ts';
import { emptyMemory, judge } from '../../src/core/judge/judge.ts';
import { prometheus } from '../../src/health/prometheus.ts';
import { fillIn } from '../../src/health/promql.ts';
import { NOW, signal } from '../core/judge/builders.ts';
import { context, PATIENT, question, result } from './ask.ts';

type Case = { id: string; where: string; input: unknown };
const HOSTILE = (JSON.parse(readFileSync(new URL('../hostile-inputs.json', import.meta.url), 'utf8')) as Case[]).filter(
  (one) => one.where === 'health.response:prometheus',
);

/** Asks a server that answers `body`, and keeps what it was asked. */
async function ask(body: unknown, query: Json = { promql: 'up' }, status = 200, options: object = {}) {
  const asked: { url: URL; headers: Headers }[] = [];
  const fake: typeof fetch = async (input, init) => {
    asked.push({ url: new URL(String(input)), headers: new Headers(init?.headers) });
    return new Response(typeof body === 'string' ? body : JSON.stringify(body), { status });
  };
  const source = prometheus.create(
    prometheus.schema.parse({ url: 'https://prometheus.example.com/base/', ...options }),
    context({ fetch: fake, now: () => NOW }),
  );
  return { measurement: await source.measure(question(query), PATIENT), asked };
}

const vector = (...values: unknown[]) => ({
  status: 'success',
  data: { resultType: 'vector', result: values.map((value) => ({ metric: {}, value: [NOW / 1000, value] })) },
});
const matrix = (...values: string[]) => ({
  status: 'success',
  data: {
    resultType: 'matrix',
    result: [{ metric: {}, values: values.map((value, at) => [NOW / 1000 - values.length + 1 + at, value]) }],
  },
});

describe('T9 hostile answers hold the step', () => {
  it('there are cases', () => expect(HOSTILE.length).toBeGreaterThanOrEqual(7));
  it.each(HOSTILE)('$id', async ({ input }) => {
    const { measurement } = await ask(input);
    const { judgement } = judge([signal()], emptyMemory(), [measurement], NOW);
    expect(judgement.verdict).toBe('error');
  });
});

describe('H3 Prometheus gives exactly one number or says why not', () => {
  it.each<[string, unknown, number | string]>([
    ['one series', vector('0.25'), 0.25],
    ['exponents', vector('2e-05'), 0.00002],
    ['a scalar', { status: 'success', data: { resultType: 'scalar', result: [NOW / 1000, '3'] } }, 3],
    ['no series', vector(), 'no-data'],
    ['NaN', vector('NaN'), 'not-a-number'],
    ['+Inf', vector('+Inf'), 'not-a-number'],
    ['an empty text', vector(''), 'not-a-number'],
    ['a text of blanks', vector(' '), 'not-a-number'],
    ['hexadecimal', vector('0x1'), 'not-a-number'],
    ['a number that is not text', vector(0), 'bad-answer'],
    ['two series', vector('0', '0'), 'many-series'],
    ['warnings', { ...vector('0'), warnings: ['partial response'] }, 'partial'],
    ['no warnings', { ...vector('0'), warnings: [] }, 0],
    ['bad PromQL', { status: 'error', errorType: 'bad_data', error: 'parse error' }, 'bad-query'],
    ['a time-out', { status: 'error', errorType: 'timeout', error: 'too slow' }, 'unreachable'],
    ['a login page', '<html>login</html>', 'bad-answer'],
    ['half a JSON', '{"status":"success"', 'bad-answer'],
    ['nothing', '', 'bad-answer'],
    ['null', 'null', 'bad-answer'],
    [
      'an unknown kind of result',
      { status: 'success', data: { resultType: 'string', result: [1, '0'] } },
      'bad-answer',
    ],
  ])('%s', async (_, body, expected) => {
    expect(result((await ask(body)).measurement)).toBe(expected);
  });

  it('a success with an error status is no success', async () => {
    expect(result((await ask(vector('0'), { promql: 'up' }, 502)).measurement)).toBe('bad-answer');
  });
  it('says when the number was taken, by the server', async () => {
    expect((await ask(vector('0'))).measurement).toMatchObject({ takenAtMs: NOW, samples: null });
  });
  it('keeps the name of the signal and a link to the graph', async () => {
    const { measurement } = await ask(vector(), { promql: 'a{b="$version"}' });
    expect(measurement.signal).toBe('errors');
    const link = new URL(measurement.link ?? '');
    expect(link.pathname).toBe('/base/graph');
    expect(link.searchParams.get('g0.expr')).toBe('a{b="sha256:new"}');
  });
  it('sends the token to the configured address only, and never shows it', async () => {
    const { measurement, asked } = await ask('no', { promql: 'up' }, 401, { token: 'hush' });
    expect(asked[0]?.headers.get('authorization')).toBe('Bearer hush');
    expect(asked[0]?.url.pathname).toBe('/base/api/v1/query');
    expect(JSON.stringify(measurement)).not.toContain('hush');
  });
  it('asks how many samples there are, and is missing without them', async () => {
    const { measurement, asked } = await ask(vector('12'), { promql: 'up', samples: 'sum(n)' });
    expect(measurement).toMatchObject({ value: 12, samples: 12 });
    expect(asked.map((one) => one.url.searchParams.get('query'))).toEqual(['up', 'sum(n)']);
    expect(result((await ask(vector('NaN'), { promql: '1', samples: 'sum(n)' })).measurement)).toBe('not-a-number');
  });
  it.each([
    ['avg', 2],
    ['max', 3],
    ['last', 2],
  ])('a range becomes one number: %s', async (take, expected) => {
    const query = { promql: 'up', range: { last: '5m', every: '15s', take } };
    const { measurement, asked } = await ask(matrix('1', '3', '2'), query);
    expect(measurement).toMatchObject({ value: expected, takenAtMs: NOW });
    expect(asked[0]?.url.pathname).toBe('/base/api/v1/query_range');
    expect(Number(asked[0]?.url.searchParams.get('end')) - Number(asked[0]?.url.searchParams.get('start'))).toBe(300);
  });
  it('one NaN in an average or a maximum makes no number', async () => {
    for (const take of ['avg', 'max']) {
      const query = { promql: 'up', range: { last: '5m', every: '15s', take } };
      expect(result((await ask(matrix('1', 'NaN', '2'), query)).measurement)).toBe('not-a-number');
    }
  });
});

describe('T20 placeholders are inert', () => {
  it('fills in the version, the one before, the service and the targets', () => {
    const filled = fillIn(
      `a{v="$version",b='$before',s="$service",t=~"$targets"}`,
      question({}, { targets: ['eu.1', 'us'] }),
    );
    expect(filled).toEqual({ ok: true, promql: `a{v="sha256:new",b='sha256:old',s="shop",t=~"eu\\\\.1|us"}` });
  });
  it.each(['$version', 'a{b=`$version`}', "a # it's\n * $version", 'a{b="c"}$targets', 'a{b="\\\\"}$before'])(
    'refuses %s when the configuration is read: it is not inside quotes',
    (promql) => expect(prometheus.querySchema.safeParse({ promql }).success).toBe(false),
  );
  it('measures nothing when nothing ran before', () => {
    expect(fillIn('a{b="$before"}', question({}, { beforeDigest: null }))).toMatchObject({
      ok: false,
      reason: 'no-data',
    });
  });
  it('leaves other dollar signs alone', () => {
    expect(fillIn('a{b=~"5..$"}', question({}))).toEqual({ ok: true, promql: 'a{b=~"5..$"}' });
  });
  it('no value can end its string', () => {
    fc.assert(
      fc.property(
        fc.string({ minLength: 1, unit: fc.constantFrom('"', "'", '\\', '\n', '`', '}', '#', '$', 'a', '|', '.') }),
        (value) => {
          const filled = fillIn('a{b="$service"}', question({}, { service: value }));
          expect(filled.ok && /^a\{b="(?:[^"\\\n]|\\.)*"\}$/.test(filled.promql)).toBe(true);
        },
      ),
    );
  });
});
