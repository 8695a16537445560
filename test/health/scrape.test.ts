import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { Json } from '../../src/core/json.ts';
import type { Instance } from '../../src/core/target.ts';
import { scrape } from '../../src/health/scrape.ts';
import { context, instance, PATIENT, question, result } from './ask.ts';

beforeEach(() => void vi.useFakeTimers({ now: 1_700_000_000_000 }));
afterEach(() => void vi.useRealTimers());

/** A page as prom-client writes it: requests by code, and a histogram of those below 0.1 s, 1 s and beyond. */
function page({ ok = 0, failed = 0, startedAt = 1, slow = [0, 0, 0] as [number, number, number] } = {}): string {
  const [a, b, c] = slow;
  return `# HELP requests Requests.
# TYPE requests counter
requests{code="200",path="/"} ${ok}
${failed > 0 ? `requests{code="503",path="/"} ${failed}\n` : ''}# TYPE seconds histogram
seconds_bucket{le="0.1"} ${a}
seconds_bucket{le="1"} ${a + b}
seconds_bucket{le="+Inf"} ${a + b + c}
# TYPE process_start_time_seconds gauge
process_start_time_seconds ${startedAt}
# TYPE queue gauge
queue{name="a"} 3
queue{name="b"} 5
`;
}

const RATIO = { ratio: { of: 'requests', where: { code: '5*' }, over: 'requests' } };

/** A fleet whose pages and instances the test changes between looks. */
function fleet(instances: Instance[] = [instance()]) {
  const pages: Record<string, string> = {};
  let fetched = 0;
  const world = {
    instances,
    pages,
    fetched: () => fetched,
    put(id: string, text: string) {
      pages[`http://127.0.0.1:1/${id}`] = text;
    },
  };
  const fake: typeof fetch = async (input) => {
    fetched += 1;
    const text = pages[String(input)];
    if (text === undefined) throw new TypeError('fetch failed', { cause: { code: 'ECONNREFUSED' } });
    return new Response(text);
  };
  for (const one of instances) one.metricsUrl = one.metricsUrl && `http://127.0.0.1:1/${one.id}`;
  const source = scrape.create(
    scrape.schema.parse({}),
    context({ fetch: fake, instances: async () => world.instances }),
  );
  /** Measures; a second look that the source waits for happens after `meanwhile`. */
  const look = async (query: Json, meanwhile: () => void = () => {}, changes = {}) => {
    const asked = source.measure(question(query, changes), PATIENT);
    await vi.advanceTimersByTimeAsync(1_000);
    meanwhile();
    await vi.advanceTimersByTimeAsync(1_000);
    return asked;
  };
  return { ...world, world, look, source };
}

describe('H1 counters of the instances themselves', () => {
  it('a ratio counts only what happened between two looks', async () => {
    const { put, look } = fleet();
    put('i-1', page({ ok: 1_000, failed: 900 }));
    const first = await look(RATIO, () => put('i-1', page({ ok: 1_099, failed: 901 })));
    expect(first).toMatchObject({ value: 0.01, samples: 100, takenAtMs: Date.now() });
  });
  it('T9 a first look alone never passes: it is looked at twice, and without growth there is no data', async () => {
    const { put, look, fetched } = fleet();
    put('i-1', page({ ok: 1_000 }));
    expect(result(await look(RATIO))).toBe('no-data');
    expect(fetched()).toBe(2);
  });
  it('T9 a measurement that was stopped before the second look has no data', async () => {
    const { put, source } = fleet();
    put('i-1', page({ ok: 1_000 }));
    const stop = new AbortController();
    const asked = source.measure(question(RATIO), stop.signal);
    await vi.advanceTimersByTimeAsync(100);
    stop.abort();
    await vi.advanceTimersByTimeAsync(0);
    expect(result(await asked)).toBe('no-data');
  });
  it('looks once when an earlier look is far enough back', async () => {
    const { put, look, fetched } = fleet();
    put('i-1', page({ ok: 10 }));
    await look(RATIO, () => put('i-1', page({ ok: 20 })));
    await vi.advanceTimersByTimeAsync(10_000);
    put('i-1', page({ ok: 20, failed: 10 }));
    expect(result(await look(RATIO))).toBe(0.5);
    expect(fetched()).toBe(3);
  });
  it('forgets what is older than the window', async () => {
    const { put, look } = fleet();
    put('i-1', page({ ok: 0 }));
    await look(RATIO, () => put('i-1', page({ ok: 0, failed: 100 })));
    await vi.advanceTimersByTimeAsync(40_000);
    put('i-1', page({ ok: 50, failed: 100 }));
    expect(result(await look(RATIO))).toBe(0);
  });
  it('adds instances up before it divides', async () => {
    const { put, look } = fleet([instance(), instance({ id: 'i-2' })]);
    put('i-1', page());
    put('i-2', page());
    const meanwhile = () => {
      put('i-1', page({ ok: 990 }));
      put('i-2', page({ failed: 10 }));
    };
    expect(result(await look(RATIO, meanwhile))).toBe(0.01);
  });
  it.each([
    ['says when it started', page({ ok: 500, startedAt: 2 }), 500],
    ['counts from zero again', page({ ok: 40 }), 40],
  ])('a restart is not a fall: a process that %s', async (_, after, expected) => {
    const { put, look } = fleet();
    put('i-1', page({ ok: 100 }));
    expect(result(await look({ increase: { of: 'requests' } }, () => put('i-1', after)))).toBe(expected);
  });
  it('a rate is per second, and percent or milliseconds by times', async () => {
    const { put, look } = fleet();
    put('i-1', page());
    const meanwhile = () => put('i-1', page({ ok: 20 }));
    expect(result(await look({ rate: { of: 'requests' }, times: 60 }, meanwhile))).toBe(600);
  });
  it('a quantile is linear within its bucket', async () => {
    const { put, look } = fleet();
    put('i-1', page({ slow: [100, 100, 100] }));
    const measurement = await look({ quantile: { of: 'seconds', q: 0.75 } }, () =>
      put('i-1', page({ slow: [150, 150, 100] })),
    );
    expect(measurement).toMatchObject({ value: 0.55, samples: 100 });
  });
  it('a quantile beyond the last bound is that bound', async () => {
    const { put, look } = fleet();
    put('i-1', page());
    expect(
      result(
        await look({ quantile: { of: 'seconds', q: 0.9 }, times: 1000 }, () => put('i-1', page({ slow: [1, 0, 9] }))),
      ),
    ).toBe(1000);
  });
  it('a gauge is read at once, the worst of its series', async () => {
    const { put, look, fetched } = fleet();
    put('i-1', page());
    expect(result(await look({ value: { of: 'queue' } }))).toBe(5);
    expect(result(await look({ value: { of: 'queue', where: { name: 'a' } } }))).toBe(3);
    expect(fetched()).toBe(2);
  });
  it('several signals of one look share one page', async () => {
    const { put, source, fetched } = fleet();
    put('i-1', page());
    await Promise.all(
      ['max', 'sum'].map((take) => source.measure(question({ value: { of: 'queue', take } }), PATIENT)),
    );
    expect(fetched()).toBe(1);
  });
});

describe('T9 what cannot be seen is missing', () => {
  const half = [instance(), instance({ id: 'i-2' })];
  it('one unreachable instance among the judged ones is partial, and named', async () => {
    const { put, look } = fleet(half);
    put('i-1', page());
    expect(await look(RATIO)).toMatchObject({ missing: 'partial', detail: expect.stringContaining('i-2') });
  });
  it('one without a metrics address is partial too', async () => {
    const { put, look } = fleet([instance(), instance({ id: 'i-2', metricsUrl: null })]);
    put('i-1', page());
    expect(result(await look(RATIO))).toBe('partial');
  });
  it('one whose version cannot be read may be one of them: partial', async () => {
    const { put, look } = fleet([instance(), instance({ id: 'i-2', digest: null })]);
    put('i-1', page());
    expect(result(await look(RATIO))).toBe('partial');
  });
  it('no instance of the version is no data', async () => {
    expect(result(await fleet([instance({ digest: 'sha256:old' })]).look(RATIO))).toBe('no-data');
    expect(result(await fleet([]).look({ ...RATIO, version: 'all' }))).toBe('no-data');
  });
  it('instances that cannot be listed are unreachable', async () => {
    const listing = context({ instances: () => Promise.reject(new Error('no')) });
    const source = scrape.create(scrape.schema.parse({}), listing);
    expect(result(await source.measure(question(RATIO), PATIENT))).toBe('unreachable');
  });
  it.each([
    ['a metric that is not there', { increase: { of: 'reqests' } }],
    ['a failure counter that is not there', { ratio: { of: 'fails', over: 'requests' } }],
    ['a label that no series has', { ratio: { ...RATIO.ratio, where: { cod: '5*' } } }],
  ])('%s is no data and not zero', async (_, query) => {
    const { put, look } = fleet();
    put('i-1', page({ ok: 1 }));
    expect(result(await look(query, () => put('i-1', page({ ok: 100 }))))).toBe('no-data');
  });
  it('a declared metric without any request yet is no data for a ratio, and zero for a floor of traffic', async () => {
    const { put, look } = fleet();
    put('i-1', '# TYPE requests counter\n');
    expect(result(await look(RATIO))).toBe('no-data');
    expect(result(await look({ increase: { of: 'requests' } }))).toBe(0);
  });
  it.each([
    ['half a page', page().slice(0, -1), 'bad-answer'],
    ['a login page', '<html>login</html>\n', 'bad-answer'],
    ['a counter that is NaN', 'requests{code="200"} NaN\n', 'not-a-number'],
    ['an empty page', '', 'no-data'],
  ])('%s', async (_, text, expected) => {
    const { put, look } = fleet();
    put('i-1', text);
    expect(result(await look(RATIO))).toBe(expected);
  });
  it('a page with an error status is not read', async () => {
    const world = context({
      fetch: async () => new Response(page(), { status: 500 }),
      instances: async () => [instance()],
    });
    const source = scrape.create(scrape.schema.parse({}), world);
    expect(result(await source.measure(question({ value: { of: 'queue' } }), PATIENT))).toBe('bad-answer');
  });
  it('histograms with different buckets are not added up', async () => {
    const { put, look } = fleet(half);
    put('i-1', page({ slow: [1, 1, 1] }));
    put('i-2', page({ slow: [1, 1, 1] }).replaceAll('le="1"', 'le="2"'));
    expect(result(await look({ quantile: { of: 'seconds', q: 0.5 } }))).toBe('bad-answer');
  });
  it('an address that must not be called is not called', async () => {
    const fake = vi.fn<typeof fetch>(async () => new Response(''));
    const world = context({
      fetch: fake,
      instances: async () => [instance({ metricsUrl: 'http://169.254.169.254/latest' })],
    });
    const source = scrape.create(scrape.schema.parse({}), world);
    expect(result(await source.measure(question({ value: { of: 'up' } }), PATIENT))).toBe('bad-answer');
    expect(fake).not.toHaveBeenCalled();
  });
});

describe('R1 only the judged instances count', () => {
  const both = () => {
    const one = fleet([instance(), instance({ id: 'i-2', digest: 'sha256:old', region: 'us' })]);
    one.put('i-1', page());
    one.put('i-2', page());
    const meanwhile = () => {
      one.put('i-1', page({ ok: 10 }));
      one.put('i-2', page({ ok: 100 }));
    };
    return (query: object, changes = {}) => one.look({ increase: { of: 'requests' }, ...query }, meanwhile, changes);
  };
  it.each([
    ['the release', {}, 10],
    ['the one before it', { version: 'before' }, 100],
    ['all', { version: 'all' }, 110],
    ['all in one region', { version: 'all', region: 'us' }, 100],
    ['nobody in a region without any', { region: 'us' }, 'no-data'],
  ])('%s', async (_, query, expected) => expect(result(await both()(query))).toBe(expected));
  it('what ran before, when the step has not begun', async () => {
    expect(result(await both()({}, { digest: 'sha256:old' }))).toBe(100);
  });
  it('an instance that joins later is watched first', async () => {
    const { put, look, world } = fleet();
    put('i-1', page());
    await look({ increase: { of: 'requests' } }, () => put('i-1', page({ ok: 5 })));
    put('i-2', page({ ok: 1_000 }));
    world.instances.push(instance({ id: 'i-2', metricsUrl: 'http://127.0.0.1:1/i-2' }));
    expect(result(await look({ increase: { of: 'requests' } }, () => put('i-2', page({ ok: 1_003 }))))).toBe(8);
  });
});

describe('H1 failures and requests since the step began', () => {
  it('are counted from the first look of the step on, whatever was counted before it', async () => {
    const { put, look } = fleet();
    put('i-1', page({ ok: 1_000, failed: 900 }));
    await look(RATIO, () => put('i-1', page({ ok: 1_100, failed: 1_000 })));
    await vi.advanceTimersByTimeAsync(1_000);
    const changes = { want: 'counts', sinceMs: Date.now() } as const;
    const first = await look(RATIO, () => put('i-1', page({ ok: 1_109, failed: 1_001 })), changes);
    expect(first).toMatchObject({ value: 0.1, samples: 10, counts: { failed: 1, total: 10 } });
    // Long after the window of 30 s.
    await vi.advanceTimersByTimeAsync(600_000);
    put('i-1', page({ ok: 1_199, failed: 1_011 }));
    // What forgets by its own window does not make this forget.
    await look(RATIO);
    const later = await look(RATIO, undefined, { ...changes, untilMs: Date.now() });
    expect(later).toMatchObject({ counts: { failed: 11, total: 110 } });
  });
  it('T9 a metric of failures that is no part of the requests is a bad answer', async () => {
    const { put, look } = fleet();
    put('i-1', page());
    const odd = { ratio: { of: 'requests', over: 'requests', overWhere: { code: '5*' } } };
    const counts = { want: 'counts', sinceMs: Date.now() } as const;
    expect(result(await look(odd, () => put('i-1', page({ ok: 9, failed: 1 })), counts))).toBe('bad-answer');
  });
  it.each([
    ['counts of no ratio', { increase: { of: 'requests' } }, { want: 'counts' }],
    ['counts of percent', { ...RATIO, times: 100 }, { want: 'counts' }],
    ['alerts', RATIO, { want: 'alerts' }],
    ['what was yesterday', RATIO, { untilMs: 1_700_000_000_000 - 86_400_000 }],
  ])('there are no %s', async (_, query, changes) => {
    const { put, look } = fleet();
    put('i-1', page());
    expect(result(await look(query, undefined, changes))).toBe('bad-query');
  });
});

describe('H1 a baseline is measured by its role', () => {
  it('fresh ones of the old version apart from those that were there', async () => {
    const old = { digest: 'sha256:old' };
    const all = [
      instance({ role: 'canary' }),
      instance({ id: 'i-2', role: 'baseline', ...old }),
      instance({ id: 'i-3', ...old }),
    ];
    const { put, look } = fleet(all);
    const put3 = (times: number) => {
      put('i-1', page({ ok: 1 * times }));
      put('i-2', page({ ok: 10 * times }));
      put('i-3', page({ ok: 100 * times }));
    };
    put3(0);
    const query = { increase: { of: 'requests' } };
    const ask = (changes: object) => look(query, () => put3(1), { untilMs: Date.now(), ...changes });
    expect(result(await ask({}))).toBe(1);
    put3(0);
    await vi.advanceTimersByTimeAsync(1_000);
    expect(result(await ask({ role: 'baseline', ...old }))).toBe(10);
    await vi.advanceTimersByTimeAsync(1_000);
    put3(0);
    expect(result(await ask({ role: 'stable', ...old }))).toBe(100);
    expect(result(await ask({ role: 'idle', ...old }))).toBe('no-data');
  });
});

describe('H2 a neighbour', () => {
  const asNeighbour = { service: 'billing', digest: '', beforeDigest: null };
  it('that Belay deploys is measured on all its instances, whatever they run', async () => {
    const { put, look } = fleet([instance(), instance({ id: 'i-2', digest: 'sha256:old' })]);
    put('i-1', page());
    put('i-2', page());
    const grow = () => {
      put('i-1', page({ ok: 1 }));
      put('i-2', page({ ok: 10 }));
    };
    expect(result(await look({ increase: { of: 'requests' } }, grow, asNeighbour))).toBe(11);
  });
  it('that it does not deploy cannot be listed, and the answer says what to do', async () => {
    const source = scrape.create(scrape.schema.parse({}), context({ instances: async () => null }));
    expect(await source.measure(question(RATIO, asNeighbour), PATIENT)).toMatchObject({
      missing: 'bad-query',
      detail: expect.stringMatching(/does not deploy billing to eu-1.*prometheus/),
    });
  });
});
