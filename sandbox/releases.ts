import type { Behaviour } from './fleet/behaviour.ts';
import type { Fleet } from './fleet/fleet.ts';
import type { GithubSandbox } from './github/github.ts';
import type { Login } from './github/people.ts';
import type { PullRequest } from './slack/page/outlook.ts';

/** A merged change: its commit on main, and the digest that CI gives what it builds from it. */
export type Merged = { pr: number; sha: string; digest: string };

/** What a release of the sandbox does, once it runs. */
export type ReleaseKind =
  | 'good'
  | 'errors'
  | 'slow'
  | 'crash'
  | 'leaks'
  | 'sparse'
  | 'one-region'
  | 'neighbour'
  | 'eighth-server';

/** What is merged here to see what happens: pull requests whose build really behaves as their kind says. */
export type Releases = {
  /** Merges the open pull request of this kind, which is opened when there is none, and opens the next one of it. */
  merge(kind: ReleaseKind, by?: Login): Promise<Merged>;
  /** Open ones first, then the newest merged ones. */
  list(): PullRequest[];
  mergeNumber(number: number, by?: Login): Promise<Merged>;
  /** What people call a digest: the pull request that made it. */
  nameOf(digest: string | null): string;
};

type Sketch = {
  does: string;
  titles: string[];
  checklist: string;
  /** Tells the fleet, before anything runs it, how it will behave. A release that is not told of is a good one. */
  arrange: (fleet: Fleet, digest: string, staging: string) => void;
};

/** As this everywhere but on staging, whose few requests show nothing of it. */
const inProduction =
  (behaviour: Behaviour) =>
  (fleet: Fleet, digest: string, staging: string): void => {
    fleet.setBehaviour(digest, behaviour);
    fleet.setBehaviour(digest, 'good', staging);
  };
const everywhere =
  (behaviour: Behaviour) =>
  (fleet: Fleet, digest: string): void =>
    fleet.setBehaviour(digest, behaviour);

/** The one region in which a release of the kind `one-region` fails, and the one instance of `eighth-server`. */
export const BAD_REGION = 'us';
export const EIGHTH_SERVER = 'eu-4';

const CHECKED = `- [x] Tests included
- [x] Metrics, logs, traces: the dashboard "Shop" shows it
- Can it break production? no
- Rollback: safe`;

const SKETCHES: Record<ReleaseKind, Sketch> = {
  good: {
    does: 'A good one',
    titles: ['Show the delivery date in the basket', 'Remember the last address', 'Speed up the search'],
    checklist: CHECKED,
    arrange: everywhere('good'),
  },
  errors: {
    does: 'Works on staging, throws errors under production’s load',
    titles: ['Take payments by the new provider', 'Cache baskets by customer'],
    checklist: `- [x] Tests included
- [ ] Metrics, logs, traces
- Can it break production? yes, when the provider limits us
- Rollback: safe`,
    arrange: inProduction('errors'),
  },
  slow: {
    does: 'Every answer takes about a second',
    titles: ['Recommend what others bought', 'Check the stock on every page'],
    checklist: CHECKED,
    arrange: everywhere('slow'),
  },
  crash: {
    does: 'Does not start: a setting is missing',
    titles: ['Read the payment address from the settings', 'Require a licence at the start'],
    checklist: `- [x] Tests included`,
    arrange: everywhere('crash'),
  },
  leaks: {
    does: 'Keeps memory with each request, and gets slower and slower',
    titles: ['Keep every basket at hand', 'Remember what was looked at'],
    checklist: CHECKED,
    arrange: inProduction('leaks'),
  },
  sparse: {
    does: 'One request in a hundred fails; until now it was three in a thousand',
    titles: ['Round prices by country', 'Ask for the postcode first'],
    checklist: CHECKED,
    arrange: inProduction('sparse'),
  },
  'one-region': {
    does: `Throws errors in ${BAD_REGION} only`,
    titles: ['Add the sales tax of each state', 'Sort addresses as they do there'],
    checklist: CHECKED,
    arrange: (fleet, digest) => fleet.setBehaviour(digest, 'errors', BAD_REGION),
  },
  neighbour: {
    does: 'Is well itself, and asks payments six times for each request',
    titles: ['Show whether a card will be taken', 'Retry payments at once'],
    checklist: CHECKED,
    arrange: inProduction('hammers'),
  },
  'eighth-server': {
    does: `Does not start on ${EIGHTH_SERVER}, and the platform does not notice`,
    titles: ['Retire the old order path', 'Reuse the flag of the old order path'],
    checklist: CHECKED,
    arrange(fleet, digest) {
      fleet.setBehaviour(digest, 'crash', EIGHTH_SERVER);
      fleet.faults.overlookedInstances.add(EIGHTH_SERVER);
    },
  },
};

/** One of each waits to be merged; the others are opened when somebody asks for them. */
const SHOWN: ReleaseKind[] = ['good', 'errors', 'slow', 'crash'];
const MERGED_SHOWN = 4;

/** Opens one reviewed pull request of each kind. `staging`: the target on which errors do not show. */
export async function openReleases(github: GithubSandbox, fleet: Fleet, staging: string): Promise<Releases> {
  const kinds = new Map<number, ReleaseKind>();

  async function open(kind: ReleaseKind): Promise<number> {
    const { titles, checklist } = SKETCHES[kind];
    const nth = [...kinds.values()].filter((one) => one === kind).length;
    const again = Math.floor(nth / titles.length);
    const title = `${titles[nth % titles.length]}${again > 0 ? ` (${again + 1})` : ''}`;
    const { number, headSha } = await github.createPullRequest({
      title,
      author: 'ana',
      body: `${title}.\n\n${checklist}`,
    });
    kinds.set(number, kind);
    // The tests of the branch: green, and nothing that could be deployed.
    await github.finishBuild(headSha, { digest: null });
    github.approve(number, 'ben');
    return number;
  }

  async function mergeNumber(number: number, by: Login = 'ana'): Promise<Merged> {
    const kind = kinds.get(number);
    if (!kind) throw new Error(`There is no pull request #${number}`);
    const sha = await github.merge(number, by);
    const digest = github.digestOf(sha);
    // Before CI is done with it: nothing runs it yet.
    SKETCHES[kind].arrange(fleet, digest, staging);
    await open(kind);
    return { pr: number, sha, digest };
  }

  const pulls = (isMerged: boolean) => github.pullRequests().filter((one) => (one.merged !== null) === isMerged);

  for (const kind of SHOWN) await open(kind);
  return {
    mergeNumber,
    nameOf(digest) {
      if (digest === null) return '?';
      const made = pulls(true).find((one) => one.merged && github.digestOf(one.merged.sha) === digest);
      return made ? `#${made.number}` : digest.replace('sha256:', '').slice(0, 7);
    },
    async merge(kind, by) {
      const next = pulls(false).find((one) => kinds.get(one.number) === kind);
      return mergeNumber(next?.number ?? (await open(kind)), by);
    },
    list() {
      const order = (number: number) => Object.keys(SKETCHES).indexOf(kinds.get(number) ?? 'good');
      const open = pulls(false)
        .filter((one) => kinds.has(one.number))
        .toSorted((a, b) => order(a.number) - order(b.number));
      return [...open, ...pulls(true).toReversed().slice(0, MERGED_SHOWN)].map((one) => ({
        id: String(one.number),
        title: `#${one.number} ${one.title}`,
        description: SKETCHES[kinds.get(one.number) ?? 'good'].does,
        merged: one.merged !== null,
      }));
    },
  };
}
