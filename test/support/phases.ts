import type { Judgement } from '../../src/core/judge/verdict.ts';
import type { Phase } from '../../src/core/rollout.ts';
import type { Stray, Trouble } from '../../src/core/trouble.ts';
import { digest, NOON_MS, sha } from './rollout.ts';

const at = { stage: 1, step: 0 };
const SHORT = { serving: 4, servingDuring: 3, needed: 4, load: 350, perInstance: 100 };
const CAPACITY = { capacity: { waitingFor: [], shortages: [] }, shortSinceMs: null, round: 0 };

/** One degraded signal among the healthy. `text`: in every place where a source may write. */
export function aJudgement(text = 'error_rate'): Judgement {
  return {
    verdict: 'degraded',
    score: 40,
    atMs: NOON_MS,
    signals: [
      {
        signal: text,
        verdict: 'degraded',
        reason: 'out-of-bounds',
        role: 'critical',
        neighbour: null,
        group: null,
        baseline: null,
        baselineSamples: null,
        p: null,
        shift: null,
        interval: null,
        effect: null,
        isWeak: false,
        now: 0.2,
        before: 0.001,
        limit: `≤ 0.01 ${text}`,
        unit: '%',
        samples: 900,
        takenAtMs: NOON_MS,
        link: 'https://prometheus.example/graph',
        detail: text,
      },
    ],
  };
}

/** One of every trouble, with `text` wherever something from outside may stand. */
export function troubles(text: string): Trouble[] {
  const instances: Stray[] = [
    { id: text, target: text, region: 'eu', digest: null, is: 'unreadable' },
    { id: 'i-2', target: text, region: 'eu', digest: digest('0'), is: 'other-version' },
  ];
  return [
    { code: 'build-failed', detail: text, url: null },
    { code: 'build-timed-out' },
    { code: 'unreachable', target: text, detail: text },
    { code: 'nothing-left', target: text, digest: text },
    { code: 'partial', target: text, instances: [], expected: 0, running: 0 },
    { code: 'deploy-failed', target: text, detail: text },
    { code: 'deploy-timed-out', targets: [text] },
    { code: 'partial', target: text, instances, expected: 3, running: 1 },
    { code: 'environment-failed', target: text, detail: text },
    { code: 'check-failed', check: text, target: text, detail: text, url: null },
    { code: 'short-of-capacity', shortages: [{ ...SHORT, target: text, detail: text }] },
    { code: 'short-of-capacity', shortages: [{ ...SHORT, target: text, detail: text, needed: null, load: null }] },
    { code: 'degraded', signals: [text] },
    { code: 'inconclusive', signals: [text] },
    { code: 'unmeasurable', signals: [text] },
    { code: 'not-a-descendant', ancestry: text, baseSha: sha('b') },
    { code: 'not-on-default-branch' },
    { code: 'nothing-to-roll-back-to', target: text },
    { code: 'roll-back-failed', target: text, detail: text },
    { code: 'rejected', by: text, because: text },
    { code: 'approval-expired' },
    { code: 'asked', by: text, because: text },
    { code: 'taken-over', by: text, byRollout: 'ro-2' },
  ];
}

/** One of every phase. */
export function phases(text = 'prod'): Phase[] {
  const trouble: Trouble = { code: 'degraded', signals: [text] };
  const judgement = aJudgement(text);
  const before = [{ target: text, artifact: { digest: digest('0'), sha: sha('b') } }];
  const rounds = { waitingFor: [text], verifying: [], round: 0 };
  return [
    { is: 'building', sinceMs: NOON_MS },
    { is: 'queued', sinceMs: NOON_MS },
    { is: 'surveying', sinceMs: NOON_MS, at, waitingFor: [text], observations: [] },
    { is: 'gated', sinceMs: NOON_MS, at, voided: 1 },
    { is: 'clearing', sinceMs: NOON_MS, at, clearance: null, before: null, ...CAPACITY },
    { is: 'deploying', sinceMs: NOON_MS, at, waitingFor: [text], before: [] },
    { is: 'verifying', sinceMs: NOON_MS, at, waitingFor: [text], problems: { [text]: trouble }, before: [] },
    {
      is: 'baking',
      sinceMs: NOON_MS,
      at,
      round: 3,
      observedMs: 90_000,
      forMs: 600_000,
      lastLookMs: NOON_MS,
      memory: { before: {}, recent: {}, series: {} },
      judgement,
    },
    {
      is: 'deciding',
      sinceMs: NOON_MS,
      at,
      trouble,
      judgement,
      choices: ['retry', 'roll-back', 'continue', 'hold'],
      countdown: { choice: 'roll-back', atMs: NOON_MS + 900_000 },
    },
    {
      is: 'holding',
      sinceMs: NOON_MS,
      at,
      by: text,
      because: text,
      trouble,
      judgement,
      choices: ['retry', 'roll-back'],
    },
    { is: 'rolling-back', sinceMs: NOON_MS, at, trouble, to: before, ...rounds, judgement },
    { is: 'succeeded', atMs: NOON_MS },
    {
      is: 'rolled-back',
      atMs: NOON_MS,
      trouble,
      judgement,
      to: [{ target: text, artifact: { digest: digest('0'), sha: sha('0') } }],
    },
    { is: 'aborted', atMs: NOON_MS, trouble },
    { is: 'superseded', atMs: NOON_MS, byRollout: 'ro-2', bySha: sha('c') },
    { is: 'failed', atMs: NOON_MS, trouble },
    { is: 'preparing', sinceMs: NOON_MS, at, waitingFor: [text] },
    {
      is: 'checking',
      sinceMs: NOON_MS,
      at,
      running: [{ check: text, target: text, tryNumber: 1 }],
      outcomes: [],
      before: [],
    },
  ];
}
