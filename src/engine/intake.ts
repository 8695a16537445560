import type { ServiceSpec } from '../core/pipeline.ts';
import type { Release } from '../core/release.ts';
import { type Commands, headOf } from './commands.ts';
import type { EngineLog } from './engine.ts';
import type { Ledger } from './ledger.ts';

/** What was merged since a commit, oldest first; or that the history since it is gone. */
export type Reading =
  | { is: 'read'; headSha: string; releases: Release[]; hasMore: boolean }
  | { is: 'rewritten'; headSha: string; detail: string };

export type IntakeOptions = {
  services: ServiceSpec[];
  ledger: Ledger;
  commands: Pick<Commands, 'recordMerges'>;
  /** Reads the branch; throws when the source cannot be asked. `sinceSha` null: only where its head is. */
  read(service: ServiceSpec, sinceSha: string | null): Promise<Reading>;
  log: EngineLog;
};

export type Intake = ReturnType<typeof createIntake>;

/**
 * The same work, never twice at once: asked for while it runs, it runs once more afterwards, and everybody who asked
 * waits for that. A failure ends it for all of them.
 */
export function coalesced(work: () => Promise<void>): () => Promise<void> {
  let current: Promise<void> | null = null;
  let isAskedAgain = false;
  return () => {
    isAskedAgain = current !== null;
    current ??= (async () => {
      try {
        do {
          isAskedAgain = false;
          await work();
        } while (isAskedAgain);
      } finally {
        current = null;
      }
    })();
    return current;
  };
}

/**
 * Merges become releases. A webhook, a schedule and a start are all the same hint, "look": what is recorded is what the
 * branch says, so lost, late, doubled and reordered hints end in the same state.
 */
export function createIntake({ services, ledger, commands, read, log }: IntakeOptions) {
  const looks = new Map(services.map((service) => [headOf(service), coalesced(() => lookThrough(service))]));

  /** Reads all that is new on a service's branch. */
  async function lookThrough(service: ServiceSpec): Promise<void> {
    while (await lookOnce(service));
  }

  /** True: there is more than one reading holds. */
  async function lookOnce(service: ServiceSpec): Promise<boolean> {
    const sinceSha = await ledger.head(service.repo, headOf(service));
    const reading = await read(service, sinceSha);
    if (reading.is === 'rewritten') {
      log.error(
        { service: service.name, repo: service.repo, detail: reading.detail },
        'the history of the branch was rewritten: Belay goes on from its new head, and ships what is merged from now on',
      );
      await commands.recordMerges(service, { headSha: reading.headSha, releases: [] });
      return false;
    }
    // Seen for the first time, the branch's head is where Belay begins: it ships merges, not what was there before it.
    const releases = sinceSha === null ? [] : reading.releases;
    if (releases.length > 0 || reading.headSha !== sinceSha) {
      await commands.recordMerges(service, { headSha: reading.headSha, releases });
    }
    return sinceSha !== null && reading.hasMore;
  }

  /** Looks at every service of these repositories (null: of all). True: each could be read. */
  async function lookAt(repos: string[] | null): Promise<boolean> {
    const concerned = services.filter((service) => repos === null || repos.includes(service.repo));
    const results = await Promise.allSettled(concerned.map((service) => looks.get(headOf(service))?.()));
    for (const [index, result] of results.entries()) {
      if (result.status === 'fulfilled') continue;
      const service = concerned[index]?.name;
      log.warn(
        { service, detail: String(result.reason) },
        'the repository could not be read; it is read again by schedule',
      );
    }
    return results.every((result) => result.status === 'fulfilled');
  }

  return { lookAt };
}
