import { createChildren } from '../../src/checks/children.ts';

/* Starts a program as a check does, says its number, and waits to be killed. */
const end = createChildren().ask('left-behind', () => ({
  argv: [process.execPath, '-e', process.argv[2] ?? ''],
  cwd: process.cwd(),
  env: {},
  deadlineMs: 600_000,
}));
console.log(end.why);
setInterval(() => {}, 1000);
