import { assertNever } from './assert.ts';
import type { ServiceSpec } from './pipeline.ts';
import { type Actor, principalKey, type Role } from './principal.ts';
import type { Refusal } from './refusal.ts';
import type { Participant } from './release.ts';

/** Everything that somebody can ask Belay to do. */
export type Action =
  | 'look'
  | 'deploy'
  | 'deploy-protected'
  | 'approve'
  | 'reject'
  | 'rollback'
  | 'abort'
  | 'decide'
  | 'stop-countdown'
  | 'fix-drift'
  | 'accept-drift'
  | 'ignore-drift';

const ROLES: Record<Action, Role[]> = {
  look: ['viewer', 'deployer', 'approver', 'on-call', 'admin'],
  deploy: ['deployer', 'on-call'],
  'deploy-protected': ['deployer', 'on-call'],
  approve: ['approver', 'on-call'],
  reject: ['approver', 'on-call'],
  rollback: ['deployer', 'approver', 'on-call'],
  abort: ['deployer', 'approver', 'on-call'],
  decide: ['approver', 'on-call'],
  'stop-countdown': ['approver', 'on-call'],
  'fix-drift': ['deployer', 'approver', 'on-call'],
  'accept-drift': ['approver', 'on-call'],
  'ignore-drift': ['approver', 'on-call'],
};

/** Actions on a protected stage that need a proved link to a GitHub account. A rollback never does. */
const NEEDS_LINK: ReadonlySet<Action> = new Set(['deploy-protected', 'approve', 'reject', 'accept-drift']);

/** What nobody who took part in the change may do. Accepting what runs, whoever put it there, is an approval of it. */
const NOT_BY_PARTICIPANTS: ReadonlySet<Action> = new Set(['approve', 'reject', 'accept-drift']);

export type Allowed = { allowed: true } | { allowed: false; refusal: Refusal };

/**
 * The one door: may `actor` do `action`? Denies whatever it was not told: an unknown standing, no role, no link.
 * `change` is given when the action is about a change that the actor may have taken part in.
 */
export function authorize(
  actor: Actor,
  action: Action,
  change: { participants: Participant[]; requester: string } | null = null,
): Allowed {
  const { principal } = actor;
  switch (principal.kind) {
    case 'belay':
      // Belay's own rules may start a release and take it back; they can never approve or decide.
      return action === 'look' || action === 'deploy' || action === 'deploy-protected' || action === 'rollback'
        ? { allowed: true }
        : deny({ code: 'not-allowed', action, needs: ROLES[action] });
    case 'host':
      // A shell on Belay's host may look and roll back (Slack may be down); it cannot approve.
      return action === 'look' || action === 'rollback' || action === 'abort'
        ? { allowed: true }
        : deny({ code: 'not-allowed', action, needs: ROLES[action] });
    case 'github':
      return deny({ code: 'not-allowed', action, needs: ROLES[action] });
    case 'slack':
      break;
    default:
      return assertNever(principal, 'This kind of principal');
  }
  if (actor.standing !== 'member') return deny({ code: 'not-a-member', standing: actor.standing });
  const needs = ROLES[action];
  if (!actor.roles.some((role) => needs.includes(role))) return deny({ code: 'not-allowed', action, needs });
  if (NEEDS_LINK.has(action) && actor.githubId === null) return deny({ code: 'not-linked' });
  if (NOT_BY_PARTICIPANTS.has(action) && change) {
    if (principalKey(principal) === change.requester) return deny({ code: 'participant', part: 'requester' });
    const part = change.participants.find((one) => one.githubId !== null && one.githubId === actor.githubId);
    if (part) return deny({ code: 'participant', part: part.part });
  }
  return { allowed: true };
}

function deny(refusal: Refusal): Allowed {
  return { allowed: false, refusal };
}

/** The roles that a principal has for a service; everybody who may look at all is a viewer. */
export function rolesOf(service: Pick<ServiceSpec, 'roles' | 'onCall'>, key: string): Role[] {
  const roles: Role[] = ['viewer'];
  for (const role of ['deployer', 'approver', 'on-call', 'admin'] as const) {
    if (service.roles[role].includes(key)) roles.push(role);
  }
  if (service.onCall === key && !roles.includes('on-call')) roles.push('on-call');
  return roles;
}

/** `principalKey`s of those who could do `action` on this service, for the refusal's "ask one of". */
export function whoCan(service: Pick<ServiceSpec, 'roles' | 'onCall'>, action: Action): string[] {
  const needs = ROLES[action];
  const keys = new Set<string>();
  for (const role of ['deployer', 'approver', 'on-call', 'admin'] as const) {
    if (needs.includes(role)) for (const key of service.roles[role]) keys.add(key);
  }
  if (needs.includes('on-call')) keys.add(service.onCall);
  return [...keys];
}
