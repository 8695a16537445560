import type { Rollout, Seen } from '../../core/rollout.ts';
import { code, versionOf } from './escape.ts';

type Group = Seen['groups'][number];

/** So many squares a region has at most; the words beside them count exactly. */
const MAX_SQUARES = 20;
/** So many regions have a line of their own. */
const MAX_LINES = 12;

/** What an instance is, for a square and for words; in the order in which they are drawn. */
const KINDS = ['new', 'sick', 'unread', 'baseline', 'idle', 'old'] as const;
type Kind = (typeof KINDS)[number];

const SQUARES: Record<Kind, string> = {
  new: ':large_green_square:',
  sick: ':large_red_square:',
  unread: ':large_orange_square:',
  baseline: ':large_blue_square:',
  idle: ':black_large_square:',
  old: ':white_large_square:',
};

const WORDS: Record<Exclude<Kind, 'new' | 'old'>, string> = {
  sick: 'not healthy',
  unread: 'cannot be read',
  baseline: 'of the old version as baseline',
  idle: 'of the old version idle',
};

/** The instances of a stage by version, a line for each region, as they were read back last. None: nothing was read. */
export function instanceLines(rollout: Rollout, targets: string[]): string[] {
  const regions = new Map<string, Record<Kind, number>>();
  for (const target of targets) {
    const seen = Object.hasOwn(rollout.seen, target) ? rollout.seen[target] : undefined;
    for (const group of seen?.groups ?? []) {
      // Two targets may lie in one region, and one target in several.
      const name =
        group.region === target || targets.length === 1 ? group.region || target : `${target} ${group.region}`;
      const counts = regions.get(name) ?? { new: 0, sick: 0, unread: 0, baseline: 0, idle: 0, old: 0 };
      count(counts, group, rollout.artifact?.digest ?? null);
      regions.set(name, counts);
    }
  }
  const lines = [...regions].map(([name, counts]) => line(name, counts, versionOf(rollout)));
  if (lines.length <= MAX_LINES) return lines;
  const rest: Record<Kind, number> = { new: 0, sick: 0, unread: 0, baseline: 0, idle: 0, old: 0 };
  const left = [...regions.values()].slice(MAX_LINES - 1);
  for (const counts of left) for (const kind of KINDS) rest[kind] += counts[kind];
  return [...lines.slice(0, MAX_LINES - 1), line(`${left.length} more`, rest, versionOf(rollout))];
}

function count(counts: Record<Kind, number>, group: Group, digest: string | null): void {
  const { instances, healthy } = group;
  if (group.digest === null) {
    counts.unread += instances;
    return;
  }
  const kind: Kind =
    group.role === 'baseline' || group.role === 'idle' ? group.role : group.digest === digest ? 'new' : 'old';
  counts[kind] += healthy;
  // What is idle has no users who could be hurt.
  counts[kind === 'idle' ? 'idle' : 'sick'] += Math.max(0, instances - healthy);
}

function line(region: string, counts: Record<Kind, number>, version: string): string {
  const total = KINDS.reduce((sum, kind) => sum + counts[kind], 0);
  const others = (['sick', 'unread', 'baseline', 'idle'] as const)
    .filter((kind) => counts[kind] > 0)
    .map((kind) => `, ${counts[kind]} ${WORDS[kind]}`);
  return `${code(region, 40)} ${squares(counts, total)} ${counts.new} of ${total} run ${code(version)}${others.join('')}`;
}

/** One square an instance; of a large fleet their shares, where even a single one that is otherwise keeps its square. */
function squares(counts: Record<Kind, number>, total: number): string {
  const scale = Math.min(1, MAX_SQUARES / Math.max(1, total));
  const shown = KINDS.map((kind) => ({
    kind,
    many: counts[kind] === 0 ? 0 : Math.max(1, Math.floor(counts[kind] * scale)),
  }));
  // What rounding left over, or took too much, is the largest kind's.
  const largest = shown.reduce((a, b) => (b.many > a.many ? b : a));
  largest.many += Math.min(total, MAX_SQUARES) - shown.reduce((sum, one) => sum + one.many, 0);
  return shown.map(({ kind, many }) => SQUARES[kind].repeat(many)).join('');
}
