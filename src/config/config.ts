import { globSync } from 'node:fs';
import { basename, dirname, isAbsolute, relative, resolve } from 'node:path';
import { z } from 'zod';
import { formatDuration } from '../core/duration.ts';
import type { Json } from '../core/json.ts';
import type { Person } from '../core/pipeline.ts';
import { type BelayFile, belaySchema, type Kinds } from './belay-schema.ts';
import type { Variables } from './env.ts';
import { located, readFile } from './file.ts';
import type { Configured, Installation } from './installation.ts';
import { configuredIssues, plain } from './kinds.ts';
import { twice } from './names.ts';
import { describe, type Issue, type Problem } from './problem.ts';
import { type LoadedService, loadService, parseService, sameLane } from './service-file.ts';
import { check } from './zod-issues.ts';

export type Loaded = { installation: Installation } | { problems: Problem[] };

const MAX_POLL_MS = 5 * 60_000;
const MIN_POLL_MS = 1000;
const MAX_SERVICES = 1000;

/**
 * Reads belay.yml and every service file that it names, and joins them into one checked installation; or says everything
 * that is wrong, in all files at once, with its place. `variables: null` does not ask whether `${NAME}`s are set.
 */
export function loadInstallation(path: string, variables: Variables | null, kinds: Kinds): Loaded {
  const absolute = resolve(path);
  const read = readFile(absolute, path, 'examples/belay.yml, or say where it is: --config <path>');
  if ('problems' in read) return read;
  const { yaml } = read;
  const parsed = check(belaySchema, yaml.value);
  const kindIssues = [
    ...configuredIssues(yaml.value, 'providers', kinds.providers, variables),
    ...configuredIssues(yaml.value, 'sources', kinds.sources, variables),
  ];
  const root = dirname(absolute);
  const called = (service: string) => displayed(service, root, path);
  if ('issues' in parsed) {
    return {
      problems: [...located(yaml, [...parsed.issues, ...kindIssues]), ...shapeProblems(yaml.value, absolute, called)],
    };
  }
  const file = parsed.value;

  const people = peopleOf(file);
  const found = serviceFiles(file.services, absolute);
  const problems = located(yaml, [...kindIssues, ...installationIssues(file), ...found.issues]);
  const services: LoadedService[] = [];
  for (const service of found.paths) {
    const loaded = loadService(service, called(service), file, people, kinds);
    if ('problems' in loaded) problems.push(...loaded.problems);
    else services.push(loaded);
  }
  problems.push(...sameLane(services));
  if (problems.length > 0) return { problems };

  const specs = services.map((service) => service.spec);
  return {
    installation: {
      path: absolute,
      database: resolve(root, file.database),
      http: file.http,
      slack: {
        mode: file.slack.mode,
        teamId: file.slack.team,
        appId: file.slack.app ?? null,
        channels: [...new Set([...file.slack.channels, ...specs.map((spec) => spec.channel)])],
      },
      github: {
        appId: file.github.app,
        installationId: file.github.installation,
        repos: [...new Set(specs.map((spec) => spec.repo))],
        pollEveryMs: file.github.poll,
      },
      providers: configuredOf(file.providers),
      sources: configuredOf(file.sources),
      people,
      services: specs,
    },
  };
}

/** When belay.yml itself is wrong, its services are still told what can be told of them alone. */
function shapeProblems(value: Json, absolute: string, called: (service: string) => string): Problem[] {
  const written = z.looseObject({ services: z.array(z.string()) }).safeParse(value);
  if (!written.success) return [];
  return serviceFiles(written.data.services, absolute).paths.flatMap((service) => {
    const parsed = parseService(service, called(service));
    return 'problems' in parsed ? parsed.problems : [];
  });
}

function configuredOf(entries: BelayFile['providers']): Record<string, Configured> {
  return Object.fromEntries(
    Object.entries(entries).map(([name, { kind, ...options }]) => [name, { kind, options: plain(options) }]),
  );
}

function peopleOf(file: BelayFile): Person[] {
  return file.people.map((person) => ({
    name: person.name,
    principal: { kind: 'slack', teamId: file.slack.team, userId: person.slack },
    githubId: person.github?.id ?? null,
    githubLogin: person.github?.login ?? null,
  }));
}

function installationIssues(file: BelayFile): Issue[] {
  const people = file.people.map((person, index) => ({ ...person, path: ['people', index] }));
  const issues = [
    ...twice(people.map(({ path, name }) => [[...path, 'name'], name])),
    ...twice(people.map(({ path, slack }) => [[...path, 'slack'], slack])),
    // One GitHub account behind two people would let one human approve twice.
    ...twice(people.flatMap(({ path, github }) => (github ? [[[...path, 'github', 'id'], `${github.id}`]] : []))),
  ];
  if (file.github.poll > MAX_POLL_MS) {
    const hint = 'a lost webhook is repaired by polling, within 5 minutes';
    issues.push({ path: ['github', 'poll'], found: formatDuration(file.github.poll), expected: 'at most 5m', hint });
  }
  if (file.github.poll < MIN_POLL_MS) {
    const hint = 'GitHub counts how often it is asked';
    issues.push({ path: ['github', 'poll'], found: `${file.github.poll}ms`, expected: 'at least 1s', hint });
  }
  return issues;
}

/** `belay`: the absolute path of belay.yml, which is no service file itself. */
function serviceFiles(patterns: string[], belay: string): { paths: string[]; issues: Issue[] } {
  const root = dirname(belay);
  const paths = new Set<string>();
  const issues: Issue[] = [];
  for (const [index, pattern] of patterns.entries()) {
    const path = ['services', index];
    if (/[*?[\]{}]/.test(dirname(pattern)) || /[?[\]{}]/.test(basename(pattern))) {
      const hint = 'only the last part may hold a *';
      issues.push({ path, found: describe(pattern), expected: 'a path such as services/*.yml', hint });
      continue;
    }
    if (!pattern.includes('*')) {
      paths.add(resolve(root, pattern));
      continue;
    }
    const matches = globSync(basename(pattern), { cwd: resolve(root, dirname(pattern)) }).sort();
    for (const match of matches) paths.add(resolve(root, dirname(pattern), match));
    if (matches.length === 0) {
      issues.push({
        path,
        found: `${describe(pattern)}, which no file matches`,
        expected: 'at least one file',
        hint: null,
      });
    }
  }
  if (paths.delete(belay)) {
    const index = patterns.findIndex((one) => one.includes('*') || resolve(root, one) === belay);
    const hint = 'keep the service files in a folder of their own, such as services/*.yml';
    issues.push({ path: ['services', index], found: 'belay.yml itself', expected: 'service files', hint });
  }
  if (paths.size > MAX_SERVICES) {
    issues.push({ path: ['services'], found: `${paths.size} files`, expected: `at most ${MAX_SERVICES}`, hint: null });
    return { paths: [], issues };
  }
  return { paths: [...paths], issues };
}

/** Named as the reader would: next to belay.yml as it was given, or in full when it is elsewhere. */
function displayed(service: string, root: string, belayPath: string): string {
  const inside = relative(root, service);
  if (inside.startsWith('..') || isAbsolute(inside)) return service;
  const folder = dirname(belayPath);
  return folder === '.' ? inside : `${folder}/${inside}`;
}
