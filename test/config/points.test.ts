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
  const asked = query.replace('V', '{version="$version"}');
  const signal = `  - name: latency\n    kind: compare\n    source: metrics\n    query: ${asked}\n${more}`.replace(
    'compare',
    query.startsWith('{failed') ? 'rate' : 'compare',
  );
  const service = swap(swap(SHOP, "{promql: 'errors'}", errors), 'stages:\n', `${signal}stages:\n`);
  const belay = swap(BELAY, 'kind: metrics\n    url: http://prometheus.internal:9090', metrics);
  return told(load({ 'belay.yml': belay, 'services/shop.yml': service }, VARIABLES, REAL));
}
const ERRORS = '{backend: shop, measure: errors}';

describe('H1 points of a comparison that count the same time twice are said when the file is read', () => {
  it.each([
    ['one window', "{promql: 'rate(V[5m])', every: 15s}", '15 s apart, each over 5 min', '300s'],
    [
      'the longest of several',
      "{promql: 'rate(V[1m]) / rate(b[1m30s])', every: 1m}",
      '1 min apart, each over 1 min 30 s',
      '90s',
    ],
    ['a subquery', "{promql: 'max_over_time(V[10m:1m])', every: 5m}", '5 min apart, each over 10 min', '600s'],
    ['a window in seconds', "{promql: 'rate(V[120])', every: 60s}", '1 min apart, each over 2 min', '120s'],
  ])('%s', (_, query, found, every) => {
    const [problem, ...more] = problems('prometheus', query);
    expect(problem).toContain(`signals[1].query: found points ${found}, expected points that do not overlap`);
    expect(problem).toContain(`write every: ${every} or longer, no every at all, or a shorter window`);
    expect(more).toEqual([]);
  });

  it.each([
    ['without every the points are as far apart as they must be', "{promql: 'rate(V[5m])'}"],
    ['as far apart as they look back is enough', "{promql: 'rate(V[5m])', every: 5m}"],
    ['what looks like a window in a label is none', `{promql: 'a{v="$version",b="[9h]"} # [9h]', every: 15s}`],
    ['an offset is none', "{promql: 'rate(V[15s] offset 1d)', every: 15s}"],
  ])('%s', (_, query) => {
    expect(problems('prometheus', query)).toEqual([]);
  });
});

describe('T9 a comparison that can never have its points is said when the file is read', () => {
  // The canary's deadline is 50 minutes: a fifth point has to come by then.
  it.each([
    ['prometheus', "{promql: 'rate(V[12m])'}", '', null],
    [
      'prometheus',
      "{promql: 'rate(V[13m])'}",
      '',
      "points 13 min apart, where the bake's deadline is 50 min, expected time for 5",
    ],
    [
      'prometheus',
      "{promql: 'rate(V[5m])'}",
      '    minSamples: 12\n',
      'expected time for 12 points; look back over less',
    ],
    ['prometheus', "{promql: 'V', every: 30m}", '', 'expected time for 5 points; look more often'],
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

describe('T9 a comparison of the release with itself never finds anything: that is said when the file is read', () => {
  const told = (source: string, query: string, more = '') => problems(source, query, more).join();

  it.each([
    ['prometheus', "{promql: 'rate(a[1m])'}", '', 'say whose numbers they are, such as version="$version"'],
    ['prometheus', `{promql: 'a{role=~"$role"}'}`, '', 'such as version="$version"'],
    ['prometheus', `{promql: 'a{v="$before"}'}`, '', 'such as version="$version"'],
    ['scrape', '{value: {of: a}, version: all}', '', 'leave version out'],
    ['haproxy', '{backend: shop, measure: rate, whole: true}', '', 'leave version and whole out'],
  ])('%s %s', (source, query, more, hint) => {
    const said = told(source, query, more);
    expect(said).toContain('signals[1].query: found a query that is the same for the release');
    expect(said).toContain(hint);
  });

  it('both counts of a rate must say whose they are', () => {
    const counts = (total: string) => `{failed: 'a{v="$version"}', total: '${total}'}`;
    const rate = (total: string) => told('prometheus', counts(total));
    expect(rate('b')).toContain('failed and total must both say whose numbers they are');
    expect(rate('b{v="$version"}')).toBe('');
  });

  it('what is held against another time asks the same question of another time', () => {
    expect(told('prometheus', "{promql: 'rate(a[1m])'}", '    baseline: {earlier: [7]}\n')).toBe('');
  });
});
