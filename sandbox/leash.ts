import { spawn } from 'node:child_process';

/*
 * Runs one program and ends it when whoever asked for it is gone, however that one ended: also by kill -9. For programs
 * that, unlike the fleet's instances, know nothing of the sandbox. Arguments: the program and its own.
 */
const [program = '', ...args] = process.argv.slice(2);
const child = spawn(program, args, { stdio: ['ignore', 'inherit', 'inherit'] });

// A Ctrl-C reaches the whole group. The program ends by itself then, and how it did must still be told.
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => {});

// That nobody hears it any more must not end this before the program.
child.on('spawn', () => process.send?.({ pid: child.pid }, () => {}));
child.on('error', (error) => {
  console.error(`${program} cannot be run: ${error.message}`);
  process.exit(127);
});
child.on('exit', (code, signal) => {
  process.exitCode = code ?? 1;
  if (process.connected) process.send?.({ code, signal }, () => process.exit());
  else process.exit();
});
process.on('disconnect', () => child.kill('SIGKILL'));
// It may have gone while this was starting, and nobody heard of it.
if (!process.connected) child.kill('SIGKILL');
