import { type Check, readCheckRuns, readChecks } from './checks.ts';
import type { GithubClient } from './client.ts';

/** The check run with which a workflow names what it built; see docs/artifact.md. */
export const ARTIFACT_CHECK = 'belay/artifact';

export type Build =
  | { is: 'running' }
  | { is: 'built'; digest: string; url: string | null }
  | { is: 'failed'; detail: string; url: string | null };

/**
 * How the repository's own build of a commit stands. Built only when the awaited check (null: every one, and at least
 * one) passed and exactly one digest is named. Throws `SourceUnavailable`.
 */
export async function watchBuild(
  client: GithubClient,
  request: { repo: string; sha: string; check: string | null },
): Promise<Build> {
  const checks = await readChecks(client, request.repo, request.sha);
  // All of them, not only the newest: a second one that names something else must not win unseen.
  const naming = await readCheckRuns(client, request.repo, request.sha, { filter: 'all', check_name: ARTIFACT_CHECK });
  return judgeBuild(checks, naming, request.check);
}

/** The rules of `watchBuild`, over what was read. */
function judgeBuild(checks: Check[], naming: Check[], name: string | null): Build {
  const others = checks.filter((check) => check.name !== ARTIFACT_CHECK);
  const awaited = name === null ? others : others.filter((check) => check.name === name);
  const failed = [...awaited, ...naming].find(
    (check) => check.is === 'failed' || (check.is === 'passed-over' && check.name === name),
  );
  if (failed) return { is: 'failed', detail: `${failed.name}: ${failed.ended ?? 'failed'}`, url: failed.url };
  if (awaited.some((check) => check.is === 'running') || !awaited.some((check) => check.is === 'passed')) {
    return { is: 'running' };
  }
  const url = awaited.find((check) => check.is === 'passed')?.url ?? null;
  const titles = new Set(naming.filter((check) => check.is === 'passed').map((check) => check.title ?? ''));
  const [digest] = titles;
  if (digest === undefined) {
    // It may still be named by a job that runs.
    if (checks.some((check) => check.is === 'running')) return { is: 'running' };
    return {
      is: 'failed',
      detail: `No artifact was named: let the workflow create a check run ${ARTIFACT_CHECK} whose title is sha256:…`,
      url,
    };
  }
  if (titles.size > 1) {
    return { is: 'failed', detail: `${titles.size} different artifacts are named by ${ARTIFACT_CHECK}`, url };
  }
  if (!/^sha256:[0-9a-f]{64}$/.test(digest)) {
    const detail = `The title of ${ARTIFACT_CHECK} should be sha256: and 64 hexadecimal digits; found ${digest.slice(0, 80)}`;
    return { is: 'failed', detail, url };
  }
  return { is: 'built', digest, url };
}
