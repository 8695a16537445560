import { existsSync } from 'node:fs';
import { openDatabase } from '../store/database.ts';
import { lockDatabase } from '../store/lock.ts';
import { migrate as applyMigrations, migrationState, migrations } from '../store/migrate.ts';
import { answer, type Command, EXIT } from './command.ts';
import { readInstallation, refuseConfiguration } from './ready.ts';

export const migrate: Command = {
  name: 'migrate',
  summary: 'Bring the database to the schema of this version',
  usage: 'belay migrate [--dry-run] [--config <path>] [--json]',
  details:
    'Applies the migrations that the database does not have yet, each in a transaction of its own. Belay must not be ' +
    'running; back up the file first. Rollouts in flight are kept. A database newer than this version is refused.',
  options: { 'dry-run': { type: 'boolean', description: 'Say what would be applied, and change nothing.' } },
  positionals: { min: 0, max: 0 },
  async run(given, io) {
    const read = readInstallation(given, io, { environment: false });
    if ('problems' in read) return refuseConfiguration(given, io, read.problems);
    const path = read.installation.database;
    const isDry = given.values['dry-run'] === true;
    if (isDry && !existsSync(path)) {
      const pending = migrations().map((one) => one.name);
      answer(given, io, { ok: true, applied: [], pending }, lines(path, 'Would be applied', pending));
      return EXIT.ok;
    }
    const database = openDatabase(path);
    try {
      using _ = isDry ? null : lockDatabase(path);
      const before = migrationState(database.raw);
      const applied = isDry ? [] : applyMigrations(database.raw, Date.now());
      const pending = isDry ? before.pending : [];
      const told = isDry ? lines(path, 'Would be applied', pending) : lines(path, 'Applied', applied);
      answer(given, io, { ok: true, applied, pending }, told);
      return EXIT.ok;
    } finally {
      await database.close();
    }
  },
};

function lines(path: string, what: string, names: string[]): string[] {
  return names.length === 0 ? [`${path} is up to date.`] : names.map((name) => `${what} to ${path}: ${name}`);
}
