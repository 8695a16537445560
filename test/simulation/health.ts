import type { Measurement } from '../../src/core/judge/signal.ts';
import type { Question } from '../../src/health/source.ts';
import type { PlantedBug } from './planted-bug.ts';
import type { Random } from './random.ts';
import type { SimulatedClock } from './simulated-clock.ts';
import { PER_INSTANCE } from './simulated-service.ts';

/** What was really there when it was asked, whatever was made of it. */
export type Truth = {
  signal: string;
  is: 'good' | 'bad' | 'between' | 'missing';
  digest: string;
  takenAtMs: number;
  /** The number, where it is one. */
  value: number | null;
};

type Shown = Exclude<Truth['is'], 'missing'>;

const VALUES: Record<Shown, number> = { good: 0.001, between: 0.02, bad: 0.2 };
const ENOUGH = 500;

/** How a release behaves once it runs. */
export type Conduct = {
  /** By signal; what is not named is good. */
  shows: Partial<Record<string, Shown>>;
  /** It begins to after so many looks. */
  afterLooks: number;
};

/** The numbers that the sources answer, and how they really were. */
export class Health {
  /** By the key of the effect that looked: the newest try. */
  readonly looks = new Map<string, Truth[]>();
  /** Neighbours that are ill by themselves. */
  readonly ill = new Set<string>();
  /** Users have gone home: too few requests to tell. */
  isQuiet = false;
  /** Requests a second on each target; null: the source has no number. */
  load: number | null = 1.5 * PER_INSTANCE;
  #looksAt = new Map<string, number>();
  #random: Random;
  #clock: SimulatedClock;
  #bug: PlantedBug | null;
  #conductOf: (digest: string) => Conduct;

  constructor(random: Random, clock: SimulatedClock, bug: PlantedBug | null, conductOf: (digest: string) => Conduct) {
    this.#random = random;
    this.#clock = clock;
    this.#bug = bug;
    this.#conductOf = conductOf;
  }

  /** A look begins: what an earlier try of it saw does not count. `key`: the effect that looks. */
  begin(key: string): void {
    this.looks.delete(key);
  }

  measure(question: Question, key: string, isTroubled: boolean): Measurement {
    const { signal, digest } = question;
    const note = (is: Truth['is'], value: number | null, takenAtMs = this.#clock.nowMs): void => {
      const seen = this.looks.get(key) ?? [];
      this.looks.set(key, seen);
      seen.push({ signal, is, digest, takenAtMs, value });
    };
    if (isTroubled) return this.#measureInTrouble(question, note);
    if (signal === 'load') {
      note(this.load === null ? 'missing' : 'good', this.load);
      return this.load === null ? missing(signal, 'no-data') : this.#found(signal, this.load);
    }
    const shown = this.#shown(question);
    const value = numberFor(signal, shown);
    note(shown, value);
    return this.#found(signal, value);
  }

  #shown({ signal, digest, service }: Question): Shown {
    if (signal === 'traffic') return this.isQuiet ? 'between' : 'good';
    if (this.ill.has(service)) return 'bad';
    const { shows, afterLooks } = this.#conductOf(digest);
    const looked = (this.#looksAt.get(`${digest}/${signal}`) ?? 0) + 1;
    this.#looksAt.set(`${digest}/${signal}`, looked);
    return looked > afterLooks ? (shows[signal] ?? 'good') : 'good';
  }

  /** No usable number, in one of the many ways in which sources do not have one. */
  #measureInTrouble(
    { signal }: Question,
    note: (is: Truth['is'], value: number | null, at?: number) => void,
  ): Measurement {
    const kind = this.#random.pick([
      'no-data',
      'nan',
      'not-a-number',
      'infinite',
      'stale',
      'many-series',
      'throws',
    ] as const);
    const good = numberFor(signal, 'good');
    switch (kind) {
      case 'nan':
      case 'not-a-number': {
        note('missing', null);
        if (this.#bug === 'not-a-number-passes') return this.#found(signal, good);
        return kind === 'nan' ? this.#found(signal, Number.NaN) : missing(signal, 'not-a-number');
      }
      case 'infinite':
        note('missing', null);
        return this.#found(signal, signal === 'traffic' ? Number.POSITIVE_INFINITY : Number.NEGATIVE_INFINITY);
      case 'stale': {
        const takenAtMs = this.#clock.nowMs - 600_000;
        note('good', good, takenAtMs);
        return { ...this.#found(signal, good), takenAtMs };
      }
      case 'many-series':
        note('missing', null);
        return this.#bug === 'last-series-wins' ? this.#found(signal, good) : missing(signal, 'many-series');
      case 'throws':
        note('missing', null);
        throw new Error('no route to the source');
      case 'no-data':
        note('missing', null);
        return missing(signal, 'no-data');
    }
  }

  #found(signal: string, value: number): Extract<Measurement, { value: number }> {
    return { signal, link: null, value, samples: ENOUGH, takenAtMs: this.#clock.nowMs };
  }
}

function numberFor(signal: string, shown: Shown): number {
  if (signal === 'traffic') return shown === 'good' ? 1000 : 3;
  if (signal === 'probe') return shown === 'good' ? 1 : 0;
  return VALUES[shown];
}

function missing(signal: string, code: Extract<Measurement, { value: null }>['missing']): Measurement {
  return { signal, link: null, value: null, missing: code, detail: '' };
}
