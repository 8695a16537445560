import type { ChildProcess } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Counter, Histogram, Registry } from 'prom-client';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { freePort } from '../../sandbox/free-port.ts';
import type { Json } from '../../src/core/json.ts';
import { emptyMemory, judge } from '../../src/core/judge/judge.ts';
import type { Measurement, Signal } from '../../src/core/judge/signal.ts';
import { prometheus } from '../../src/health/prometheus.ts';
import { scrape } from '../../src/health/scrape.ts';
import { signal } from '../core/judge/builders.ts';
import { context, instance, PATIENT, question, result } from '../health/ask.ts';
import { answers, close, end, listen, program, start, until } from './processes.ts';

// Goal: what Belay believes of Prometheus is what Prometheus does. Method: the real server scrapes a real prom-client
// page every second; traffic is made by counting, and each claim is polled for until it holds or a deadline passes.
const BINARY = program('prometheus', 'prometheus');

const registry = new Registry();
const requests = new Counter({
  name: 'http_requests_total',
  help: 'Requests.',
  labelNames: ['code', 'version'],
  registers: [registry],
});
const seconds = new Histogram({
  name: 'http_request_duration_seconds',
  help: 'Durations.',
  buckets: [0.1, 0.5, 1],
  registers: [registry],
});
const VERSION = 'sha256:new';

let target: Server;
let server: ChildProcess;
let folder = '';
let url = '';

describe.skipIf(!BINARY)('a real Prometheus', () => {
  beforeAll(async () => {
    target = createServer(async (_, response) => {
      response.setHeader('content-type', registry.contentType);
      response.end(await registry.metrics());
    });
    const targetPort = await listen(target);
    folder = await mkdtemp(join(tmpdir(), 'belay-prometheus-'));
    const config = `global: {scrape_interval: 1s, scrape_timeout: 1s}
scrape_configs: [{job_name: shop, static_configs: [{targets: ['127.0.0.1:${targetPort}']}]}]
`;
    await writeFile(join(folder, 'prometheus.yml'), config);
    const port = await freePort();
    url = `http://127.0.0.1:${port}`;
    const flags = [
      `--config.file=${folder}/prometheus.yml`,
      `--storage.tsdb.path=${folder}/data`,
      `--web.listen-address=127.0.0.1:${port}`,
    ];
    server = await start(BINARY ?? '', flags, answers(`${url}/-/ready`));
  });

  afterAll(async () => {
    await end(server);
    await close(target);
    await rm(folder, { recursive: true, force: true });
  });

  const ask = (query: Json): Promise<Measurement> =>
    prometheus.create(prometheus.schema.parse({ url }), context()).measure(question(query), PATIENT);
  const verdictOf = (measurement: Measurement, changes: Partial<Signal> = {}) =>
    judge([signal(changes)], emptyMemory(), [measurement], Date.now()).judgement.verdict;
  const ERRORS = {
    promql: `100 * sum(rate(http_requests_total{code=~"5..",version="$version"}[3s])) / sum(rate(http_requests_total{version="$version"}[3s]))`,
    samples: 'sum(increase(http_requests_total{version="$version"}[3s]))',
  };

  it('T9 no series at all, bad PromQL, and many series: none of them is a number', async () => {
    expect(result(await ask(ERRORS))).toBe('no-data');
    expect(result(await ask({ promql: 'sum(' }))).toBe('bad-query');
    expect(result(await ask({ promql: 'vector(1) or label_replace(vector(2), "a", "b", "", "")' }))).toBe(
      'many-series',
    );
    expect(result(await ask({ promql: 'vector(1)' }))).toBe(1);
    expect(result(await ask({ promql: '1/0' }))).toBe('not-a-number');
    expect(
      result(await ask({ promql: 'vector(1) * on() (vector(1) or label_replace(vector(2), "a", "b", "", ""))' })),
    ).toBe('bad-query');
  });

  it('T9 no traffic is NaN, and NaN is not healthy', async () => {
    requests.inc({ code: '200', version: VERSION }, 0);
    requests.inc({ code: '500', version: VERSION }, 0);
    const measurement = await until(
      () => ask(ERRORS),
      (one) => result(one) === 'not-a-number',
    );
    expect(result(measurement)).toBe('not-a-number');
    expect(verdictOf(measurement)).toBe('error');
  });

  it('H1 a step of errors is seen, with its samples', async () => {
    const counting = setInterval(() => {
      requests.inc({ code: '200', version: VERSION }, 8);
      requests.inc({ code: '500', version: VERSION }, 2);
      requests.inc({ code: '200', version: 'sha256:old' }, 100);
      seconds.observe(0.3);
    }, 50);
    try {
      const isSeenAtAll = (one: Measurement) => one.value !== null;
      const isSeen = (one: Measurement) => one.value !== null && one.value > 15 && (one.samples ?? 0) > 50;
      const measurement = await until(() => ask(ERRORS), isSeen);
      expect(measurement.value).toBeCloseTo(20, 0);
      expect(verdictOf(measurement, { minSamples: 50 })).toBe('degraded');
      expect(measurement.link).toContain('/graph?');
      const range = { promql: ERRORS.promql, range: { last: '1s', every: '1s', take: 'max' } };
      // Its first points are still those without traffic, and one NaN makes no number.
      expect((await until(() => ask(range), isSeenAtAll)).value).toBeGreaterThan(15);

      // The embedded source sees the same on the same page, without a server.
      const metricsUrl = `http://127.0.0.1:${(target.address() as AddressInfo).port}/metrics`;
      const embedded = scrape.create(
        scrape.schema.parse({}),
        context({ instances: async () => [instance({ metricsUrl })] }),
      );
      const ratio = {
        of: 'http_requests_total',
        where: { code: '5*', version: VERSION },
        over: 'http_requests_total',
        overWhere: { version: VERSION },
      };
      const [errors, latency] = await Promise.all([
        embedded.measure(question({ ratio, times: 100 }), PATIENT),
        embedded.measure(question({ quantile: { of: 'http_request_duration_seconds', q: 0.5 } }), PATIENT),
      ]);
      expect(errors.value).toBeCloseTo(20, 5);
      expect(latency.value).toBeCloseTo(0.3, 5);
    } finally {
      clearInterval(counting);
    }
  });

  it('H3 a server that went away is unreachable, and the last good number is not kept', async () => {
    await end(server);
    const measurement = await until(
      () => ask({ promql: 'vector(0)' }),
      (one) => one.value === null,
    );
    expect(result(measurement)).toBe('unreachable');
    expect(verdictOf(measurement)).toBe('error');
  });
});
