import type { CheckKind } from './check.ts';
import { command } from './command.ts';
import { http } from './http.ts';
import { load } from './load.ts';
import { workflow } from './workflow.ts';

/** Every kind of check by its name in a service file. A new one is a file here and a line below. */
export const CHECKS: Record<string, CheckKind> = { command, http, load, workflow };
