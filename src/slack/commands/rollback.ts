import type { ServiceSpec } from '../../core/pipeline.ts';
import { actions, button, type Message, section } from '../views/block.ts';
import { code, escaped } from '../views/escape.ts';
import { reasonModal } from '../views/modal.ts';
import { refusalOf } from '../views/refusal.ts';
import { misunderstood, serviceNamed, type Verb, vocabularyOf } from './asking.ts';
import { readTarget, readWords } from './parse.ts';

/** What a Confirm button or the form carries: checked and authorized again when it comes back. */
export type RollbackDraft = { service: string; stage: string | null; to: string | null; because: string | null };

export const rollback: Verb = {
  command: '/rollback',
  name: '',
  usage: '/rollback <service> [on <stage>] [to <commit|digest|last-good|-1>] because …',
  summary: 'Puts back the last good or a chosen version, after one confirmed click. Nothing blocks it.',
  run: async (asking, text) => {
    const words = readWords(text);
    if (words.is === 'problem') return misunderstood(words);
    const target = readTarget(words, vocabularyOf(asking), '/rollback');
    if (target.is === 'problem') return misunderstood(target);
    const spec = serviceNamed(asking, target.service);
    if (!spec) return refusalOf(`There is no service ${escaped(target.service, 60)}.`);
    const to = versionOf(target.ref);
    if (typeof to === 'object' && to !== null) return refusalOf(to.sentence);
    const draft: RollbackDraft = { service: spec.name, stage: target.stage, to, because: target.because };
    if (draft.because === null && asking.open) {
      await asking.open(rollbackForm(draft));
      return null;
    }
    return confirmation(draft, spec, target.assumed);
  },
};

/** null: the last good one. A rollback goes to an exact version; a branch is not one. */
function versionOf(ref: string | null): string | null | { sentence: string } {
  if (ref === null || ref === 'last-good' || ref === '-1') return null;
  if (/^[0-9a-f]{40}$/.test(ref) || /^sha256:[0-9a-f]{64}$/.test(ref)) return ref;
  return {
    sentence: `${code(ref)} is not an exact version. A rollback goes to a full commit (40 digits), a digest (sha256:…) or last-good.`,
  };
}

export function rollbackForm(draft: RollbackDraft): ReturnType<typeof reasonModal> {
  return reasonModal('rollback-service', JSON.stringify({ ...draft, because: null }), {
    title: 'Roll back',
    submit: 'Roll back',
    about: `${describe(draft)}. It starts as soon as you submit this.`,
  });
}

function describe(draft: RollbackDraft): string {
  const stage = draft.stage === null ? 'its last protected stage' : draft.stage;
  const version = draft.to === null ? 'the last good version' : draft.to.slice(0, 19);
  return `${draft.service} on ${stage} goes back to ${version}`;
}

function confirmation(draft: RollbackDraft, spec: ServiceSpec, assumed: string[]): Message {
  const value = JSON.stringify({ ...draft, because: draft.because?.slice(0, 500) ?? null });
  const what = describe(draft);
  const said = assumed.length > 0 ? ` Taken as said: ${escaped(assumed.join('; '), 200)}.` : '';
  const reason = draft.because === null ? 'You are asked for a reason next.' : `Because ${escaped(draft.because, 500)}`;
  return {
    text: `Confirm the rollback of ${escaped(spec.name, 60)}.`,
    blocks: [
      section([`:rewind: *Roll back?* ${escaped(what)}.${said}`, reason]),
      actions('rollback', [
        button({
          id: draft.because === null ? 'rollback-form' : 'confirm-rollback',
          text: `Roll back ${spec.name}`,
          value,
          label: `Roll back: ${what}`,
          style: 'danger',
          ...(draft.because === null ? {} : { confirm: { title: 'Roll back?', text: `${what}.`, yes: 'Roll back' } }),
        }),
      ]),
    ],
  };
}
