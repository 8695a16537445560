import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Json } from '../../src/core/json.ts';
import { emptyMemory, judge } from '../../src/core/judge/judge.ts';
import { prometheus } from '../../src/health/prometheus.ts';
import { fillIn } from '../../src/health/promql.ts';
import type { Question } from '../../src/health/source.ts';
import { NOW, signal } from '../core/judge/builders.ts';
import { context, PATIENT, question, result } from './ask.ts';

type Case = { id: string; where: string; input: unknown };
const HOSTILE = (JSON.parse(readFileSync(new URL('../hostile-inputs.json', import.meta.url), 'utf8')) as Case[]).filter(
  (one) => one.where === 'health.response:prometheus',
);

/** Asks a server that answers `body`, and keeps what it was asked. */
async function ask(
  body: unknown,
  query: Json = { promql: 'up' },
  status = 200,
  options: object = {},
  changes: Partial<Question> = {},
) {
  const asked: { url: URL; headers: Headers }[] = [];
  const fake: typeof fetch = async (input, init) => {
    asked.push({ url: new URL(String(input)), headers: new Headers(init?.headers) });
    return new Response(typeof body === 'string' ? body : JSON.stringify(body), { status });
  };
  const source = prometheus.create(
    prometheus.schema.parse({ url: 'https://prometheus.example.com/base/', ...options }),
    context({ fetch: fake, now: () => NOW }),
  );
  return { measurement: await source.measure(question(query, changes), PATIENT), asked };
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
  it('fills in the time since the step began, only where a duration may stand', () => {
    const asked = question({}, { sinceMs: NOW - 90_500, untilMs: NOW });
    expect(fillIn('increase(a[$since])', asked)).toEqual({ ok: true, promql: 'increase(a[90s])' });
    expect(fillIn('max_over_time(a[ $since:15s])', asked)).toMatchObject({ promql: 'max_over_time(a[ 90s:15s])' });
    expect(fillIn('a[$since]', { ...asked, sinceMs: NOW - 999 })).toMatchObject({ ok: false, reason: 'no-data' });
    for (const promql of [
      '$since',
      'a offset $since',
      'a{b="$since"}',
      'a[5m:$since]',
      'a[$since + 1]',
      '[$sincere]',
    ]) {
      expect(fillIn(promql, asked).ok, promql).toBe(promql === '[$sincere]');
    }
  });
  it('fills in a role, any when none is asked for', () => {
    expect(fillIn('a{r=~"$role"}', question({}, { role: 'baseline' }))).toMatchObject({ promql: 'a{r=~"baseline"}' });
    expect(fillIn('a{r=~"$role"}', question({}))).toMatchObject({ promql: 'a{r=~".*"}' });
    for (const promql of ['a{r="$role"}', 'a{r=~"x$role"}', 'a{r!~"$role"}', '$role']) {
      expect(fillIn(promql, question({})).ok, promql).toBe(false);
    }
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

describe('H1 points since the step began', () => {
  const SINCE = { want: 'points', sinceMs: NOW - 3 * 1000, untilMs: NOW } as const;
  const points = (...values: string[]) => ask(matrix(...values), { promql: 'up' }, 200, {}, SINCE);

  it('are those of the step, oldest first', async () => {
    expect((await points('9', '9', '1', '2', '3', '6')).measurement).toMatchObject({
      value: 3,
      samples: 4,
      takenAtMs: NOW,
      points: [1, 2, 3, 6],
    });
  });
  it('T9 a NaN is missing and never 0, and what is left is as old as it is', async () => {
    const { measurement } = await points('1', 'NaN', '3', 'NaN');
    expect(measurement).toMatchObject({ points: [1, 3], value: 2, samples: 2, takenAtMs: NOW - 1000 });
    expect(result((await points('NaN', 'NaN')).measurement)).toBe('not-a-number');
  });
  it.each(['+Inf', '-Inf', '', ' ', '0x1', 'nan'])('T9 %s among them makes none', async (odd) => {
    expect(result((await points('1', odd, '3')).measurement)).toBe('not-a-number');
  });
  it('T9 none yet is no data', async () => {
    expect(result((await ask(matrix(), { promql: 'up' }, 200, {}, SINCE)).measurement)).toBe('no-data');
    const late = { ...SINCE, sinceMs: NOW + 1 };
    expect(result((await ask(matrix('1', '2'), { promql: 'up' }, 200, {}, late)).measurement)).toBe('no-data');
  });
  it('H1 never over the same time: as far apart as the query looks back', async () => {
    const long = { ...SINCE, sinceMs: NOW - 1_200_000 };
    const step = async (query: Json) =>
      (await ask(matrix('1'), query, 200, {}, long)).asked[0]?.url.searchParams.get('step');
    expect(await step({ promql: 'rate(a[2m]) / rate(b[5m])' })).toBe('300');
    expect(await step({ promql: 'rate(a[7m])' })).toBe('600');
    expect(await step({ promql: 'rate(a[15s])' })).toBe('30');
    expect(await step({ promql: 'rate(a[15s])', every: '45s' })).toBe('45');
  });
  it.each<[string, number, string | undefined, number]>([
    ['at least 15 s apart', 60_000, undefined, 15],
    ['about 60', 3_600_000, undefined, 60],
    ['about 60 of a day', 86_400_000, undefined, 1_800],
    ['as many as configured', 600_000, '5s', 5],
    ['never thousands', 86_400_000, '1s', 300],
  ])('%s', async (_, spanMs, every, expected) => {
    const query = { promql: 'up', ...(every && { every }) };
    const { asked } = await ask(matrix('1'), query, 200, {}, { ...SINCE, sinceMs: NOW - spanMs });
    const parameters = asked[0]?.url.searchParams;
    const [start, end, step] = ['start', 'end', 'step'].map((name) => Number(parameters?.get(name)));
    expect(step).toBe(expected);
    expect(start).toBeLessThanOrEqual((NOW - spanMs) / 1000);
    expect(Number(end)).toBeGreaterThan(NOW / 1000 - 15);
    expect((Number(end) - Number(start)) / Number(step)).toBeLessThanOrEqual(616);
  });
  it.each([
    ['two counts', { failed: 'a', total: 'b' }],
    ['a range of its own', { promql: 'up', range: { last: '5m', every: '15s' } }],
    ['the time since the step began', { promql: 'increase(a[$since])' }],
  ])('are refused for %s, with what to do', async (_, query) => {
    const { measurement, asked } = await ask(matrix('1'), query, 200, {}, SINCE);
    expect(measurement).toMatchObject({ missing: 'bad-query', detail: expect.stringContaining('compare') });
    expect(asked).toEqual([]);
  });
});

describe('H1 what many rollouts ask in one interval is asked once', () => {
  const NOW_EVERY = { everyMs: 30_000, untilMs: NOW };
  async function requests(questions: Partial<Question>[], query: Json = { promql: 'up' }, body: unknown = vector('1')) {
    let count = 0;
    const fake: typeof fetch = async () => {
      count += 1;
      return new Response(JSON.stringify(body));
    };
    const world = context({ fetch: fake, now: () => NOW });
    const source = prometheus.create(prometheus.schema.parse({ url: 'https://p.example.com' }), world);
    await Promise.all(
      questions.map((changes) => source.measure(question(query, { ...NOW_EVERY, ...changes }), PATIENT)),
    );
    return count;
  }
  it('a number, by everybody', async () => {
    expect(await requests(Array.from({ length: 100 }, (_, at) => ({ signal: `${at}` })))).toBe(1);
  });
  it('another version is another question', async () => {
    const query = { promql: 'up{v="$version"}' };
    expect(await requests([{}, { digest: 'sha256:other' }, {}], query)).toBe(2);
  });
  it('points, though the steps began at different times', async () => {
    const began = [1, 2, 30, 59].map((seconds) => ({ want: 'points', sinceMs: NOW - seconds * 1000 }) as const);
    expect(await requests(began, { promql: 'up' }, matrix('1'))).toBe(1);
  });
  it('points of another time are another question', async () => {
    const now = { want: 'points', sinceMs: NOW - 60_000 } as const;
    const earlier = { ...now, sinceMs: now.sinceMs - 86_400_000, untilMs: NOW - 86_400_000 };
    expect(await requests([now, earlier, now, earlier], { promql: 'up' }, matrix('1'))).toBe(2);
  });
});
