import type { Rollout } from '../core/rollout.ts';
import { upcastRollout } from '../core/upcast.ts';

/** One state, whichever version of Belay wrote it. */
export function readState(text: string): Rollout {
  return upcastRollout(JSON.parse(text) as Rollout);
}

/** Enough for all that move at once; a rollout that only waits needs no memory. */
const REMEMBERED = 256;

/**
 * Rollouts as text and back. The newest are remembered with their text, so that a state that was written or read a
 * moment ago is not parsed again: the same text is the same state, whoever wrote it, and nobody changes a rollout in place.
 */
export class States {
  #known = new Map<string, { text: string; rollout: Rollout }>();

  read(text: string, id: string): Rollout {
    const known = this.#known.get(id);
    if (known?.text === text) return known.rollout;
    const rollout = readState(text);
    this.#remember(text, rollout);
    return rollout;
  }

  write(rollout: Rollout): string {
    const text = JSON.stringify(rollout);
    this.#remember(text, rollout);
    return text;
  }

  #remember(text: string, rollout: Rollout): void {
    this.#known.delete(rollout.id);
    this.#known.set(rollout.id, { text, rollout });
    for (const oldest of this.#known.keys()) {
      if (this.#known.size <= REMEMBERED) break;
      this.#known.delete(oldest);
    }
  }
}
