import { systemClock } from '../src/engine/clock.ts';
import { createEngine } from '../src/engine/engine.ts';
import { copyOf, openStore, rolloutIn, SILENT } from './world.ts';

/**
 * A Belay that dies: `restart-writer.ts <database> <rollouts>` fills the database with rollouts that each owe a look at
 * their build, begins to perform, says so, and waits to be killed.
 */
const [, , path = '', count = '0'] = process.argv;
const template = await rolloutIn('building');
const store = openStore(path);
await Promise.all(
  Array.from({ length: Number(count) }, (_, n) =>
    store.ledger.write(async (tx) => {
      const rollout = copyOf(template, n);
      const { repo, sha } = rollout.release;
      const { generation } = rollout;
      const key = `${rollout.id}/${generation}/watch-build`;
      await tx.saveRollout(rollout);
      await tx.owe(rollout, { kind: 'watch-build', key, generation, afterMs: 0, repo, sha, check: null }, Date.now());
    }),
  ),
);
const underWay = Promise.withResolvers<void>();
let started = 0;
const engine = createEngine({
  ledger: store.ledger,
  perform: () => {
    started += 1;
    if (started === 64) underWay.resolve();
    return new Promise(() => {});
  },
  clock: systemClock,
  log: SILENT,
});
void engine.run(new AbortController().signal);
await underWay.promise;
process.stdout.write('under way\n');
setInterval(() => {}, 60_000);
