import type { Participant } from './release.ts';

/** Exactly what an approval covers; any change voids it. */
export type Binding = { service: string; stage: string; digest: string; planHash: string; policyHash: string };

/** A person's yes: who, when, for exactly what, until when. */
export type Approval = {
  /** `principalKey` of the approver. */
  by: string;
  name: string;
  githubId: number | null;
  atMs: number;
  expiresAtMs: number;
  binding: Binding;
};

export function isSameBinding(a: Binding, b: Binding): boolean {
  return (
    a.service === b.service &&
    a.stage === b.stage &&
    a.digest === b.digest &&
    a.planHash === b.planHash &&
    a.policyHash === b.policyHash
  );
}

/**
 * The approvals that count now for `binding`: unexpired, for exactly this, by distinct people none of whom took part
 * in the change. `eligible` (principal keys, re-read just before) narrows them further; null: not re-read yet.
 */
export function countingApprovals(
  approvals: Approval[],
  binding: Binding,
  participants: Participant[],
  requester: string,
  nowMs: number,
  eligible: string[] | null,
): Approval[] {
  const counted = new Map<string, Approval>();
  for (const approval of approvals) {
    const tookPart =
      approval.by === requester ||
      participants.some((one) => one.githubId !== null && one.githubId === approval.githubId);
    // A human is one GitHub account however many Slack accounts are linked to it.
    const human = approval.githubId === null ? approval.by : `github:${approval.githubId}`;
    const counts =
      approval.expiresAtMs > nowMs &&
      isSameBinding(approval.binding, binding) &&
      !tookPart &&
      (eligible === null || eligible.includes(approval.by));
    if (counts && !counted.has(human)) counted.set(human, approval);
  }
  return [...counted.values()];
}
