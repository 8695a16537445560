import { type ChildProcess, spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';

const PROGRAM = fileURLToPath(new URL('./keeper-program.ts', import.meta.url));

export type Keeper = {
  /** This process group is ended when Belay is gone. */
  watch(group: number): void;
  forget(group: number): void;
  stop(): void;
};

/** One process for all of them that outlives Belay by a moment, to end what a killed Belay leaves behind. */
export function createKeeper(): Keeper {
  const watched = new Set<number>();
  let current: ChildProcess | null = null;
  const say = (message: { watch: number } | { forget: number }) => {
    if (current?.connected) current.send(message, () => {});
  };

  function begin(): void {
    const keeper = spawn(process.execPath, [PROGRAM], {
      cwd: '/',
      env: {},
      // Not in Belay's group, so that a Ctrl-C does not reach it.
      detached: true,
      stdio: ['ignore', 'ignore', 'ignore', 'ipc'],
    });
    current = keeper;
    keeper.unref();
    (keeper.channel as { unref(): void } | null)?.unref();
    const gone = () => {
      if (current === keeper) current = null;
    };
    keeper.on('error', gone);
    keeper.on('exit', gone);
    for (const group of watched) say({ watch: group });
  }

  return {
    watch(group: number): void {
      watched.add(group);
      if (current) say({ watch: group });
      else begin();
    },
    forget(group: number): void {
      watched.delete(group);
      say({ forget: group });
    },
    stop(): void {
      if (current?.connected) current.disconnect();
    },
  };
}
