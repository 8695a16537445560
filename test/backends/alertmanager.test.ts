import type { ChildProcess } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import type { Server } from 'node:http';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { freePort } from '../../sandbox/free-port.ts';
import type { Json } from '../../src/core/json.ts';
import type { Measurement } from '../../src/core/judge/signal.ts';
import { alertmanager } from '../../src/health/alertmanager.ts';
import { createAlertHint } from '../../src/web/alert-hint.ts';
import { createWebServer } from '../../src/web/server.ts';
import { context, PATIENT, question, result } from '../health/ask.ts';
import { answers, close, end, folder, listen, program, start, until } from './processes.ts';

// Goal: what fires in Alertmanager is what Belay sees, and its webhook arrives. Method: the real Alertmanager, told by
// its own API and by a rule of a real Prometheus; its receiver is Belay's own web server.
const BINARY = program('prometheus-alertmanager', 'prometheus-alertmanager');
const PROMETHEUS = program('prometheus', 'prometheus');
const TOKEN = 'a-token-of-the-webhook';

describe.skipIf(!BINARY)('a real Alertmanager', () => {
  const owned = new AsyncDisposableStack();
  const children: ChildProcess[] = [];
  let belay: Server;
  let hints = 0;
  let url = '';
  let path = '';

  beforeAll(async () => {
    path = owned.use(await folder()).path;
    const log = { warn: () => {} };
    const changed = () => {
      hints += 1;
    };
    const hint = createAlertHint({ token: TOKEN, changed, log });
    belay = createWebServer({ handlers: { 'POST /alertmanager/webhook': hint }, whyNotReady: () => null });
    const receiver = `http://127.0.0.1:${await listen(belay)}/alertmanager/webhook`;
    await writeFile(
      join(path, 'alertmanager.yml'),
      `route: {receiver: belay, group_wait: 0s, group_by: [alertname]}
receivers:
  - name: belay
    webhook_configs:
      - url: ${receiver}
        http_config: {authorization: {credentials: ${TOKEN}}}
inhibit_rules:
  - {source_matchers: ['alertname="RegionDown"'], target_matchers: ['alertname="Inhibited"']}
`,
    );
    const port = await freePort();
    url = `http://127.0.0.1:${port}`;
    const flags = [
      `--config.file=${path}/alertmanager.yml`,
      `--storage.path=${path}/alertmanager`,
      `--web.listen-address=127.0.0.1:${port}`,
      '--cluster.listen-address=',
    ];
    children.push(await start(BINARY ?? '', flags, answers(`${url}/-/ready`)));
  });
  afterAll(async () => {
    await Promise.all(children.map(end));
    await close(belay);
    await owned.disposeAsync();
  });

  const source = () => alertmanager.create(alertmanager.schema.parse({ url }), context());
  const ask = (query: Json): Promise<Measurement> => source().measure(question(query, { want: 'alerts' }), PATIENT);
  const post = async (what: string, body: Json) => {
    const headers = { 'content-type': 'application/json' };
    const response = await fetch(`${url}/api/v2/${what}`, { method: 'POST', headers, body: JSON.stringify(body) });
    expect(response.status).toBe(200);
  };
  const fire = (labels: Record<string, string>, more: Record<string, Json> = {}) =>
    post('alerts', [{ labels, ...more }]);
  const named = (alertname: string) => ({ matchers: [`alertname="${alertname}"`, 'service="$service"'] });

  it('T9 nothing fires: that is known only because the server says so', async () => {
    expect(await ask(named('Nothing'))).toMatchObject({ value: 0, alerts: [] });
  });
  it('H1 an alert that fires is seen, with an id that stays, and only that of the service', async () => {
    const startsAt = new Date(Date.now() - 60_000).toISOString();
    const before = hints;
    await fire({ alertname: 'Slow', service: 'shop' }, { startsAt, generatorURL: 'https://prometheus.example.com/g' });
    await fire({ alertname: 'Slow', service: 'billing' });
    const seen = await ask(named('Slow'));
    expect(seen).toMatchObject({ value: 1, link: 'https://prometheus.example.com/g' });
    const again = await ask(named('Slow'));
    expect(again.value !== null && again.alerts).toEqual([
      { id: expect.stringMatching(/^[0-9a-f]{16}$/), name: 'Slow', sinceMs: Date.parse(startsAt) },
    ]);
    expect(seen).toHaveProperty('alerts', again.value !== null && again.alerts);
    expect(await ask({ matchers: ['alertname="Slow"'] })).toMatchObject({
      value: 2,
      link: expect.stringContaining(url),
    });

    expect(
      await until(
        async () => hints,
        (count) => count > before,
      ),
    ).toBeGreaterThan(before);
  });
  it('H1 one that is over is gone', async () => {
    await fire({ alertname: 'Over', service: 'shop' });
    expect(result(await ask(named('Over')))).toBe(1);
    await fire({ alertname: 'Over', service: 'shop' }, { endsAt: new Date(Date.now() - 1_000).toISOString() });
    expect(result(await ask(named('Over')))).toBe(0);
  });
  it('H1 one that somebody silenced, or that another inhibits, does not count unless asked for', async () => {
    const isEqual = true;
    const matchers = [{ name: 'alertname', value: 'Silenced', isRegex: false, isEqual }];
    const endsAt = new Date(Date.now() + 600_000).toISOString();
    const silence = { matchers, startsAt: new Date().toISOString(), endsAt, createdBy: 'Ana', comment: 'known' };
    await post('silences', silence);
    await fire({ alertname: 'RegionDown' });
    await fire({ alertname: 'Inhibited', service: 'shop' });
    await fire({ alertname: 'Silenced', service: 'shop' });
    const none = (one: Measurement) => one.value === 0;
    expect(result(await until(() => ask(named('Silenced')), none))).toBe(0);
    expect(result(await until(() => ask(named('Inhibited')), none))).toBe(0);
    expect(result(await ask({ ...named('Silenced'), silenced: true }))).toBe(1);
    expect(result(await ask({ ...named('Inhibited'), inhibited: true }))).toBe(1);
  });
  it.skipIf(!PROMETHEUS)(
    'H1 a rule of a real Prometheus that breaks is seen, with the graph it came from',
    async () => {
      const rule = '{alert: Broken, expr: "vector(1) > 0", labels: {service: shop}}';
      await writeFile(join(path, 'rules.yml'), `groups: [{name: shop, interval: 1s, rules: [${rule}]}]\n`);
      await writeFile(
        join(path, 'prometheus.yml'),
        `global: {evaluation_interval: 1s}
rule_files: [${path}/rules.yml]
alerting: {alertmanagers: [{static_configs: [{targets: ['${new URL(url).host}']}]}]}
`,
      );
      const port = await freePort();
      const flags = [
        `--config.file=${path}/prometheus.yml`,
        `--storage.tsdb.path=${path}/prometheus`,
        `--web.listen-address=127.0.0.1:${port}`,
        `--web.external-url=http://127.0.0.1:${port}`,
        // It knows its Alertmanager some seconds later only, and would wait a minute to tell it again.
        '--rules.alert.resend-delay=1s',
      ];
      children.push(await start(PROMETHEUS ?? '', flags, answers(`http://127.0.0.1:${port}/-/ready`)));
      const seen = await until(
        () => ask(named('Broken')),
        (one) => one.value === 1,
      );
      expect(seen).toMatchObject({ value: 1, link: expect.stringContaining(`http://127.0.0.1:${port}/graph?`) });
    },
  );
  it('T9 a matcher that the server refuses is a bad query', async () => {
    expect(result(await ask({ matchers: ['alertname=~"("'] }))).toBe('bad-query');
  });
  it('T9 one that went away is unreachable, and not silent', async () => {
    await end(children[0]);
    expect(result(await ask(named('Nothing')))).toBe('unreachable');
  });
});
