/** Who and what is in the default workspace. The ids never change, so tests and the demo may name them. */
export const TEAM = 'T0BELAY001';
export const OTHER_TEAM = 'T0PARTNER1';
export const APP = 'A0BELAY001';
export const BOT = 'B0BELAY001';
export const BOT_USER = 'U0BELAY001';

export const ANA = 'U0ANA00001';
export const BEN = 'U0BEN00001';
export const CHO = 'U0CHO00001';
export const DAN = 'U0DAN00001';
export const EVE = 'U0EVE00001';
export const MALLORY = 'U0MAL00001';

export const DEPLOYS = 'C0DEPLOYS1';
export const SHOP = 'C0SHOP0001';
export const PARTNERS = 'C0PARTNER1';

export const APPROVERS = 'S0APPROVE1';
export const ON_CALL = 'S0ONCALL01';
export const DEPLOYERS = 'S0DEPLOY01';

export type Member = {
  id: string;
  name: string;
  realName: string;
  /** What the page's "act as" says about the person. */
  does: string;
  teamId: string;
  guest: boolean;
  stranger: boolean;
  deleted: boolean;
  bot: boolean;
  tz: string;
  locale: string;
};

export type Channel = {
  id: string;
  name: string;
  kind: 'channel' | 'private' | 'im' | 'mpim';
  topic: string;
  members: string[];
  archived: boolean;
  /** With a workspace outside (Slack Connect). */
  shared: boolean;
};

export type Group = { id: string; handle: string; name: string; members: string[]; disabled: boolean };

/** A member with everything that is not said filled in. */
export function member(id: string, name: string, realName: string, more: Partial<Member> = {}): Member {
  return {
    id,
    name,
    realName,
    does: 'member',
    teamId: TEAM,
    guest: false,
    stranger: false,
    deleted: false,
    bot: false,
    tz: 'Europe/Berlin',
    locale: 'en-GB',
    ...more,
  };
}

export function channel(id: string, name: string, members: string[], more: Partial<Channel> = {}): Channel {
  return { id, name, kind: 'channel', topic: '', members, archived: false, shared: false, ...more };
}

export function defaultMembers(): Member[] {
  return [
    member(ANA, 'ana', 'Ana Author', { does: 'author' }),
    member(BEN, 'ben', 'Ben Approver', { does: 'approver' }),
    member(CHO, 'cho', 'Cho On-call', { does: 'on call' }),
    member(DAN, 'dan', 'Dan Deployer', { does: 'deployer' }),
    member(EVE, 'eve', 'Eve Guest', { does: 'guest', guest: true }),
    member(MALLORY, 'mallory', 'Mallory External', {
      does: 'from another company',
      stranger: true,
      teamId: OTHER_TEAM,
    }),
    member(BOT_USER, 'belay', 'Belay', { does: 'app', bot: true }),
  ];
}

export function defaultChannels(): Channel[] {
  const inside = [ANA, BEN, CHO, DAN, EVE, BOT_USER];
  return [
    channel(DEPLOYS, 'deploys', [...inside], { topic: 'Every release on its way to production' }),
    channel(SHOP, 'shop', [...inside], { topic: 'The shop team' }),
    channel(PARTNERS, 'partners', [ANA, BEN, MALLORY, BOT_USER], { topic: 'Shared with a partner', shared: true }),
  ];
}

export function defaultGroups(): Group[] {
  return [
    { id: APPROVERS, handle: 'approvers', name: 'Approvers', members: [BEN, CHO], disabled: false },
    { id: ON_CALL, handle: 'oncall', name: 'On call', members: [CHO], disabled: false },
    { id: DEPLOYERS, handle: 'deployers', name: 'Deployers', members: [ANA, BEN, CHO, DAN], disabled: false },
  ];
}
