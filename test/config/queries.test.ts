import { describe, expect, it } from 'vitest';
import type { Kinds } from '../../src/config/belay-schema.ts';
import { SOURCES } from '../../src/health/index.ts';
import { BELAY, KINDS, load, SHOP, swap, told, VARIABLES } from './world.ts';

// The real sources: what can be asked is theirs to know.
const REAL: Kinds = { ...KINDS, sources: SOURCES as unknown as Kinds['sources'] };

/** The problems of the usual service when its one signal asks a Prometheus, or an Alertmanager, this. */
function problems(query: object, kind = 'prometheus'): string[] {
  const belay = swap(BELAY, 'kind: metrics', `kind: ${kind}`);
  const signal = kind === 'alertmanager' ? 'kind: alert\n' : 'healthyWhen: {max: 0.01}\n';
  const service = swap(swap(SHOP, "{promql: 'errors'}", JSON.stringify(query)), 'healthyWhen: {max: 0.01}\n', signal);
  return told(load({ 'belay.yml': belay, 'services/shop.yml': service }, VARIABLES, REAL));
}

describe('C3 a query that no server could take is refused when the file is read', () => {
  it.each([
    ['a name that nothing is filled in for', 'up{service="$servce"}', '$servce is not filled in', 'mean $service?'],
    ['behind any comparison of a label', "up{job!~ '$vresion'}", '$vresion is not filled in', 'mean $version?'],
    ['one that is like none', 'up{job="$job"}', 'expected one of $version, $before', 'for a $ itself write =~"[$]…"'],
    ['in braces', `up{version="\${version}"}`, `\${version} is not filled in`, 'did you mean $version?'],
    ['a name in place of a duration', 'rate(x[$sinc])', '$sinc is not filled in', 'did you mean $since?'],
    ['a name in place of a metric', 'rate($metric[5m])', '$metric is not filled in', 'expected one of'],
    ['a bracket that is not closed', 'sum(rate(x[5m])', 'The ( at character 4 is never closed', 'expected )'],
    ['one of two braces', 'up{a="b"', 'The { at character 3 is never closed', 'expected }'],
    ['a bracket that is not opened', 'rate(x[5m]))', 'The ) at character 12 closes nothing', 'or remove it'],
    ['brackets that cross', 'rate(x[5m)]', 'The ) at character 10 cannot close the [ at character 7', 'expected ]'],
    ['a quote that is not closed', 'up{a="b}', 'The " at character 6 is never closed', 'close the quote'],
    ['a quote that ends with its line', 'up{a="b\n"}', 'The " at character 6 is never closed', 'close the quote'],
    ['a raw quote', 'up{a=`b}', 'The ` at character 6 is never closed', 'close the quote'],
  ])('%s', (_, promql, found, next) => {
    const [problem, ...more] = problems({ promql });
    expect(problem).toMatch(/^services\/shop\.yml:\d+:\d+ signals\[0\]\.query\.promql: found "/);
    expect(problem).toContain(found);
    expect(problem).toContain(next);
    expect(more).toEqual([]);
  });

  it.each([
    ['brackets inside quotes', `a{b="([{",c=')]}',d=\`[\`,e="\\"("}`],
    ['an apostrophe and a bracket in a comment', `a # it's one (of many\n / b`],
    ['everything that is filled in', `a{v="$version",b!="$before",s='$service',t=~"$targets",r=~"$role"}`],
    ['since the step began', 'increase(a[$since]) / max_over_time(rate(a[1m])[$since:])'],
    ['groups by number and by name', `label_replace(a, "b", "$1-\${two}", "c", "(.*)-(?P<two>.*)")`],
    ['a group that is all there is', 'label_replace(a, "b", "$two", "c", "(?P<two>.*)")'],
    ['the end of a regular expression', 'a{b=~"^x$|^y$",c=~".*$"}'],
    ['a route with a name in it', 'a{handler="/users/$id"}'],
    ['a $ by itself', 'a{b=~"[$]job"}'],
    ['what VictoriaMetrics fills in', 'rate(a[$__interval]) + rate(a[$__rate_interval])'],
    ['names in quotes', '{"http.requests", "service.name"="shop"}'],
    ['an escaped character in a name', 'foo\\{bar'],
  ])('and lets stand what one of them takes: %s', (_, promql) => {
    expect(problems({ promql })).toEqual([]);
  });

  it('both counts of a rate, and how many samples there are', () => {
    expect(problems({ promql: 'up', samples: 'sum(x' }).join()).toContain('signals[0].query.samples');
    const rate = problems({ failed: 'a{s="$servce"}', total: 'sum(a' });
    expect(rate.map((one) => one.match(/query\.\w+/)?.[0])).toEqual(['query.failed', 'query.total']);
  });

  it('the matchers of alerts', () => {
    expect(problems({ matchers: ['service="$servce"'] }, 'alertmanager').join()).toContain('did you mean $service?');
    expect(problems({ matchers: ['service="$service"', 'a=~"[(]$"'] }, 'alertmanager')).toEqual([]);
  });
});
