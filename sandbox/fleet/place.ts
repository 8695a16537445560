import type { Wish } from '../../src/core/strategy/ground.ts';
import { type ChangeState, type Changes, createChanges } from './changes.ts';
import type { FleetTarget } from './fleet-target.ts';

/** A change as the platform's API received it. */
export type WishedChange = { wish: Wish; key: string; generation: number };

/** A name under which a target is, or was, or can be. Its keys and its fence outlive what is there. */
export type Place = {
  readonly name: string;
  /** Never made anew and never removed. */
  readonly isPermanent: boolean;
  /** null: an environment that is not there. */
  target(): FleetTarget | null;
  /** Each starts the change, or says how the one with this key stands. */
  change(wished: WishedChange): ChangeState;
  make(key: string, generation: number): ChangeState;
  remove(key: string, generation: number): ChangeState;
  stop(): Promise<void>;
};

/** `start`: makes what is there, with what runs at the start; null: nothing yet. */
export function createPlace(
  name: string,
  isPermanent: boolean,
  start: (changes: Changes) => Promise<FleetTarget>,
): Place & { open(): Promise<void> } {
  const changes = createChanges();
  let target: FleetTarget | null = null;

  async function end(): Promise<void> {
    const ending = target;
    target = null;
    await ending?.stop();
  }

  return {
    name,
    isPermanent,
    target: () => target,
    async open() {
      target = await start(changes);
    },
    change: ({ wish, key, generation }) =>
      changes.ask({ key, generation, what: JSON.stringify(wish) }, async (isOvertaken) =>
        target ? target.change(wish, isOvertaken) : `There is no environment ${name}: it has to be made first.`,
      ),
    make: (key, generation) =>
      changes.ask({ key, generation, what: 'make' }, async () => {
        await end();
        target = await start(changes);
        return null;
      }),
    remove: (key, generation) =>
      changes.ask({ key, generation, what: 'remove' }, async () => {
        await end();
        return null;
      }),
    async stop() {
      await changes.stop();
      await end();
    },
  };
}
