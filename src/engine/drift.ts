import { type DriftCase, type DriftEvent, isOpen } from '../core/drift-case.ts';
import { laneOf, type ServiceSpec } from '../core/pipeline.ts';
import type { Observation } from '../core/target.ts';
import { isBusy } from './busy.ts';
import type { Clock } from './clock.ts';
import { turn } from './drift-turn.ts';
import type { Engine, EngineLog } from './engine.ts';
import type { Ledger, Placement } from './ledger.ts';

export type DriftWatchOptions = {
  services: ServiceSpec[];
  ledger: Ledger;
  /** Reads every instance of a target back; throws when it cannot. */
  observe(service: ServiceSpec, target: string, signal: AbortSignal): Promise<Observation>;
  engine: Pick<Engine, 'kick'>;
  clock: Clock;
  log: EngineLog;
  /** How long one look may take, in milliseconds. */
  timeoutMs?: number;
  /** How many looks may be under way at once. */
  concurrency?: number;
};

const TIMEOUT_MS = 15_000;
const CONCURRENCY = 8;
/** When something is known to have happened, a target is looked at this soon after the last look. */
const SOON_MS = 5000;

/** What came of one look. `skipped`: there was nothing to look for, or a rollout works there. */
export type Look = 'agrees' | 'drifted' | 'unreachable' | 'skipped';

export type DriftWatch = ReturnType<typeof createDriftWatch>;

type Watched = { service: ServiceSpec; placement: Placement };

/**
 * Compares between deploys what runs with what is recorded. Never throws: a platform that does not answer is said as that,
 * and asked again at its next turn. All that is known is in the database, so a restart goes on where it was.
 */
export function createDriftWatch(options: DriftWatchOptions) {
  const { services, ledger, clock, log } = options;
  const timeoutMs = options.timeoutMs ?? TIMEOUT_MS;
  const lookedAtMs = new Map<string, number>();
  /** Until when nothing of a lane can be due: asking the database every few seconds would cost more than looking does. */
  const restsUntilMs = new Map<string, number>();
  const underWay = new Set<string>();

  /** Looks at every target whose time has come, once, however many turns were missed. Answers how many were looked at. */
  async function tick(): Promise<number> {
    try {
      const due: Watched[] = [];
      for (const service of services) if (service.driftEveryMs !== null) due.push(...(await dueOf(service)));
      const looks = await inTurns(due, options.concurrency ?? CONCURRENCY, lookSafely);
      return looks.filter((one) => one !== 'skipped').length;
    } catch (error) {
      log.error({ detail: detailOf(error) }, 'what drifted could not be looked for');
      return 0;
    }
  }

  /** One look at one target now, whenever its turn is. */
  async function look(service: string, target: string): Promise<Look> {
    const watched = (await watchedOf(services.filter((one) => one.name === service))).find(
      (one) => one.placement.target === target,
    );
    return watched ? lookSafely(watched) : 'skipped';
  }

  async function watchedOf(specs: ServiceSpec[]): Promise<Watched[]> {
    const all: Watched[] = [];
    for (const service of specs) {
      for (const placement of await ledger.placements(service.name)) {
        const stage = service.stages.find((one) => one.name === placement.stage);
        const isConfigured = stage?.steps.some((step) => step.targets.includes(placement.target));
        if (isConfigured && !stage?.isEphemeral) all.push({ service, placement });
      }
    }
    return all;
  }

  async function dueOf(service: ServiceSpec): Promise<Watched[]> {
    const nowMs = clock.now();
    const everyMs = service.driftEveryMs ?? 0;
    const restMs = (restsUntilMs.get(laneOf(service)) ?? 0) - nowMs;
    // More rest than a whole turn is a clock that was set back.
    if (restMs > 0 && restMs <= everyMs) return [];
    const cases = await ledger.drifts(service.name);
    const watched = await watchedOf([service]);
    const due = watched.filter(({ placement }) => {
      const known = cases.find((one) => one.target === placement.target);
      const lastMs = lookedAtMs.get(keyOf(service, placement));
      const waitedMs = lastMs === undefined ? Number.POSITIVE_INFINITY : nowMs - lastMs;
      // A clock that was set back makes nobody wait longer than usual.
      if (waitedMs < 0 || waitedMs >= everyMs) return true;
      return waitedMs >= SOON_MS && known !== undefined && isOpen(known) && isNews(known, placement, nowMs);
    });
    if (due.length === 0 && !cases.some(isOpen)) {
      const last = watched.map(({ placement }) => lookedAtMs.get(keyOf(service, placement)) ?? nowMs);
      restsUntilMs.set(laneOf(service), Math.min(nowMs, ...last) + everyMs);
    }
    return due;
  }

  async function lookSafely(watched: Watched): Promise<Look> {
    const key = keyOf(watched.service, watched.placement);
    if (underWay.has(key)) return 'skipped';
    underWay.add(key);
    try {
      const outcome = await lookAt(watched);
      lookedAtMs.set(key, clock.now());
      if (outcome === 'drifted') restsUntilMs.delete(laneOf(watched.service));
      return outcome;
    } catch (error) {
      log.error({ target: key, detail: detailOf(error) }, 'a look for drift could not be recorded');
      return 'skipped';
    } finally {
      underWay.delete(key);
    }
  }

  async function lookAt({ service, placement }: Watched): Promise<Look> {
    const { target } = placement;
    if ((await ledger.drift(service.name, target))?.phase.is === 'ignored') {
      await ledger.write((tx) => turn(tx, service, placement, { type: 'expired', atMs: clock.now() }));
    }
    if (await isBusy(ledger, services, service.name, target)) return 'skipped';
    let event: DriftEvent;
    try {
      const observation = await observeInTime(service, target);
      event = { type: 'looked', atMs: clock.now(), recorded: placement, observation, isTold: true };
    } catch (error) {
      const detail = detailOf(error);
      log.warn(
        { service: service.name, target, detail },
        'a target could not be looked at: whether it drifted is not known',
      );
      event = { type: 'missed', atMs: clock.now(), detail };
    }
    const next = await ledger.write(async (tx) => {
      // What was placed or begun while the platform answered makes the answer old.
      const now = (await tx.placements(service.name)).find((one) => one.target === target);
      const isOld = now?.rolloutId !== placement.rolloutId || now.atMs !== placement.atMs;
      if (isOld || (await isBusy(tx, services, service.name, target))) return null;
      return turn(tx, service, placement, event);
    });
    options.engine.kick();
    if (next === null) return 'skipped';
    if (event.type === 'missed') return 'unreachable';
    return isOpen(next) ? 'drifted' : 'agrees';
  }

  /** Without an answer in time the look ends, also where the provider does not heed its signal. */
  async function observeInTime(service: ServiceSpec, target: string): Promise<Observation> {
    const overdue = new AbortController();
    const answered = new AbortController();
    const late = clock.wait(timeoutMs, answered.signal).then((): never => {
      overdue.abort();
      throw new Error(`no answer within ${timeoutMs} ms`);
    });
    // It also ends, unheard, when the answer came in time.
    late.catch(() => {});
    try {
      return await Promise.race([options.observe(service, target, overdue.signal), late]);
    } finally {
      answered.abort();
    }
  }

  return { tick, look };
}

/** Something is known that a look soon can answer: a rollout ended there, or somebody's time is over. */
function isNews({ phase, recorded }: DriftCase, placement: Placement, nowMs: number): boolean {
  if (phase.is === 'fixing' || recorded.rolloutId !== placement.rolloutId) return true;
  return phase.is === 'ignored' && nowMs >= phase.untilMs;
}

/** `work` on each, at most `limit` at a time. */
async function inTurns<One, Done>(all: One[], limit: number, work: (one: One) => Promise<Done>): Promise<Done[]> {
  const done: Done[] = [];
  const rest = all.values();
  const worker = async () => {
    for (const one of rest) done.push(await work(one));
  };
  await Promise.all(Array.from({ length: Math.min(limit, all.length) }, worker));
  return done;
}

function keyOf(service: ServiceSpec, placement: Placement): string {
  return `${service.name}/${placement.target}`;
}

function detailOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
