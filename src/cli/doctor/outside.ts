import { z } from 'zod';
import { createChecksOf } from '../../compose/edges.ts';
import { resolveSecrets } from '../../config/references.ts';
import { WANT } from '../../core/judge/want.ts';
import type { ServiceSpec } from '../../core/pipeline.ts';
import { createGithub, type GithubClient } from '../../github/client.ts';
import { SOURCES } from '../../health/index.ts';
import { PROVIDERS } from '../../providers/index.ts';
import type { Provider } from '../../providers/provider.ts';
import type { Ready } from '../command.ts';
import type { Finding } from './finding.ts';

const DEADLINE_MS = 10_000;
/** A digest that nothing runs: a question has to name one. */
const NO_DIGEST = `sha256:${'0'.repeat(64)}`;

/** A rate is asked about the last minute: no step has begun. */
const MINUTE_MS = 60_000;

const deadline = () => AbortSignal.timeout(DEADLINE_MS);

/** The bot's token works, and belongs to the workspace of belay.yml. */
export async function slackChecks({ installation, secrets, settings }: Ready): Promise<Finding[]> {
  const name = 'Slack';
  const { teamId } = installation.slack;
  return [
    await finding(name, 'check the network, and SLACK_API_URL', async () => {
      const response = await fetch(`${settings.slackApiUrl ?? 'https://slack.com/api/'}auth.test`, {
        method: 'POST',
        headers: { authorization: `Bearer ${secrets.slackBotToken}` },
        redirect: 'error',
        signal: deadline(),
      });
      const shape = z.object({ ok: z.boolean(), error: z.string().optional(), team_id: z.string().optional() });
      const body = shape.parse(await response.json());
      if (!body.ok) {
        return ill(
          name,
          `the token was refused (${body.error ?? 'no reason'})`,
          'install the app again, set SLACK_BOT_TOKEN',
        );
      }
      if (body.team_id !== teamId) {
        return ill(
          name,
          `the token belongs to ${body.team_id}, belay.yml says ${teamId}`,
          'correct slack.team or the token',
        );
      }
      return well(name, `workspace ${teamId}, ${installation.slack.mode} mode`);
    }),
  ];
}

/** The app is installed where it says, and sees every repository. */
export async function githubChecks(ready: Ready): Promise<Finding[]> {
  const { installation } = ready;
  const github = githubOf(ready);
  return Promise.all(
    installation.github.repos.map((full) => {
      const name = `GitHub ${full}`;
      const [owner = '', repo = ''] = full.split('/');
      const fix = 'check github.app, github.installation and the private key, and that the app may see the repository';
      return finding(name, fix, async () => {
        const shape = z.object({ default_branch: z.string() });
        const found = await github.ask('GET /repos/{owner}/{repo}', { owner, repo }, shape);
        const branches = installation.services.filter((one) => one.repo === full).map((one) => one.branch);
        const wrong = branches.find((branch) => branch !== found.default_branch);
        if (wrong === undefined) return well(name, `default branch ${found.default_branch}`);
        const detail = `the default branch is ${found.default_branch}, the service file says ${wrong}`;
        return ill(name, detail, 'correct branch: only commits of the default branch are shipped');
      });
    }),
  );
}

function githubOf({ installation, secrets, settings }: Ready): GithubClient {
  return createGithub({
    appId: installation.github.appId,
    installationId: installation.github.installationId,
    privateKey: secrets.githubPrivateKey,
    ...(settings.githubApiUrl && { baseUrl: settings.githubApiUrl }),
    deadlineMs: DEADLINE_MS,
  });
}

/** Every target of every service can be read back. */
export async function providerChecks(ready: Ready): Promise<Finding[]> {
  return Promise.all(
    ready.installation.services.flatMap((service) =>
      Object.keys(service.targets).map((target) => {
        const name = `Provider ${service.provider}, ${service.name}/${target}`;
        return finding(name, 'check the provider in belay.yml and the target in the service file', async () => {
          const { instances } = await observe(ready, service, target, deadline());
          const unread = instances.filter((instance) => instance.digest === null).map((instance) => instance.id);
          if (unread.length === 0) return well(name, `${instances.length} instances`);
          return ill(name, `cannot read what runs on ${unread.join(', ')}`, 'a release can not be verified there');
        });
      }),
    ),
  );
}

/** Every source answers the first question that is asked of it. What it measures is not judged here. */
export async function sourceChecks(ready: Ready): Promise<Finding[]> {
  const { installation, variables } = ready;
  return Promise.all(
    Object.entries(installation.sources).map(([sourceName, configured]) => {
      const name = `Source ${sourceName}`;
      const asked = questionFor(installation.services, sourceName);
      if (!asked) return ill(name, 'no signal uses it', 'remove it from belay.yml, or add a signal');
      return finding(name, 'check its url and token in belay.yml', async () => {
        const kind = SOURCES[configured.kind];
        if (!kind) throw new Error(`There is no kind of source ${configured.kind}`);
        const source = kind.create(kind.schema.parse(resolveSecrets(configured.options, variables)), {
          fetch,
          now: Date.now,
          instances: async (serviceName, target, signal) => {
            const service = installation.services.find((one) => one.name === serviceName);
            if (!service || !Object.hasOwn(service.targets, target)) return null;
            return (await observe(ready, service, target, signal)).instances;
          },
        });
        const { service, signal, targets } = asked;
        const question = { signal: signal.name, query: signal.query, service: service.name, targets };
        const nowMs = Date.now();
        const once = {
          role: null,
          want: WANT[signal.kind],
          sinceMs: nowMs - MINUTE_MS,
          untilMs: nowMs,
          everyMs: 1000,
        } as const;
        const answer = await source.measure(
          { ...question, ...once, digest: NO_DIGEST, beforeDigest: null, without: [] },
          deadline(),
        );
        const broken = answer.value === null && ['unreachable', 'bad-query', 'bad-answer'].includes(answer.missing);
        if (answer.value === null && broken) {
          return ill(name, `${answer.missing}: ${answer.detail}`, `check it, and the query of ${signal.name}`);
        }
        return well(name, `answers ${signal.name} of ${service.name}`);
      });
    }),
  );
}

/** Every check of every stage could be run on its first target: its program, its workflow is there. */
export async function checkChecks(ready: Ready): Promise<Finding[]> {
  const { runners, stop } = createChecksOf(ready, githubOf(ready));
  const asked = ready.installation.services.flatMap((service) =>
    service.stages.flatMap((stage) => stage.checks.map((check) => ({ service, stage, check }))),
  );
  try {
    return await Promise.all(
      asked.map(({ service, stage, check }) => {
        const name = `Check ${check.name} of ${service.name}/${stage.name}`;
        return finding(name, 'correct the check in the service file', async () => {
          const runner = runners.get(check.kind);
          if (!runner) throw new Error(`There is no kind of check ${check.kind}`);
          const target = stage.steps.flatMap((step) => step.targets)[0] ?? '';
          const { repo, branch } = service;
          const { options, deadlineMs } = check;
          const request = { service: service.name, target, repo, branch, options, deadlineMs };
          const found = await runner.examine(request, deadline());
          return found.ok ? well(name, found.detail) : ill(name, found.detail, found.fix);
        });
      }),
    );
  } finally {
    await stop();
  }
}

function questionFor(services: ServiceSpec[], source: string) {
  for (const service of services) {
    for (const stage of service.stages) {
      const signal = stage.signals.find((one) => one.source === source);
      if (signal) return { service, signal, targets: stage.steps.flatMap((step) => step.targets) };
    }
  }
  return null;
}

function observe(ready: Ready, service: ServiceSpec, target: string, signal: AbortSignal) {
  const ref = { service: service.name, target, options: service.targets[target] ?? null };
  return providerOf(ready, service.provider).observe(ref, signal);
}

function providerOf({ installation, variables }: Ready, name: string): Provider {
  const configured = installation.providers[name];
  const kind = configured && PROVIDERS[configured.kind];
  if (!kind) throw new Error(`There is no provider ${name}`);
  const options = kind.schema.parse(resolveSecrets(configured.options, variables));
  return kind.create(options, { fetch, now: Date.now });
}

/** Looks at one thing; an error is a finding too. */
async function finding(name: string, fix: string, look: () => Promise<Finding>): Promise<Finding> {
  try {
    return await look();
  } catch (error) {
    return ill(name, error instanceof Error ? (error.message.split('\n')[0] ?? '') : String(error), fix);
  }
}

function well(name: string, detail: string): Finding {
  return { name, ok: true, detail, fix: null };
}

function ill(name: string, detail: string, fix: string): Finding {
  return { name, ok: false, detail, fix };
}
