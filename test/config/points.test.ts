import { describe, expect, it } from 'vitest';
import type { Kinds } from '../../src/config/belay-schema.ts';
import { SOURCES } from '../../src/health/index.ts';
import { BELAY, KINDS, load, SHOP, swap, told, VARIABLES } from './world.ts';

// The real sources: what is said of points is theirs to know.
const REAL: Kinds = { ...KINDS, sources: SOURCES as unknown as Kinds['sources'] };
const HAPROXY = 'kind: haproxy\n    url: tcp://127.0.0.1:9999';
const SOURCE = { prometheus: 'kind: prometheus\n    url: http://prometheus.internal:9090', haproxy: HAPROXY };

/** The problems of the usual service with one compare more, in production's canary of 20 minutes, asked every 30 s. */
function problems(source: string, query: string, more = ''): string[] {
  const metrics = source === 'scrape' ? 'kind: scrape' : SOURCE[source as keyof typeof SOURCE];
  const errors = source === 'prometheus' ? "{promql: 'errors'}" : source === 'scrape' ? '{value: {of: up}}' : ERRORS;
  const signal = `  - name: latency\n    kind: compare\n    source: metrics\n    query: ${query}\n${more}`;
  const service = swap(swap(SHOP, "{promql: 'errors'}", errors), 'stages:\n', `${signal}stages:\n`);
  const belay = swap(BELAY, 'kind: metrics\n    url: http://prometheus.internal:9090', metrics);
  return told(load({ 'belay.yml': belay, 'services/shop.yml': service }, VARIABLES, REAL));
}
const ERRORS = '{backend: shop, measure: errors}';

describe('H1 points of a comparison that count the same time twice are said when the file is read', () => {
  it.each([
    ['one window', "{promql: 'rate(a[5m])', every: 15s}", '15 s apart, each over 5 min', '300s'],
    [
      'the longest of several',
      "{promql: 'rate(a[1m]) / rate(b[1m30s])', every: 1m}",
      '1 min apart, each over 1 min 30 s',
      '90s',
    ],
    ['a subquery', "{promql: 'max_over_time(a[10m:1m])', every: 5m}", '5 min apart, each over 10 min', '600s'],
    ['a window in seconds', "{promql: 'rate(a[120])', every: 60s}", '1 min apart, each over 2 min', '120s'],
  ])('%s', (_, query, found, every) => {
    const [problem, ...more] = problems('prometheus', query);
    expect(problem).toContain(`signals[1].query: found points ${found}, expected points that do not overlap`);
    expect(problem).toContain(`write every: ${every} or longer, no every at all, or a shorter window`);
    expect(more).toEqual([]);
  });

  it.each([
    ['without every the points are as far apart as they must be', "{promql: 'rate(a[5m])'}"],
    ['as far apart as they look back is enough', "{promql: 'rate(a[5m])', every: 5m}"],
    ['what looks like a window in a label is none', `{promql: 'a{b="[9h]"} # [9h]', every: 15s}`],
    ['an offset is none', "{promql: 'rate(a[15s] offset 1d)', every: 15s}"],
  ])('%s', (_, query) => {
    expect(problems('prometheus', query)).toEqual([]);
  });
});

describe('T9 a comparison that can never have its points is said when the file is read', () => {
  // The canary's deadline is 50 minutes: a fifth point has to come by then.
  it.each([
    ['prometheus', "{promql: 'rate(a[12m])'}", '', null],
    [
      'prometheus',
      "{promql: 'rate(a[13m])'}",
      '',
      "points 13 min apart, where the bake's deadline is 50 min, expected time for 5",
    ],
    [
      'prometheus',
      "{promql: 'rate(a[5m])'}",
      '    minSamples: 12\n',
      'expected time for 12 points; look back over less',
    ],
    ['prometheus', "{promql: 'a', every: 30m}", '', 'expected time for 5 points; look more often'],
    ['scrape', '{rate: {of: a}, window: 15m}', '', 'points 15 min apart'],
    ['scrape', '{rate: {of: a}, window: 5m}', '', null],
    ['scrape', '{value: {of: a}}', '    minSamples: 101\n', null],
    ['scrape', '{value: {of: a}}', '    minSamples: 102\n', 'points 30 s apart'],
    ['haproxy', '{backend: shop, measure: rate, window: 15m}', '', 'points 15 min apart'],
    ['haproxy', '{backend: shop, measure: response-time, window: 15m}', '', null],
  ])('%s %s %s', (source, query, more, found) => {
    const said = problems(source, query, more);
    if (found === null) expect(said).toEqual([]);
    else expect(said).toEqual([expect.stringContaining(found)]);
  });
});
