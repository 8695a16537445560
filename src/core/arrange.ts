import type { StageSpec, StepSpec } from './pipeline.ts';

/** Requests a second by target; a target that is not in it could not be read. */
export type Loads = Record<string, number>;

/** Loads up to this quotient are the same: a little more traffic must not make another plan. */
const SAME_LOAD = 1.1;

/**
 * The stage with its regional waves in the order that it asks for and as many together as it says. Without the load of
 * every one of their targets they stay as they were written.
 */
export function arrange(stage: StageSpec, loads: Loads): StageSpec {
  if (!stage.steps.some((step) => step.isRegional)) return stage;
  const steps: StepSpec[] = [];
  let run: StepSpec[] = [];
  for (const step of [...stage.steps, null]) {
    if (step?.isRegional) {
      run.push(step);
      continue;
    }
    steps.push(...together(ordered(stage, run, loads), stage.regionsAtOnce));
    if (step) steps.push(step);
    run = [];
  }
  return { ...stage, steps: numbered(steps) };
}

/** Targets of regional waves whose order hangs on a load that is not known. */
export function unorderedTargets(stage: StageSpec, loads: Loads): string[] {
  if (stage.order !== 'least-traffic-first') return [];
  const targets = stage.steps.filter((step) => step.isRegional).flatMap((step) => step.targets);
  return targets.filter((target) => !Object.hasOwn(loads, target));
}

function ordered(stage: StageSpec, run: StepSpec[], loads: Loads): StepSpec[] {
  if (stage.order !== 'least-traffic-first' || unorderedTargets({ ...stage, steps: run }, loads).length > 0) return run;
  const loadOf = ({ targets }: StepSpec) => targets.reduce((sum, target) => sum + (loads[target] ?? 0), 0);
  const order: StepSpec[] = [];
  for (const step of run) {
    // Insertion, because "about the same" is no order: a wave goes ahead only of those with clearly more traffic.
    const after = order.findLastIndex((placed) => loadOf(placed) <= loadOf(step) * SAME_LOAD);
    order.splice(after + 1, 0, step);
  }
  return order;
}

/** `atOnce`: how many go together first, second, …; the last one stands for the rest. */
function together(run: StepSpec[], atOnce: number[]): StepSpec[] {
  const merged: StepSpec[] = [];
  for (let from = 0; from < run.length; ) {
    const many = Math.max(1, atOnce[merged.length] ?? atOnce.at(-1) ?? 1);
    const group = run.slice(from, from + many);
    const [first] = group;
    if (first) merged.push({ ...first, targets: group.flatMap((step) => step.targets) });
    from += many;
  }
  return merged;
}

function numbered(steps: StepSpec[]): StepSpec[] {
  let wave = 0;
  return steps.map((step) => {
    if (step.kind !== 'wave') return step;
    wave += 1;
    return { ...step, name: `wave ${wave}` };
  });
}
