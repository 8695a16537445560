import type { Missing } from '../core/judge/signal.ts';
import type { Instance } from '../core/target.ts';
import type { Question, SourceContext } from './source.ts';

export type Failure = { ok: false; missing: Missing; detail: string };

/** Which of a target's instances a query is about. */
export type Choice = { version: 'now' | 'before' | 'all'; region?: string | undefined };

/**
 * The instances that the question is about. One whose version cannot be read may be one of them: partial. Of a neighbour
 * all of them, since what it should run is not known; one that Belay does not deploy cannot be listed.
 */
export async function chooseInstances(
  question: Question,
  choice: Choice,
  context: SourceContext,
  signal: AbortSignal,
): Promise<{ ok: true; instances: Instance[] } | Failure> {
  const { service, targets, role } = question;
  let listed: (Instance[] | null)[];
  try {
    listed = await Promise.all(targets.map((one) => context.instances(service, one, signal)));
  } catch {
    return { ok: false, missing: 'unreachable', detail: 'the instances could not be listed' };
  }
  const stranger = targets.find((_, at) => listed[at] === null);
  if (stranger !== undefined) {
    const detail = `Belay does not deploy ${service} to ${stranger}, so its instances are not known: ask a source that needs none, such as prometheus or http`;
    return { ok: false, missing: 'bad-query', detail };
  }
  const here = listed
    .flatMap((one) => one ?? [])
    .filter((one) => choice.region === undefined || one.region === choice.region)
    .filter((one) => role === null || one.role === role)
    .filter((one) => !question.without.includes(one.id));
  const isAny = choice.version === 'all' || question.digest === '';
  const wanted = choice.version === 'before' ? question.beforeDigest : question.digest;
  const unread = here.find((one) => one.digest === null);
  if (!isAny && unread) {
    return { ok: false, missing: 'partial', detail: `${unread.id}: its version could not be read` };
  }
  const instances = isAny ? here : here.filter((one) => one.digest === wanted);
  if (instances.length === 0) return { ok: false, missing: 'no-data', detail: 'no instance runs what is measured' };
  return { ok: true, instances };
}
