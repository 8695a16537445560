import type { Place, StepSpec } from '../core/pipeline.ts';
import { bakeSpec } from './bake.ts';
import type { WaveFile } from './rollout-schema.ts';
import type { StageFile } from './service-schema.ts';

/** A wave as it was written and what it becomes; `adds` is false when it would change nothing that earlier ones did not. */
export type Wave = {
  index: number;
  parts: Pick<StepSpec, 'targets' | 'share' | 'count' | 'isRegional'>[];
  adds: boolean;
};

/** How far each target certainly is once the canary and the waves are through: 1 is every instance. */
export type Reach = Map<string, number>;

const ALL_OF_IT = { count: null, isRegional: false } as const;

/** The waves that a stage has, also when it does not write any. */
export function wavesOf(stage: StageFile): WaveFile[] {
  return stage.rollout?.waves ?? [stage.rollout?.canary ? 'regions' : 'rest'];
}

/** The waves of a stage in order, each with the targets that it takes and how far that brings them. */
export function expand(stage: StageFile, places: Record<string, Place>): { waves: Wave[]; reach: Reach } {
  const targets = [...new Set(stage.targets)];
  const reach: Reach = new Map(targets.map((target) => [target, stage.rollout?.canary?.share ?? 0]));
  const counted = new Map<string, number>();
  const left = () => targets.filter((target) => (reach.get(target) ?? 0) < 1);
  const waves = wavesOf(stage).map((written, index): Wave => {
    const parts = partsOf(written, targets, left(), places);
    const adds = parts.some((part) => isMore(part, reach, counted));
    for (const part of parts) {
      if (part.count !== null) counted.set(part.targets.join(), part.count);
      else for (const target of part.targets) reach.set(target, Math.max(reach.get(target) ?? 0, part.share));
    }
    return { index, parts, adds };
  });
  return { waves, reach };
}

function isMore({ targets, share, count }: Wave['parts'][number], reach: Reach, counted: Map<string, number>): boolean {
  if (count !== null && count <= (counted.get(targets.join()) ?? 0)) return false;
  return targets.some((target) => (reach.get(target) ?? 0) < (count === null ? share : 1));
}

function partsOf(written: WaveFile, all: string[], left: string[], places: Record<string, Place>): Wave['parts'] {
  if (written === 'rest') return left.length > 0 ? [{ targets: left, share: 1, ...ALL_OF_IT }] : [];
  if (written === 'regions') {
    const regions = Map.groupBy(left, (target) => places[target]?.region ?? target);
    return [...regions.values()].map((targets) => ({ targets, share: 1, count: null, isRegional: true }));
  }
  if (typeof written === 'number') return [{ targets: all, share: written, ...ALL_OF_IT }];
  const targets = chosen(written, all, places);
  if (targets.length === 0) return [];
  return [{ targets, share: written.share ?? 1, count: written.count ?? null, isRegional: false }];
}

/** The targets of the stage that are all that a wave says. */
export function chosen(
  { targets, region, country, ring }: Exclude<WaveFile, string | number>,
  all: string[],
  places: Record<string, Place>,
): string[] {
  return all.filter((target) => {
    const place = places[target];
    return (
      (targets === undefined || targets.includes(target)) &&
      (region === undefined || place?.region === region) &&
      (country === undefined || place?.country === country) &&
      (ring === undefined || place?.ring === ring)
    );
  });
}

/** The steps of a stage, as they are written; the plan puts the regional ones in order. */
export function stepsOf(stage: StageFile, places: Record<string, Place>, trafficCycleMs: number | null): StepSpec[] {
  const { onDegraded } = stage;
  const targets = [...new Set(stage.targets)];
  const bake = bakeSpec(stage.bake);
  const whole = { targets, share: 1, ...ALL_OF_IT, deploys: 'release', hasBaseline: false, bake, onDegraded } as const;
  if (stage.kind === 'upgrade-downgrade') {
    return [
      { ...whole, name: 'upgrade', kind: 'upgrade' },
      { ...whole, name: 'downgrade', kind: 'downgrade', deploys: 'before' },
      { ...whole, name: 'upgrade again', kind: 'upgrade' },
    ];
  }
  const canary = stage.rollout?.canary;
  if (!canary && !stage.rollout?.waves) return [{ ...whole, name: 'all', kind: 'all' }];
  const waves = expand(stage, places).waves.flatMap((wave) => wave.parts);
  const steps = waves.map((part, index): StepSpec => ({ ...whole, ...part, name: `wave ${index + 1}`, kind: 'wave' }));
  if (!canary) return steps;
  const first: StepSpec = {
    ...whole,
    name: 'canary',
    kind: 'canary',
    share: canary.share,
    hasBaseline: hasFreshBaseline(stage),
    bake: bakeSpec(canary.bake, trafficCycleMs),
    onDegraded: 'rollback',
  };
  return [first, ...steps];
}

/** Whether the stage's canary has fresh instances of the old version beside it. */
export function hasFreshBaseline({ rollout }: StageFile): boolean {
  if (!rollout?.canary) return false;
  return (rollout.canary.baseline ?? (rollout.strategy.is === 'weight' ? 'fresh' : 'none')) === 'fresh';
}
