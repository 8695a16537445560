import { describe, expect, it } from 'vitest';
import type { Seen } from '../../src/core/rollout.ts';
import { instanceLines } from '../../src/slack/views/instances.ts';
import { aRollout, digest, NOON_MS } from '../support/rollout.ts';

type Group = Seen['groups'][number];
const group = (over: Partial<Group> = {}): Group => ({
  region: 'eu',
  digest: digest('1'),
  role: 'stable',
  instances: 3,
  healthy: over.instances ?? 3,
  ...over,
});
const lines = (groups: Record<string, Group[]>, targets = Object.keys(groups)) => {
  const seen = Object.entries(groups).map(([target, of]) => [target, { atMs: NOON_MS, groups: of }] as const);
  return instanceLines(aRollout({ seen: Object.fromEntries(seen) }), targets);
};
const squaresIn = (line = '') => line.match(/:[a-z_]+_square:/g) ?? [];

describe('H5 X5 the instances by version', () => {
  it('are a square each, in a row for each region, with their counts in words', () => {
    expect(
      lines({
        eu: [group(), group({ digest: digest('0'), instances: 1 })],
        us: [group({ region: 'us', digest: digest('0'), instances: 2 })],
      }),
    ).toEqual([
      '`eu` :large_green_square::large_green_square::large_green_square::white_large_square: 3 of 4 run `aaaaaaa`',
      '`us` :white_large_square::white_large_square: 0 of 2 run `aaaaaaa`',
    ]);
  });

  it('R6 one that is not healthy, cannot be read, or is there for comparison is seen and named', () => {
    const [line = ''] = lines({
      eu: [
        group({ role: 'canary', healthy: 2 }),
        group({ digest: null, instances: 1, healthy: 0 }),
        group({ role: 'baseline', digest: digest('0'), instances: 1 }),
        group({ role: 'idle', digest: digest('0'), instances: 2, healthy: 0 }),
      ],
    });
    expect(squaresIn(line)).toHaveLength(7);
    expect(line).toContain(
      '2 of 7 run `aaaaaaa`, 1 not healthy, 1 cannot be read, 1 of the old version as baseline, 2 of the old version idle',
    );
  });

  it('of a large fleet the squares are shares, the words exact, and a single sick one is still seen', () => {
    const [line = ''] = lines({
      eu: [
        group({ instances: 999 }),
        group({ instances: 1, healthy: 0 }),
        group({ digest: digest('0'), instances: 2000 }),
      ],
    });
    const all = squaresIn(line);
    expect(all).toHaveLength(20);
    expect(all.filter((one) => one === ':large_red_square:')).toHaveLength(1);
    expect(all.filter((one) => one === ':large_green_square:')).toHaveLength(6);
    expect(line).toContain('999 of 3000 run');
  });

  it('very many regions are said in one line together', () => {
    const many = Object.fromEntries(
      Array.from({ length: 40 }, (_, index) => [`r${index}`, [group({ region: `r${index}` })]]),
    );
    const all = lines(many);
    expect(all).toHaveLength(12);
    expect(all.at(-1)).toContain('`29 more`');
    expect(all.at(-1)).toContain('87 of 87 run');
  });

  it('T20 a region’s name is only a name, and what was never read shows nothing', () => {
    expect(lines({ eu: [group({ region: '<!channel>*`' })] })[0]).toContain('&lt;!channel&gt;');
    expect(lines({}, ['eu', 'toString'])).toEqual([]);
  });
});
