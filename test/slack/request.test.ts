import { describe, expect, it } from 'vitest';
import { isOurs, isResponseUrl } from '../../src/slack/request.ts';

describe('T15 where a request comes from', () => {
  const installed = { teamId: 'T0HOME', appId: 'A0BELAY' };

  it.each([
    [{ api_app_id: 'A0BELAY', team_id: 'T0HOME' }, true],
    [{ api_app_id: 'A0BELAY', team: { id: 'T0HOME' } }, true],
    [{ api_app_id: 'A0BELAY', team: null, enterprise: { id: 'E1' } }, false],
    [{ api_app_id: 'A0BELAY' }, false],
    [{ team_id: 'T0HOME' }, false],
    [{ api_app_id: 'A0OTHER', team_id: 'T0HOME' }, false],
    [{ api_app_id: 'A0BELAY', team_id: 'T0OTHER' }, false],
    [{ api_app_id: 'A0BELAY', team_id: ['T0HOME'] }, false],
    [null, false],
  ])('%j', (body, expected) => {
    expect(isOurs(body, installed)).toBe(expected);
  });

  it('H053 may be an organisation’s, whichever of its workspaces sends it', () => {
    const grid = { teamId: 'E1', appId: 'A0BELAY' };
    expect(isOurs({ api_app_id: 'A0BELAY', team: null, enterprise: { id: 'E1' } }, grid)).toBe(true);
    expect(isOurs({ api_app_id: 'A0BELAY', team: { id: 'T_B' }, enterprise: { id: 'E1' } }, grid)).toBe(true);
    expect(isOurs({ api_app_id: 'A0BELAY', team: { id: 'T_B' }, enterprise: { id: 'E2' } }, grid)).toBe(false);
  });
});

describe('H062-H064 where an answer goes', () => {
  it.each([
    ['https://hooks.slack.com/commands/1', true],
    ['https://hooks.slack-gov.com/commands/1', true],
    ['http://hooks.slack.com/commands/1', false],
    ['https://hooks.slack.com:8443/x', false],
    ['https://user@hooks.slack.com/x', false],
    ['https://hooks.slack.com.evil.test/x', false],
    ['https://hooks.slack.com@evil.test/x', false],
    ['http://169.254.169.254/latest/meta-data/', false],
    ['nonsense', false],
  ])('%s', (url, expected) => {
    expect(isResponseUrl(url, null)).toBe(expected);
  });
});
