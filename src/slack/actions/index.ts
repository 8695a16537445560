import { approve } from './approve.ts';
import type { Act } from './click.ts';
import { askWhy, decide, decideBecause, stopCountdown } from './decide.ts';
import { createConfirmDeploy, showPlan } from './deploy.ts';
import { acceptDrift, askToAccept, askToIgnore, fixDrift, ignoreDrift } from './drift.ts';
import { plan } from './plan.ts';
import { askToReject, reject } from './reject.ts';
import {
  abort,
  askForReason,
  askToAbort,
  askToRollBack,
  confirmRollback,
  rollBack,
  submitRollback,
} from './rollback.ts';
import { run } from './run.ts';

/** By a button's `action_id`. */
export const BUTTONS: ReadonlyMap<string, Act> = new Map<string, Act>([
  ['approve', approve],
  ['reject', askToReject],
  ['plan', plan],
  ['decide:retry', decide('retry')],
  ['decide:roll-back', decide('roll-back')],
  ['decide:hold', decide('hold')],
  ['decide:continue', askWhy('continue')],
  ['decide:go-on-without', askWhy('go-on-without')],
  ['decide:begin-anyway', askWhy('begin-anyway')],
  ['stop-countdown', stopCountdown],
  ['rollback', askToRollBack],
  ['abort', askToAbort],
  ['confirm-deploy', createConfirmDeploy()],
  ['confirm-rollback', confirmRollback],
  ['rollback-form', askForReason],
  ['run', run],
  ['drift:fix', fixDrift],
  ['drift:accept', askToAccept],
  ['drift:ignore', askToIgnore],
]);

/** Buttons that only show something: whoever may not even look is refused before they run. The others are judged, and recorded, behind the desk. */
export const ONLY_SHOWS: ReadonlySet<string> = new Set([
  'plan',
  'run',
  'reject',
  'decide:continue',
  'decide:go-on-without',
  'decide:begin-anyway',
  'rollback',
  'abort',
  'rollback-form',
  'drift:accept',
  'drift:ignore',
]);

/** By a modal's `callback_id`. */
export const SUBMISSIONS: ReadonlyMap<string, Act> = new Map<string, Act>([
  ['reject', reject],
  ['continue', decideBecause('continue')],
  ['go-on-without', decideBecause('go-on-without')],
  ['begin-anyway', decideBecause('begin-anyway')],
  ['rollback', rollBack],
  ['abort', abort],
  ['rollback-service', submitRollback],
  ['deploy', showPlan],
  ['drift:accept', acceptDrift],
  ['drift:ignore', ignoreDrift],
]);
