import { type BuildEnd, digestOf, startBuilds } from './builds.ts';
import { Deliveries } from './deliveries.ts';
import { type Emulated, startEmulator } from './emulator.ts';
import { type Answer, openGateway } from './gateway.ts';
import { type Files, gitOf } from './git.ts';
import { answerPage } from './page.ts';
import type { Login } from './people.ts';
import { accountOf, type Review, type SandboxPull, showPull } from './pulls.ts';
import { type Activity, answerRoute, type Status, type World } from './routes.ts';
import { Workflows } from './workflows.ts';

export type GithubSandboxOptions = {
  port?: number;
  /** Where deliveries go; without one they are only logged. */
  webhookUrl?: string;
  webhookSecret: string;
  appId: number;
  installationId?: number;
  /** Made by the emulator when left out. */
  privateKey?: string;
  repo?: string;
  /** How long CI takes; null: builds end only by `finishBuild`. */
  buildMs?: number | null;
  now?: () => number;
};

/** An answer that the API gives instead of the real one to the next `count` requests. */
export type ApiFault = { status: number; count: number; headers?: Record<string, string> };

export type GithubSandbox = Awaited<ReturnType<typeof startGithub>>;

/**
 * A GitHub on loopback: the API, an installed app, people, one repository, CI, signed webhooks, and faults.
 *
 * Behind one address are two things. `emulate` keeps git, refs, comparisons, check runs and the app's authentication.
 * The gateway keeps pull requests, reviews, merges, statuses and activity itself: the emulator merges onto the main of when the
 * pull request was opened, has no pull requests by commit and no statuses. Its people's ids come from a counter, and its
 * webhooks carry no unique id, so both are made here. Merges use its git data API: history is real.
 */
export async function startGithub(options: GithubSandboxOptions) {
  const { repo = 'acme/shop', installationId = 4711, now = Date.now } = options;
  const deliveries = new Deliveries(options.webhookSecret);
  const pulls: SandboxPull[] = [];
  const statuses: Status[] = [];
  const activity: Activity[] = [];
  const faults: ApiFault[] = [];
  let emulator: Emulated | null = null;
  const emulated = (): Emulated => {
    if (!emulator) throw new Error('The sandbox is still starting');
    return emulator;
  };
  let url = '';
  const workflows = new Workflows(now);
  const world: World = {
    repo,
    workflows,
    url: () => url,
    emulated,
    pulls,
    statuses,
    activity,
    commitsOf: async (pull) => (await git.diff(pull.baseSha, pull.headSha)).commits,
  };
  const gateway = await openGateway(
    options.port ?? 0,
    async (question) =>
      answerPage(repo, pulls, question.method, question.path) ?? faulty(faults) ?? (await answerRoute(world, question)),
    (question) => emulated().forward(question),
  );
  url = gateway.url;
  emulator = await startEmulator({
    gatewayUrl: () => url,
    repo,
    appId: options.appId,
    installationId,
    privateKey: options.privateKey,
  });
  const { ask } = emulator;
  const repository = await ask('GET', `/repos/${repo}`, null, 'ana');
  const publish = (event: string, payload: Record<string, unknown>, by: Login) =>
    deliveries.publish(event, {
      ...payload,
      repository,
      installation: { id: installationId },
      sender: accountOf(by),
    });
  const announce = (action: string, pull: SandboxPull, by: Login) =>
    publish('pull_request', { action, number: pull.number, pull_request: showPull(pull, url, repo) }, by);
  const git = gitOf(ask, repo, now, (ref, before, after, by) => {
    activity.unshift({ ref, before, after, actor: accountOf(by) });
    publish('push', { ref, before, after, deleted: false }, by);
  });
  const builds = startBuilds(ask, repo, options.buildMs === undefined ? 2000 : options.buildMs, (action, run) =>
    publish('check_run', { action, check_run: run }, 'ana'),
  );
  const initialSha = await git.head('main');
  await builds.finish(initialSha, {});
  // What was there before Belay came is not announced.
  deliveries.log.length = 0;
  deliveries.setUrl(options.webhookUrl ?? null);

  function pullOf(number: number): SandboxPull {
    const pull = pulls.find((one) => one.number === number);
    if (!pull) throw new Error(`No pull request #${number}`);
    return pull;
  }

  function review(number: number, by: Review['by'], state: Review['state'] = 'APPROVED', isInsider = true): void {
    const pull = pullOf(number);
    const id = pulls.reduce((count, one) => count + one.reviews.length, 1);
    pull.reviews.push({ id, by, state, sha: pull.headSha, isInsider });
  }

  async function land(sha: string, by: Login): Promise<string> {
    await git.move('heads/main', sha, by);
    await builds.start(sha);
    return sha;
  }

  return {
    url,
    repo,
    repoId: repository.id as number,
    privateKey: emulator.privateKey,
    appId: options.appId,
    installationId,
    initialSha,
    digestOf,
    git,
    deliveries,
    workflows,
    setWebhookUrl: (to: string | null) => deliveries.setUrl(to),
    pullRequests: (): SandboxPull[] => [...pulls],
    /** The newest status of each context that Belay has put on a commit. */
    statuses: (sha: string): Status[] => statuses.filter((status) => status.sha === sha),
    /** The next requests get this answer. */
    failApi: (fault: ApiFault) => faults.push({ ...fault }),
    /** They get the real one again. */
    mendApi: () => void faults.splice(0),

    async createPullRequest(request: {
      title: string;
      author: Login;
      body?: string;
      files?: Files;
      branch?: string;
      message?: string;
    }): Promise<SandboxPull> {
      const number = pulls.length + 1;
      const { title, author, body = '', branch = `change-${number}` } = request;
      const files = request.files ?? { [`src/change-${number}.ts`]: `export const change${number} = '${number}';\n` };
      const baseSha = await git.head('main');
      const headSha = await git.commit({ parents: [baseSha], files, message: request.message ?? title, author });
      await git.create(`heads/${branch}`, headSha, author);
      const { additions, deletions } = await git.diff(baseSha, headSha);
      const pull: SandboxPull = {
        number,
        title,
        body,
        author,
        branch,
        baseSha,
        headSha,
        files,
        additions,
        deletions,
        reviews: [],
        createdAt: new Date(now()).toISOString(),
        merged: null,
      };
      pulls.push(pull);
      announce('opened', pull, author);
      return pull;
    },

    /** Another commit on an open pull request, which leaves older reviews behind. */
    async pushTo(number: number, by: Login, files: Files): Promise<string> {
      const pull = pullOf(number);
      const message = `More for #${number}`;
      pull.headSha = await git.commit({ parents: [pull.headSha], files, message, author: by });
      Object.assign(pull.files, files);
      await git.move(`heads/${pull.branch}`, pull.headSha, by);
      Object.assign(pull, await git.diff(pull.baseSha, pull.headSha));
      return pull.headSha;
    },

    review,

    approve: (number: number, by: Login): void => review(number, by),

    /** Merges as GitHub's button does, onto the main of now; gives the new commit of main. */
    async merge(number: number, by: Login, method: 'merge' | 'squash' = 'merge'): Promise<string> {
      const pull = pullOf(number);
      if (pull.merged) throw new Error(`#${number} is merged already`);
      const main = await git.head('main');
      const isMerge = method === 'merge';
      const sha = await git.commit({
        parents: isMerge ? [main, pull.headSha] : [main],
        files: pull.files,
        message: isMerge
          ? `Merge pull request #${number} from ${repo.split('/')[0]}/${pull.branch}\n\n${pull.title}`
          : `${pull.title} (#${number})`,
        author: isMerge ? by : pull.author,
        isWebFlow: true,
      });
      // Known as merged before the push is announced: a hint may be looked into at once.
      pull.merged = { sha, by, at: new Date(now()).toISOString() };
      await land(sha, by);
      announce('closed', pull, by);
      return sha;
    },

    /** A commit straight to main. */
    async push(by: Login, message: string, files: Files): Promise<string> {
      return land(await git.commit({ parents: [await git.head('main')], files, message, author: by }), by);
    },

    finishBuild: (sha: string, end: BuildEnd = {}): Promise<void> => builds.finish(sha, end),

    /** A check run that names an artifact, as any workflow with `checks: write` can make one. */
    nameArtifact: async (sha: string, digest: string): Promise<void> => {
      const body = { name: 'belay/artifact', head_sha: sha, status: 'completed', conclusion: 'success' };
      await ask('POST', `/repos/${repo}/check-runs`, { ...body, output: { title: digest, summary: '' } }, 'eve');
    },

    async stop(): Promise<void> {
      workflows.stop();
      await builds.stop();
      await deliveries.stop();
      await gateway.close();
      await emulated().close();
    },
  };
}

function faulty(faults: ApiFault[]): Answer | null {
  const fault = faults.find((one) => one.count > 0);
  if (!fault) return null;
  fault.count -= 1;
  return { status: fault.status, body: { message: 'Sandbox: as ordered' }, headers: fault.headers ?? {} };
}
