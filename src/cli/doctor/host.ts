import { existsSync, readFileSync } from 'node:fs';
import { findPackageJSON } from 'node:module';
import { verifyAudit } from '../../store/audit.ts';
import { type Database, openDatabase } from '../../store/database.ts';
import { driftReader } from '../../store/drifts.ts';
import { migrationState, migrations } from '../../store/migrate.ts';
import type { Ready } from '../command.ts';
import type { Finding } from './finding.ts';

const MIN_NODE = [22, 18, 0];
/** Below it Bolt let requests without a signature pass. */
const MIN_BOLT = [4, 7, 3];

/** The programs that Belay is made of. */
export function hostChecks(): Finding[] {
  return [
    versionFinding('Node', process.versions.node, MIN_NODE, 'install Node 24'),
    versionFinding('Bolt', boltVersion(), MIN_BOLT, 'run npm ci: older ones take requests without a signature'),
  ];
}

function versionFinding(name: string, found: string, least: number[], fix: string): Finding {
  const parts = found.split('.').map(Number);
  const differs = least.findIndex((part, index) => parts[index] !== part);
  // Written so that a version that cannot be read (NaN) is not well.
  const ok = differs < 0 || (parts[differs] ?? 0) > (least[differs] ?? 0);
  return { name, ok, detail: found, fix: ok ? null : `at least ${least.join('.')}: ${fix}` };
}

function boltVersion(): string {
  const path = findPackageJSON('@slack/bolt', import.meta.url);
  const read: unknown = path === undefined ? null : JSON.parse(readFileSync(path, 'utf8'));
  return read !== null && typeof read === 'object' && 'version' in read ? String(read.version) : 'not installed';
}

/** Every row of the audit is as it was written, and none between them is missing. */
async function auditFinding(database: Database['reader']): Promise<Finding> {
  const { rows, head, problems } = await verifyAudit(database);
  const [first] = problems;
  const detail = first ? `row ${first.seq}: ${first.problem}` : `${rows} rows, head ${head.slice(0, 12)}`;
  const fix = first ? 'somebody changed the audit: keep the file as evidence and compare it with a backup' : null;
  return { name: 'Audit', ok: problems.length === 0, detail, fix };
}

/** What was found between deploys that nobody has put off: by target, from the last looks of the running Belay. */
async function driftFinding(database: Database['reader']): Promise<Finding> {
  const known = await driftReader(database).drifts(null);
  const drifted = known.filter(({ phase }) => phase.is === 'open' || phase.is === 'fixing');
  const names = drifted.slice(0, 10).map(({ service, target }) => `${service} on ${target}`);
  const rest = drifted.length > names.length ? ` and ${drifted.length - names.length} more` : '';
  const fix = 'its message in the channel says what runs there and what can be done; see docs/operations.md';
  return drifted.length === 0
    ? { name: 'Drift', ok: true, detail: `none on ${known.length} targets that were looked at`, fix: null }
    : { name: 'Drift', ok: false, detail: `something else than is recorded: ${names.join(', ')}${rest}`, fix };
}

/** The database opens, and has the schema of this version. */
export async function databaseChecks({ installation }: Ready): Promise<Finding[]> {
  const name = 'Database';
  const path = installation.database;
  if (!existsSync(path)) {
    const detail = `${path} is not there yet, ${migrations().length} migrations will make it`;
    return [{ name, ok: true, detail, fix: null }];
  }
  try {
    const database = openDatabase(path);
    try {
      const { applied, pending } = migrationState(database.raw);
      const detail = `${path}, ${applied.length} migrations applied, ${pending.length} pending`;
      const schema = { name, ok: pending.length === 0, detail, fix: pending.length === 0 ? null : 'run belay migrate' };
      if (pending.length > 0) return [schema];
      return [schema, await auditFinding(database.reader), await driftFinding(database.reader)];
    } finally {
      await database.close();
    }
  } catch (error) {
    return [{ name, ok: false, detail: 'cannot be used', fix: error instanceof Error ? error.message : String(error) }];
  }
}
