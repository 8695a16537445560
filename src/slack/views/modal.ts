import type { types } from '@slack/bolt';
import type { ServiceSpec } from '../../core/pipeline.ts';
import type { Artifact } from '../../core/release.ts';
import { escaped, plain, shortVersion } from './escape.ts';

export type Modal = types.ModalView;

const LAST_GOOD = 'last-good';

/** A reason asked in a modal. `metadata` is an address only: who may do it is decided when it is submitted. */
export function reasonModal(
  callbackId: string,
  metadata: string,
  words: { title: string; submit: string; about: string },
  choices: types.PlainTextOption[] = [],
  select = { block: 'version', label: 'Go back to' },
): Modal {
  return {
    type: 'modal',
    callback_id: callbackId,
    private_metadata: metadata,
    title: { type: 'plain_text', text: plain(words.title, 24) },
    submit: { type: 'plain_text', text: plain(words.submit, 24) },
    close: { type: 'plain_text', text: 'Cancel' },
    blocks: [
      { type: 'section', text: { type: 'mrkdwn', text: escaped(words.about, 1000), verbatim: true } },
      ...(choices.length > 0 ? [selectOf(select, choices)] : []),
      {
        type: 'input',
        block_id: 'reason',
        label: { type: 'plain_text', text: 'Why? It goes into the record.' },
        element: { type: 'plain_text_input', action_id: 'value', multiline: true, min_length: 3, max_length: 500 },
      },
    ],
  };
}

function selectOf(
  { block, label }: { block: string; label: string },
  options: types.PlainTextOption[],
): types.InputBlock {
  const [first] = options;
  return {
    type: 'input',
    block_id: block,
    label: { type: 'plain_text', text: label },
    element: {
      type: 'static_select',
      action_id: 'value',
      options,
      ...(first ? { initial_option: first } : {}),
    },
  };
}

/** What a rollback can go to; the first is what ran before. */
export function versionOptions(
  choices: { artifact: Artifact; atMs: number; title: string }[],
  first: string,
): types.PlainTextOption[] {
  const option = (text: string, value: string): types.PlainTextOption => ({
    text: { type: 'plain_text', text: plain(text, 75) },
    value,
  });
  return [
    option(first, LAST_GOOD),
    ...choices.slice(0, 20).map((one) => option(`${shortVersion(one.artifact)} ${one.title}`, one.artifact.digest)),
  ];
}

/** The digest that was chosen in a modal; null: the last good one. */
export function chosenVersion(value: string | null): string | null {
  return value === null || value === LAST_GOOD ? null : value;
}

/** `/deploy` without words: service, ref, stage, reason, filled in from the channel. */
export function deployModal(services: ServiceSpec[], bound: ServiceSpec | null, channel: string): Modal {
  const option = (text: string): types.PlainTextOption => ({
    text: { type: 'plain_text', text: plain(text, 75) },
    value: plain(text, 75),
  });
  const chosen = bound ?? services[0];
  const stages = [...new Set((bound ? [bound] : services).flatMap((one) => one.stages.map((stage) => stage.name)))];
  const last = chosen?.stages.at(-1)?.name;
  return {
    type: 'modal',
    callback_id: 'deploy',
    private_metadata: channel,
    title: { type: 'plain_text', text: 'Deploy' },
    submit: { type: 'plain_text', text: 'Show the plan' },
    close: { type: 'plain_text', text: 'Cancel' },
    blocks: [
      {
        type: 'input',
        block_id: 'service',
        label: { type: 'plain_text', text: 'Service' },
        element: {
          type: 'static_select',
          action_id: 'value',
          options: services.slice(0, 100).map((one) => option(one.name)),
          ...(chosen ? { initial_option: option(chosen.name) } : {}),
        },
      },
      {
        type: 'input',
        block_id: 'ref',
        optional: true,
        label: { type: 'plain_text', text: 'Version' },
        hint: {
          type: 'plain_text',
          text: 'Branch, tag, full commit or #pull-request. Empty: the newest commit of the default branch.',
        },
        element: { type: 'plain_text_input', action_id: 'value', max_length: 200 },
      },
      {
        type: 'input',
        block_id: 'stage',
        label: { type: 'plain_text', text: 'Up to and including the stage' },
        element: {
          type: 'static_select',
          action_id: 'value',
          options: stages.slice(0, 100).map(option),
          ...(last && stages.includes(last) ? { initial_option: option(last) } : {}),
        },
      },
      {
        type: 'input',
        block_id: 'reason',
        optional: true,
        label: { type: 'plain_text', text: 'Why?' },
        element: { type: 'plain_text_input', action_id: 'value', multiline: true, max_length: 500 },
      },
    ],
  };
}
