import type { Emulated } from './emulator.ts';
import type { Answer, Question } from './gateway.ts';
import { type SandboxPull, showPull, showReview } from './pulls.ts';
import type { Workflows } from './workflows.ts';

export type Activity = {
  ref: string;
  before: string;
  after: string;
  actor: { login: string; id: number; type: string };
};

export type Status = { sha: string; context: string; state: string; target_url: string | null; description: string };

/** What the routes read and write. */
export type World = {
  repo: string;
  url: () => string;
  emulated: () => Emulated;
  pulls: SandboxPull[];
  statuses: Status[];
  /** Who moved which branch, newest first. */
  activity: Activity[];
  workflows: Workflows;
  commitsOf: (pull: SandboxPull) => Promise<unknown[]>;
};

/**
 * The routes that are answered here rather than by the emulator, because it has none or answers differently from
 * GitHub: pull requests and their reviews, the pull requests of a commit, statuses, workflows, and who pushed. null: not one of these.
 */
export async function answerRoute(world: World, question: Question): Promise<Answer | null> {
  const prefix = `/repos/${world.repo}/`;
  if (!question.path.startsWith(prefix)) return null;
  const route = `${question.method} ${question.path.slice(prefix.length)}`;
  const { url, repo, workflows } = world;
  if (/^(GET|POST) actions\//.test(route)) {
    const door = await open(world, question);
    const hasRef = (ref: string) => refExists(world, ref);
    return door ?? workflows.answer(route, question, { url: url(), repo, hasRef });
  }
  const found = await match(world, route, question);
  return found && ((await open(world, question)) ?? found);
}

/** The emulator decides who may look: a private repository is not there for those who may not. null: come in. */
async function open(world: World, question: Question): Promise<Answer | null> {
  const path = `/repos/${world.repo}`;
  const asked = { ...question, method: 'GET', path, query: new URLSearchParams(), body: null };
  const answer = await world.emulated().forward(asked);
  return answer.status === 200 ? null : answer;
}

async function match(world: World, route: string, question: Question): Promise<Answer | null> {
  const show = (pull: SandboxPull) => showPull(pull, world.url(), world.repo);
  const ok = (body: unknown): Answer => ({ status: 200, body });
  if (route === 'GET activity') {
    return ok(
      page(
        world.activity.filter((one) => one.ref === question.query.get('ref')),
        question,
      ),
    );
  }
  if (route === 'GET pulls') return ok(page(world.pulls.map(show).reverse(), question));

  const [, commit] = /^GET commits\/([0-9a-f]{40})\/pulls$/.exec(route) ?? [];
  if (commit !== undefined) {
    return ok(
      page(world.pulls.filter((pull) => pull.merged?.sha === commit || pull.headSha === commit).map(show), question),
    );
  }

  const [, ref] = /^GET commits\/([0-9a-f]{40})\/status$/.exec(route) ?? [];
  if (ref !== undefined) return ok({ sha: ref, statuses: newestOf(world.statuses.filter((one) => one.sha === ref)) });

  const [, target] = /^POST statuses\/([0-9a-f]{40})$/.exec(route) ?? [];
  if (target !== undefined) {
    const given = question.body as Partial<Status>;
    const status: Status = {
      sha: target,
      context: given.context ?? 'default',
      state: given.state ?? 'pending',
      target_url: given.target_url ?? null,
      description: given.description ?? '',
    };
    world.statuses.push(status);
    return { status: 201, body: status };
  }

  const [, number, part] = /^GET pulls\/(\d+)(?:\/(commits|reviews|files))?$/.exec(route) ?? [];
  if (number === undefined) return null;
  const pull = world.pulls.find((one) => one.number === Number(number));
  if (!pull) return { status: 404, body: { message: 'Not Found' } };
  switch (part) {
    case 'commits':
      return ok(page(await world.commitsOf(pull), question));
    case 'reviews':
      return ok(page(pull.reviews.map(showReview), question));
    case 'files':
      return ok(
        page(
          Object.keys(pull.files).map((filename) => ({ filename })),
          question,
        ),
      );
    default:
      return ok(show(pull));
  }
}

async function refExists({ emulated, repo }: World, ref: string): Promise<boolean> {
  const looks = ['heads', 'tags'].map((kind) =>
    emulated().ask('GET', `/repos/${repo}/git/ref/${kind}/${ref}`, null, 'ana'),
  );
  return (await Promise.allSettled(looks)).some((look) => look.status === 'fulfilled');
}

function newestOf(statuses: Status[]): Status[] {
  return [...new Map(statuses.map((status) => [status.context, status])).values()];
}

function page(all: unknown[], { query }: Question): unknown[] {
  const size = Number(query.get('per_page') ?? 30);
  const number = Number(query.get('page') ?? 1);
  return all.slice((number - 1) * size, number * size);
}
