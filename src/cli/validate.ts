import { formatDuration } from '../core/duration.ts';
import type { ServiceSpec } from '../core/pipeline.ts';
import { answer, type Command, EXIT } from './command.ts';
import { readInstallation, refuseConfiguration } from './ready.ts';

export const validate: Command = {
  name: 'validate',
  summary: 'Check belay.yml and every service file',
  usage: 'belay validate [--no-env] [--config <path>] [--json]',
  details:
    'Reads the files and says everything that is wrong with them at once: file, line, path, what was found, what was ' +
    'expected and what was probably meant. Changes nothing and asks nobody.',
  options: {
    'no-env': {
      type: 'boolean',
      description: 'Do not ask whether the variables that the files refer to are set: for CI.',
    },
  },
  positionals: { min: 0, max: 0 },
  async run(given, io) {
    const read = readInstallation(given, io, { environment: given.values['no-env'] !== true });
    if ('problems' in read) return refuseConfiguration(given, io, read.problems);
    const { services, path } = read.installation;
    const value = {
      ok: true,
      path,
      services: services.map(({ name, pipeline, stages }) => ({
        name,
        pipeline,
        stages: stages.map((one) => one.name),
      })),
    };
    answer(given, io, value, [...services.map(line), `${read.settings.configPath} is well: ${count(services)}.`]);
    return EXIT.ok;
  },
};

function line({ name, pipeline, stages }: ServiceSpec): string {
  const travels = stages.map((stage) => {
    const bakeMs = stage.steps.reduce((sum, step) => sum + step.bake.forMs, 0);
    const approvals = stage.approvals ? `, ${stage.approvals.required} to approve` : '';
    return `${stage.name} (${formatDuration(bakeMs)} at least${approvals})`;
  });
  return `${name}/${pipeline}: ${travels.join(' → ')}`;
}

function count(services: ServiceSpec[]): string {
  return services.length === 1 ? 'one service' : `${services.length} services`;
}
