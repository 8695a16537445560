import type { Answer, Question } from './gateway.ts';

export type Conclusion = 'success' | 'failure' | 'cancelled' | 'timed_out' | 'skipped';

/** A workflow in .github/workflows of main. */
export type SandboxWorkflow = {
  inputs: Record<string, { required?: boolean }>;
  /** `run-name`: what its runs are called. */
  runName: (inputs: Record<string, string>) => string;
  /** How a run ends, and how long it takes; null: only by `finish`. */
  conclusion: (inputs: Record<string, string>) => Conclusion;
  takesMs: number | null;
  isDispatchable?: boolean;
  state?: 'active' | 'disabled_manually';
};

export type SandboxRun = {
  id: number;
  workflow: string;
  ref: string;
  inputs: Record<string, string>;
  title: string;
  status: 'queued' | 'in_progress' | 'completed';
  conclusion: Conclusion | null;
  createdAtMs: number;
};

/** What goes wrong: requests that are lost, answers that are lost after the run was made, runs that are not listed yet, older servers. */
export type WorkflowFaults = { loseRequests: number; loseAnswers: number; isListed: boolean; hasRunDetails: boolean };

const MAX_INPUTS = 25;

/** GitHub Actions as far as dispatched runs go, as strict as GitHub's own. */
export class Workflows {
  readonly runs: SandboxRun[] = [];
  readonly faults: WorkflowFaults = { loseRequests: 0, loseAnswers: 0, isListed: true, hasRunDetails: true };
  readonly #known = new Map<string, SandboxWorkflow>();
  readonly #timers = new Set<NodeJS.Timeout>();
  readonly #now: () => number;

  constructor(now: () => number) {
    this.#now = now;
  }

  /** Puts a workflow on main. */
  set(file: string, workflow: SandboxWorkflow): void {
    this.#known.set(file, workflow);
  }

  finish(id: number, conclusion: Conclusion): void {
    const run = this.runs.find((one) => one.id === id);
    if (!run || run.status === 'completed') return;
    run.status = 'completed';
    run.conclusion = conclusion;
  }

  stop(): void {
    for (const timer of this.#timers) clearTimeout(timer);
  }

  /** null: not one of its routes. `path` is what follows the repository. */
  async answer(
    route: string,
    question: Question,
    world: { url: string; repo: string; hasRef(ref: string): Promise<boolean> },
  ): Promise<Answer | null> {
    const show = (run: SandboxRun) => this.#show(run, world);
    const [, method, file, part] = /^(GET|POST) actions\/workflows\/([^/]+)(?:\/(runs|dispatches))?$/.exec(route) ?? [];
    if (file !== undefined) {
      const workflow = this.#known.get(decodeURIComponent(file));
      if (!workflow) return NOT_FOUND;
      if (method === 'GET' && part === undefined) {
        return {
          status: 200,
          body: { name: file, path: `.github/workflows/${file}`, state: workflow.state ?? 'active' },
        };
      }
      if (method === 'GET' && part === 'runs') {
        const size = Math.min(100, Number(question.query.get('per_page') ?? 30));
        const listed = this.faults.isListed ? this.runs.filter((run) => run.workflow === file).reverse() : [];
        return { status: 200, body: { total_count: listed.length, workflow_runs: listed.slice(0, size).map(show) } };
      }
      if (method === 'POST' && part === 'dispatches') return this.#dispatch(file, workflow, question, world, show);
      return NOT_FOUND;
    }
    const [, verb, id, cancel] = /^(GET|POST) actions\/runs\/(\d+)(\/cancel)?$/.exec(route) ?? [];
    if (id === undefined) return null;
    const run = this.runs.find((one) => one.id === Number(id));
    if (!run) return NOT_FOUND;
    if (verb === 'GET' && cancel === undefined) return { status: 200, body: show(run) };
    if (verb !== 'POST' || cancel === undefined) return NOT_FOUND;
    if (run.status === 'completed') return refused(409, 'Cannot cancel a workflow run that is completed.');
    this.finish(run.id, 'cancelled');
    return { status: 202, body: {} };
  }

  async #dispatch(
    file: string,
    workflow: SandboxWorkflow,
    question: Question,
    world: { hasRef(ref: string): Promise<boolean> },
    show: (run: SandboxRun) => Record<string, unknown>,
  ): Promise<Answer> {
    if (this.faults.loseRequests > 0) {
      this.faults.loseRequests -= 1;
      return refused(502, 'Sandbox: the request was lost');
    }
    const body = (question.body ?? {}) as Record<string, unknown>;
    const stranger = Object.keys(body).find((key) => !['ref', 'inputs', 'return_run_details'].includes(key));
    if (stranger !== undefined) return refused(400, `Unknown parameter: ${stranger}`);
    const { ref, inputs = {}, return_run_details: isAsked = false } = body;
    if (typeof ref !== 'string') return refused(422, 'Invalid request. "ref" wasn\'t supplied.');
    if (inputs === null || typeof inputs !== 'object') return refused(422, 'Invalid request. "inputs" is no object.');
    const given = Object.entries(inputs as Record<string, unknown>);
    if (given.length > MAX_INPUTS) return refused(422, `Number of inputs must be at most ${MAX_INPUTS}`);
    const unlike = given.find(([, value]) => typeof value !== 'string');
    if (unlike) return refused(422, `For 'inputs', ${unlike[0]} is not a string.`);
    if (!(await world.hasRef(ref))) return refused(422, `No ref found for: ${ref}`);
    if (workflow.isDispatchable === false) return refused(422, "Workflow does not have 'workflow_dispatch' trigger");
    if ((workflow.state ?? 'active') !== 'active') return refused(422, 'Cannot trigger a disabled workflow');
    const unexpected = given.map(([name]) => name).filter((name) => !Object.hasOwn(workflow.inputs, name));
    if (unexpected.length > 0) return refused(422, `Unexpected inputs provided: ${JSON.stringify(unexpected)}`);
    const texts = Object.fromEntries(given) as Record<string, string>;
    const missing = Object.entries(workflow.inputs).find(([name, one]) => one.required && !texts[name]);
    if (missing) return refused(422, `Required input '${missing[0]}' not provided`);

    const run: SandboxRun = {
      id: 9_000_000_000 + this.runs.length,
      workflow: file,
      ref,
      inputs: texts,
      title: workflow.runName(texts),
      status: 'queued',
      conclusion: null,
      createdAtMs: this.#now(),
    };
    this.runs.push(run);
    if (workflow.takesMs !== null) {
      this.#timers.add(setTimeout(() => this.finish(run.id, workflow.conclusion(texts)), workflow.takesMs));
    }
    if (this.faults.loseAnswers > 0) {
      this.faults.loseAnswers -= 1;
      return refused(502, 'Sandbox: the answer was lost');
    }
    if (!isAsked || !this.faults.hasRunDetails) return { status: 204, body: null };
    const { id: workflow_run_id, url: run_url, html_url } = show(run);
    return { status: 200, body: { workflow_run_id, run_url, html_url } };
  }

  #show(run: SandboxRun, { url, repo }: { url: string; repo: string }): Record<string, unknown> {
    return {
      id: run.id,
      name: run.workflow,
      path: `.github/workflows/${run.workflow}`,
      display_title: run.title,
      event: 'workflow_dispatch',
      head_branch: run.ref,
      status: run.status,
      conclusion: run.conclusion,
      url: `${url}/repos/${repo}/actions/runs/${run.id}`,
      html_url: `${url}/${repo}/actions/runs/${run.id}`,
      created_at: new Date(run.createdAtMs).toISOString(),
    };
  }
}

const NOT_FOUND: Answer = { status: 404, body: { message: 'Not Found' } };

function refused(status: number, message: string): Answer {
  return { status, body: { message } };
}
