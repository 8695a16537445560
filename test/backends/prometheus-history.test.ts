import { type ChildProcess, execFile } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { freePort } from '../../sandbox/free-port.ts';
import type { Json } from '../../src/core/json.ts';
import { prometheus } from '../../src/health/prometheus.ts';
import type { Question } from '../../src/health/source.ts';
import { context, PATIENT, question, result } from '../health/ask.ts';
import { answers, end, folder, program, start } from './processes.ts';

// Goal: what is held against another version, or against an earlier day, is what Prometheus really has of that time.
// Method: two days of history are written as OpenMetrics, made into blocks by promtool, and a real server opens them.
const SERVER = program('prometheus', 'prometheus');
const TOOL = program('promtool', 'prometheus');

const MINUTE = 60_000;
const DAY = 1_440 * MINUTE;
/** On a whole minute, a while ago: all that is asked about is in the past. */
const END = Math.floor((Date.now() - 30 * MINUTE) / MINUTE) * MINUTE;
const SINCE = END - 30 * MINUTE;

/** Requests a minute since the history began; a hundred, of which `failing` fail. */
function history(): string {
  const lines: string[] = [];
  const series = (name: string, labels: string, at: (minute: number) => number | 'NaN') => {
    for (const startMs of [SINCE - DAY - 10 * MINUTE, SINCE - 10 * MINUTE]) {
      for (let minute = 0; minute <= 40; minute += 1) {
        lines.push(`${name}{${labels}} ${at(minute)} ${(startMs + minute * MINUTE) / 1000}`);
      }
    }
  };
  const family = (name: string, kind: string, fill: () => void) => {
    lines.push(`# TYPE ${name} ${kind}`);
    fill();
  };
  family('requests', 'counter', () => {
    for (const [version, failing] of [
      ['sha256:new', 5],
      ['sha256:old', 1],
    ] as const) {
      series('requests_total', `version="${version}",code="200"`, (minute) => minute * (100 - failing));
      series('requests_total', `version="${version}",code="500"`, (minute) => minute * failing);
    }
  });
  family('seconds', 'gauge', () => {
    series('seconds', 'version="sha256:new"', (minute) => (minute % 2 === 0 ? 0.3 : 0.4));
    series('seconds', 'version="sha256:old"', () => 0.2);
    series('seconds', 'version="sha256:gaps"', (minute) => (minute % 2 === 0 ? 'NaN' : 0.4));
  });
  return `${lines.join('\n')}\n# EOF\n`;
}

describe.skipIf(!SERVER || !TOOL)('a real Prometheus with a history', () => {
  const owned = new AsyncDisposableStack();
  let server: ChildProcess | undefined;
  let url = '';
  let asked = 0;

  beforeAll(async () => {
    const { path } = owned.use(await folder());
    await writeFile(join(path, 'history'), history());
    await promisify(execFile)(TOOL ?? '', ['tsdb', 'create-blocks-from', 'openmetrics', join(path, 'history'), path]);
    await writeFile(join(path, 'prometheus.yml'), '');
    const port = await freePort();
    url = `http://127.0.0.1:${port}`;
    const flags = [
      `--config.file=${path}/prometheus.yml`,
      `--storage.tsdb.path=${path}`,
      `--web.listen-address=127.0.0.1:${port}`,
    ];
    server = await start(SERVER ?? '', flags, answers(`${url}/-/ready`));
  });
  afterAll(async () => {
    await end(server);
    await owned.disposeAsync();
  });

  const counting: typeof fetch = (...given) => {
    asked += 1;
    return fetch(...given);
  };
  const ask = (query: Json, changes: Partial<Question> = {}) => {
    const source = prometheus.create(prometheus.schema.parse({ url }), context({ fetch: counting }));
    return source.measure(question(query, { sinceMs: SINCE, untilMs: END, ...changes }), PATIENT);
  };
  const SECONDS = { promql: 'seconds{version="$version"}', every: '1m' };
  const FAILED = {
    failed: 'sum(increase(requests_total{version="$version",code="500"}[$since]))',
    total: 'sum(increase(requests_total{version="$version"}[$since]))',
  };

  it('H1 a compare has the points of each version since the step began, and no others', async () => {
    const now = await ask(SECONDS, { want: 'points' });
    expect(now).toMatchObject({ samples: 31, takenAtMs: END });
    expect(now).toHaveProperty(
      'points',
      Array.from({ length: 31 }, (_, at) => (at % 2 === 0 ? 0.3 : 0.4)),
    );
    const old = await ask(SECONDS, { want: 'points', digest: 'sha256:old', role: 'stable' });
    expect(old).toHaveProperty('points', Array(31).fill(0.2));
  });
  it('H1 about 60 points are asked for when nothing is said', async () => {
    const now = await ask({ promql: SECONDS.promql }, { want: 'points' });
    expect(now.value !== null && now.points?.length).toBe(61);
  });
  it('H1 the same hours of an earlier day are there too', async () => {
    const then = { sinceMs: SINCE - DAY, untilMs: END - DAY };
    const earlier = await ask(
      { promql: 'avg(seconds{version=~".*(new|old)"})', every: '1m' },
      { want: 'points', ...then },
    );
    expect(earlier).toMatchObject({ samples: 31, takenAtMs: END - DAY });
    expect(result(await ask({ promql: 'vector(time())' }, then))).toBe(Math.round(END - DAY) / 1000);
  });
  it('T9 a NaN is a point that is missing, never 0', async () => {
    const gaps = await ask(SECONDS, { want: 'points', digest: 'sha256:gaps' });
    expect(gaps).toHaveProperty('points', Array(15).fill(0.4));
    expect(gaps).toMatchObject({ value: expect.closeTo(0.4), takenAtMs: END - MINUTE });
  });
  it('T9 what has no points has no data', async () => {
    expect(result(await ask(SECONDS, { want: 'points', digest: 'sha256:none' }))).toBe('no-data');
    expect(result(await ask({ ...SECONDS, promql: 'seconds' }, { want: 'points' }))).toBe('many-series');
  });

  it('H1 a rate has failures and requests since the step began', async () => {
    expect(await ask(FAILED, { want: 'counts' })).toMatchObject({
      value: 0.05,
      samples: 3_000,
      counts: { failed: 150, total: 3_000 },
    });
    expect(await ask(FAILED, { want: 'counts', digest: 'sha256:old' })).toMatchObject({ counts: { failed: 30 } });
    const then = { sinceMs: SINCE - DAY, untilMs: END - DAY };
    expect(await ask(FAILED, { want: 'counts', ...then })).toMatchObject({ counts: { failed: 150, total: 3_000 } });
  });
  it('T9 no series of failures is not the same as none, unless the query says so', async () => {
    const failed = 'sum(increase(requests_total{version="$version",code="504"}[$since]))';
    expect(await ask({ ...FAILED, failed }, { want: 'counts' })).toMatchObject({
      missing: 'no-data',
      detail: expect.stringContaining('or vector(0)'),
    });
    expect(await ask({ ...FAILED, failed: `${failed} or vector(0)` }, { want: 'counts' })).toMatchObject({
      counts: { failed: 0, total: 3_000 },
    });
    expect(result(await ask({ ...FAILED, total: failed }, { want: 'counts' }))).toBe('no-data');
    expect(result(await ask({ failed: FAILED.total, total: FAILED.failed }, { want: 'counts' }))).toBe('bad-answer');
  });

  it('R4 what a thousand rollouts ask in one interval is asked once', async () => {
    const source = prometheus.create(prometheus.schema.parse({ url }), context({ fetch: counting, now: () => END }));
    asked = 0;
    const all = await Promise.all(
      Array.from({ length: 1_000 }, (_, at) =>
        // They began at different times: what is asked is the same, and what is from before their step is left out.
        source.measure(
          question(SECONDS, { want: 'points', sinceMs: SINCE + at, untilMs: END, everyMs: 30_000 }),
          PATIENT,
        ),
      ),
    );
    expect(asked).toBe(1);
    expect(all.map((one) => one.value !== null && one.points?.length)).toEqual([31, ...Array(999).fill(30)]);
  });
});
