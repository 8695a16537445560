import { describe, expect, it } from 'vitest';
import type { Json } from '../../src/core/json.ts';
import { alertmanager } from '../../src/health/alertmanager.ts';
import type { Question } from '../../src/health/source.ts';
import { context, PATIENT, question, result } from './ask.ts';

const NOW = Date.parse('2026-03-02T10:00:00Z');
const QUERY = { matchers: ['severity="page"', 'service="$service"'] };

function alert(changes: object = {}) {
  return {
    fingerprint: 'a1b2c3d4e5f60718',
    startsAt: '2026-03-02T09:59:00.123Z',
    generatorURL: 'https://prometheus.example.com/graph?g0.expr=up',
    labels: { alertname: 'Slow', severity: 'page' },
    status: { state: 'active', silencedBy: [] as string[], inhibitedBy: [] as string[] },
    ...changes,
  };
}

async function ask(
  body: unknown,
  { query = QUERY as Json, status = 200, options = {}, changes = {} as Partial<Question> } = {},
) {
  const asked: { url: URL; headers: Headers }[] = [];
  const fake: typeof fetch = async (input, init) => {
    asked.push({ url: new URL(String(input)), headers: new Headers(init?.headers) });
    return new Response(typeof body === 'string' ? body : JSON.stringify(body), { status });
  };
  const source = alertmanager.create(
    alertmanager.schema.parse({ url: 'https://alerts.example.com/am/', ...options }),
    context({ fetch: fake, now: () => NOW }),
  );
  const asking = question(query, { want: 'alerts', untilMs: NOW, ...changes });
  return { measurement: await source.measure(asking, PATIENT), asked };
}

describe('H1 alerts that fire', () => {
  it('are asked for by matchers with the values of the question, escaped', async () => {
    const { asked } = await ask([], { options: { token: 'hush' }, changes: { service: 'sh"op' } });
    expect(asked[0]?.url.pathname).toBe('/am/api/v2/alerts');
    expect(asked[0]?.url.searchParams.getAll('filter')).toEqual(['severity="page"', 'service="sh\\"op"']);
    expect(asked[0]?.url.searchParams.get('silenced')).toBe('false');
    expect(asked[0]?.headers.get('authorization')).toBe('Bearer hush');
  });
  it('are named, with an id and since when; how many is the number', async () => {
    const { measurement } = await ask([alert(), alert({ fingerprint: 'b2', startsAt: '2026-03-02T09:00:00+01:00' })]);
    expect(measurement).toMatchObject({ value: 2, samples: null, takenAtMs: NOW });
    expect(measurement).toHaveProperty('alerts', [
      { id: 'b2', name: 'Slow', sinceMs: Date.parse('2026-03-02T08:00:00Z') },
      { id: 'a1b2c3d4e5f60718', name: 'Slow', sinceMs: NOW - 59_877 },
    ]);
  });
  it('do not count when silenced or inhibited, whatever the server sends along', async () => {
    const silenced = alert({ status: { silencedBy: ['x'], inhibitedBy: [] } });
    const inhibited = alert({ status: { silencedBy: [], inhibitedBy: ['x'] } });
    expect(result((await ask([silenced, inhibited])).measurement)).toBe(0);
    const query = { ...QUERY, silenced: true };
    expect(result((await ask([silenced, inhibited], { query })).measurement)).toBe(1);
  });
  it.each([
    ['a safe link', 'https://prometheus.example.com/graph', 'https://prometheus.example.com/graph'],
    ['a script', 'javascript:alert(1)', null],
    ['the metadata of a cloud', 'http://169.254.169.254/', null],
    ['credentials', 'https://u:p@example.com/', null],
    ['none', undefined, null],
  ])('one that fires alone brings its own link only if it is safe: %s', async (_, generatorURL, expected) => {
    const { measurement } = await ask([alert({ generatorURL })]);
    expect(measurement.link).toBe(
      expected ??
        `https://alerts.example.com/am/#/alerts?silenced=false&inhibited=false&filter=${encodeURIComponent('{severity="page",service="shop"}')}`,
    );
  });
  it('T20 a name from outside is on one line and not long', async () => {
    const { measurement } = await ask([alert({ labels: { alertname: `a\n\u0000b${'x'.repeat(999)}` } })]);
    const [one] = (measurement.value !== null && measurement.alerts) || [];
    expect(one?.name).toMatch(/^a bx{1,300}$/);
  });
});

describe('T9 no answer is not silence', () => {
  it.each<[string, unknown, number, string]>([
    ['an empty text', '', 200, 'bad-answer'],
    ['a login page', '<html>login</html>', 200, 'bad-answer'],
    ['an object', {}, 200, 'bad-answer'],
    ['null', 'null', 200, 'bad-answer'],
    ['half a list', '[{"fingerprint":"a"', 200, 'bad-answer'],
    ['an alert without a status', [{ ...alert(), status: undefined }], 200, 'bad-answer'],
    ['an alert without a time', [alert({ startsAt: 'soon' })], 200, 'bad-answer'],
    ['an error with a list', [], 500, 'bad-answer'],
    ['nothing', '', 204, 'bad-answer'],
    ['a refused matcher', '"bad matcher format"', 400, 'bad-query'],
    [
      'more than can be told apart',
      Array.from({ length: 201 }, (_, at) => alert({ fingerprint: `${at}` })),
      200,
      'bad-answer',
    ],
  ])('%s', async (_, body, status, expected) => {
    const given = status === 204 ? null : body;
    const fake: typeof fetch = async () =>
      new Response(given === null || typeof given === 'string' ? given : JSON.stringify(given), { status });
    const source = alertmanager.create(
      alertmanager.schema.parse({ url: 'https://a.example.com' }),
      context({ fetch: fake }),
    );
    expect(result(await source.measure(question(QUERY, { want: 'alerts' }), PATIENT))).toBe(expected);
  });
  it('an empty list is a measurement', async () =>
    expect((await ask([])).measurement).toMatchObject({ value: 0, alerts: [] }));
  it('knows nothing of earlier', async () => {
    const { measurement, asked } = await ask([], { changes: { untilMs: NOW - 86_400_000 } });
    expect(result(measurement)).toBe('bad-query');
    expect(asked).toEqual([]);
  });
  it.each(['points', 'counts'] as const)('has no %s', async (want) => {
    expect(result((await ask([], { changes: { want } })).measurement)).toBe('bad-query');
  });
  it.each([
    ['no matcher', []],
    ['no quotes', ['severity=page']],
    ['two in one', ['a="b", c="d"']],
    ['an open quote', ['a="b']],
    ['a quote that ends early', ['a="b\\"']],
    ['a placeholder without quotes', ['a=$service']],
    ['a time', ['a="[$since]"']],
  ])('refuses %s', (_, matchers) => expect(alertmanager.querySchema.safeParse({ matchers }).success).toBe(false));
});
