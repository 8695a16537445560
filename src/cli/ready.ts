import { CHECKS } from '../checks/index.ts';
import type { Kinds } from '../config/belay-schema.ts';
import { loadInstallation } from '../config/config.ts';
import { readSecrets, readSettings, type Settings } from '../config/env.ts';
import type { Installation } from '../config/installation.ts';
import { type Problem, problemText } from '../config/problem.ts';
import { SOURCES } from '../health/index.ts';
import { PROVIDERS } from '../providers/index.ts';
import { answer, EXIT, type Given, type Io, type Ready, textOf } from './command.ts';

/** The kinds that this Belay knows. */
export const KINDS: Kinds = { providers: PROVIDERS, sources: SOURCES, checks: CHECKS };

/** The settings and the installation, without secrets; or everything that is wrong with both. */
export function readInstallation(
  given: Given,
  io: Io,
  needs: { environment: boolean } = { environment: true },
): { settings: Settings; installation: Installation } | { problems: Problem[] } {
  const read = readSettings(io.variables);
  const path = textOf(given, 'config') ?? ('settings' in read ? read.settings.configPath : './belay.yml');
  const loaded = loadInstallation(path, needs.environment ? io.variables : null, KINDS);
  const problems = [read, loaded].flatMap((one) => ('problems' in one ? one.problems : []));
  if ('problems' in read || 'problems' in loaded) return { problems };
  return { settings: { ...read.settings, configPath: path }, installation: loaded.installation };
}

/** Everything that a running Belay needs; or everything that is wrong, in the files and in the environment, at once. */
export function makeReady(given: Given, io: Io): Ready | { problems: Problem[] } {
  const read = readInstallation(given, io);
  // Without an installation the mode is not known: the default one is asked for, since that is most likely meant.
  const mode = 'installation' in read ? read.installation.slack.mode : 'socket';
  const secrets = readSecrets(io.variables, mode);
  if ('problems' in read || 'problems' in secrets) {
    return { problems: [read, secrets].flatMap((one) => ('problems' in one ? one.problems : [])) };
  }
  return { ...read, secrets: secrets.secrets, variables: io.variables };
}

/** Says what is wrong with the configuration and answers the exit code for it. */
export function refuseConfiguration(given: Given, io: Io, problems: Problem[]): number {
  const count = problems.length === 1 ? 'One problem' : `${problems.length} problems`;
  if (given.values.json) answer(given, io, { ok: false, problems }, []);
  else for (const line of [...problems.map(problemText), `${count} in the configuration.`]) io.err(line);
  return EXIT.configuration;
}
