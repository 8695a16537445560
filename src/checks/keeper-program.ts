/*
 * Ends the programs of checks when Belay is gone, however it ended: also by kill -9. Belay says over a channel which
 * process groups there are; when the channel closes, those that are left are asked to end and then killed.
 */
const GRACE_MS = 2_000;
const groups = new Set<number>();

function tellAll(signal: NodeJS.Signals): void {
  for (const group of groups) {
    try {
      process.kill(-group, signal);
    } catch {
      groups.delete(group);
    }
  }
}

// A supervisor that ends Belay may ask everything that it started to end; this ends by itself, as the last.
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => {});

process.on('message', (message: { watch: number } | { forget: number }) => {
  if ('watch' in message) groups.add(message.watch);
  else groups.delete(message.forget);
});

process.on('disconnect', () => {
  tellAll('SIGTERM');
  if (groups.size === 0) process.exit();
  setTimeout(() => {
    tellAll('SIGKILL');
    process.exit();
  }, GRACE_MS);
});
