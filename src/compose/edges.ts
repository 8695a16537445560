import { dirname } from 'node:path';
import type { CheckContext, CheckRunner } from '../checks/check.ts';
import { createChildren } from '../checks/children.ts';
import { CHECKS } from '../checks/index.ts';
import type { Ready } from '../cli/command.ts';
import { resolveSecrets } from '../config/references.ts';
import type { Effect } from '../core/effect.ts';
import type { ServiceSpec } from '../core/pipeline.ts';
import type { Reading } from '../engine/intake.ts';
import type { Performed } from '../engine/perform.ts';
import { watchBuild } from '../github/build.ts';
import { createGithub, type GithubClient } from '../github/client.ts';
import { compare, isChangesProblem, isOnBranch, readChanges, readHead } from '../github/facts.ts';
import { cancelRun, dispatchWorkflow, findRun, readRun, workflowState } from '../github/workflow.ts';
import { SOURCES } from '../health/index.ts';
import { readText } from '../health/read-text.ts';
import type { Source } from '../health/source.ts';
import type { Edges } from '../perform.ts';
import { PROVIDERS } from '../providers/index.ts';
import type { Provider } from '../providers/provider.ts';
import type { Slack } from '../slack/app.ts';
import type { OutputAnswer } from '../slack/messenger.ts';
import { clock, newId } from './world.ts';

/** Where programs are when nobody says. */
const USUAL_PATH = '/usr/local/bin:/usr/bin:/bin';

/**
 * The platforms, sources and kinds of checks of the installation, each built once with its real options. Disposed, it ends
 * the programs of checks.
 */
export function createEdgesOf(
  ready: Ready,
  github: GithubClient,
): Pick<Edges, 'now' | 'targetsOf' | 'provider' | 'source' | 'check'> & AsyncDisposable {
  const { installation, variables } = ready;
  const context = { fetch: globalThis.fetch, now: clock.now };
  const providers = new Map<string, Provider>();
  for (const [name, { kind, options }] of Object.entries(installation.providers)) {
    const known = PROVIDERS[kind];
    if (!known) throw new Error(`There is no provider of the kind ${kind}`);
    providers.set(name, known.create(known.schema.parse(resolveSecrets(options, variables)), context));
  }
  const provider: Edges['provider'] = (service) => {
    const spec = installation.services.find((one) => one.name === service);
    const found = spec && providers.get(spec.provider);
    return spec && found ? { provider: found, options: (target) => spec.targets[target] ?? {} } : null;
  };
  const instances = async (service: string, target: string, signal: AbortSignal) => {
    const found = provider(service);
    const isThere = installation.services.some((one) => one.name === service && Object.hasOwn(one.targets, target));
    if (!found || !isThere) return null;
    return (await found.provider.observe({ service, target, options: found.options(target) }, signal)).instances;
  };
  const sources = new Map<string, Source>();
  for (const [name, { kind, options }] of Object.entries(installation.sources)) {
    const known = SOURCES[kind];
    if (!known) throw new Error(`There is no source of the kind ${kind}`);
    sources.set(name, known.create(known.schema.parse(resolveSecrets(options, variables)), { ...context, instances }));
  }
  const { runners, stop } = createChecksOf(ready, github);
  return {
    now: clock.now,
    targetsOf: (service) => {
      const spec = installation.services.find((one) => one.name === service);
      return spec ? Object.keys(spec.targets) : null;
    },
    provider,
    source: (name) => sources.get(name) ?? null,
    check: (kind) => runners.get(kind) ?? null,
    [Symbol.asyncDispose]: stop,
  };
}

/** A runner for each kind of check. `stop` ends the programs that they have started. */
export function createChecksOf({ installation, variables }: Ready, github: GithubClient) {
  const children = createChildren();
  const context: CheckContext = {
    now: clock.now,
    readText: (request) => readText({ fetch: globalThis.fetch, ...request }),
    workflows: {
      find: (request) => findRun(github, request),
      dispatch: (request) => dispatchWorkflow(github, request),
      read: (repo, runId) => readRun(github, repo, runId),
      cancel: (repo, runId) => cancelRun(github, repo, runId),
      state: (repo, workflow) => workflowState(github, repo, workflow),
    },
    children,
    path: variables.PATH ?? USUAL_PATH,
    folder: dirname(installation.path),
  };
  const runners = new Map<string, CheckRunner>(
    Object.entries(CHECKS).map(([kind, { create }]) => [kind, create(context)]),
  );
  return { runners, stop: () => children.stop() };
}

export function createGithubOf({ installation, secrets, settings }: Ready): GithubClient {
  return createGithub({
    appId: installation.github.appId,
    privateKey: secrets.githubPrivateKey,
    installationId: installation.github.installationId,
    ...(settings.githubApiUrl ? { baseUrl: settings.githubApiUrl } : {}),
  });
}

export function githubEdge(client: GithubClient): Edges['github'] {
  return {
    watchBuild: (repo, sha, check) => watchBuild(client, { repo, sha, check }),
    compare: (repo, base, head) => compare(client, repo, base, head),
    isOnBranch: (repo, branch, sha) => isOnBranch(client, repo, branch, sha),
  };
}

export async function readBranch(
  client: GithubClient,
  service: ServiceSpec,
  sinceSha: string | null,
): Promise<Reading> {
  const { repo, branch, pipeline, name } = service;
  if (sinceSha === null) {
    return { is: 'read', headSha: await readHead(client, repo, branch), releases: [], hasMore: false };
  }
  const changes = await readChanges(client, { repo, branch, service: name, pipeline, newId, sinceSha });
  if (isChangesProblem(changes)) return { is: 'rewritten', headSha: changes.headSha, detail: changes.code };
  return { is: 'read', ...changes };
}

/** Slack as the outbox sees it: what is not done yet is tried again, and what can never be is dropped. */
export function peopleEdge(slack: Slack, services: ServiceSpec[]): Edges['people'] {
  const performed = async (answer: Promise<OutputAnswer>): Promise<Performed> => {
    const said = await answer;
    switch (said.is) {
      case 'done':
        return { is: 'done' };
      case 'running':
        return { is: 'later', afterMs: said.retryAfterMs };
      case 'failed':
        return said.isTerminal
          ? { is: 'given-up', detail: said.detail }
          : { is: 'failed', detail: said.detail, retryAfterMs: null };
    }
  };
  return {
    eligibleAmong: async (rollout, principals) => {
      // Whoever lost the role since the rollout was created may approve it no more.
      const now = services.find((service) => service.name === rollout.service) ?? rollout.spec;
      const mayApprove = (key: string) =>
        [rollout.spec, now].every(
          (spec) => spec.roles.approver.includes(key) || spec.roles['on-call'].includes(key) || spec.onCall === key,
        );
      return slack.eligibleAmong(principals.filter(mayApprove));
    },
    project: (rollout) => performed(slack.project(rollout.id)),
    announce: (rollout, effect) => performed(slack.announce(effect.key, rollout.id, effect.what, effect.phase)),
    page: (rollout, effect: Extract<Effect, { kind: 'page' }>) =>
      performed(slack.page(effect.key, rollout.id, { who: effect.who, phase: effect.phase, round: effect.round })),
    projectDrift: (service, target) => performed(slack.projectDrift(service, target)),
  };
}

/** Where messages may link to besides a release's own host: the sources whose graphs they show. */
export function linkHosts({ installation, variables }: Ready): string[] {
  const hosts = Object.values(installation.sources).flatMap(({ options }) => {
    const resolved = resolveSecrets(options, variables);
    const url = resolved !== null && typeof resolved === 'object' && 'url' in resolved ? resolved.url : null;
    return typeof url === 'string' && URL.canParse(url) ? [new URL(url).host] : [];
  });
  return [...new Set(hosts)];
}

/** Edges that are there a moment later than whoever asks them. */
export function later(people: Promise<Edges['people']>): Edges['people'] {
  return {
    eligibleAmong: async (...given) => (await people).eligibleAmong(...given),
    project: async (...given) => (await people).project(...given),
    announce: async (...given) => (await people).announce(...given),
    page: async (...given) => (await people).page(...given),
    projectDrift: async (...given) => (await people).projectDrift(...given),
  };
}
