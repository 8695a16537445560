import { type GithubSandbox, startGithub } from '../../sandbox/github/github.ts';
import type { SandboxWorkflow } from '../../sandbox/github/workflows.ts';
import type { CheckRunner } from '../../src/checks/check.ts';
import { workflow } from '../../src/checks/workflow.ts';
import { createGithub } from '../../src/github/client.ts';
import { cancelRun, dispatchWorkflow, findRun, readRun, workflowState } from '../../src/github/workflow.ts';
import { given } from './try.ts';

/** A workflow as Belay's documents say that it should be, which ends by itself at once. */
export const E2E: SandboxWorkflow = {
  inputs: { belay: { required: true }, target: {}, digest: {} },
  runName: (inputs) => `End-to-end on ${inputs.target} (${inputs.belay})`,
  conclusion: () => 'success',
  takesMs: 0,
};

/** The sandbox's GitHub with a few workflows, asked as the app. Time is the test's own, and an hour goes by in a look. */
export async function startWorkflows() {
  const clock = { nowMs: Date.now() };
  const now = () => clock.nowMs;
  const github: GithubSandbox = await startGithub({
    webhookSecret: 'a secret of length',
    appId: 12,
    buildMs: null,
    now,
  });
  const client = createGithub({ ...github, baseUrl: github.url, now });
  github.workflows.set('e2e.yml', E2E);
  github.workflows.set('fails.yml', { ...E2E, conclusion: () => 'failure' });
  github.workflows.set('endless.yml', { ...E2E, takesMs: null });
  /** Another Belay, that knows nothing of what the one before did; it has run for a while. */
  const belay = (uptimeMs = 60_000): CheckRunner => {
    const context = given({
      now,
      workflows: {
        find: (request) => findRun(client, request),
        dispatch: (request) => dispatchWorkflow(client, request),
        read: (repo, runId) => readRun(client, repo, runId),
        cancel: (repo, runId) => cancelRun(client, repo, runId),
        state: (repo, file) => workflowState(client, repo, file),
      },
    });
    const runner = workflow.create(context);
    clock.nowMs += uptimeMs;
    return runner;
  };
  return { github, clock, belay, client };
}
