import { GITHUB_IDS } from '../github/people.ts';
import { ANA, APP, BEN, CHO, DAN, DEPLOYS, SHOP, TEAM } from '../slack/people.ts';

/** What differs from one sandbox to the next; everything else is what anybody would write. */
export type Setting = {
  slackMode: 'socket' | 'http';
  appId: number;
  installationId: number;
  fleetUrl: string;
  /** null: Belay reads every instance's metrics itself. */
  prometheusUrl: string | null;
  pace: Pace;
};

/** Durations as they are written in a configuration. */
export type Pace = {
  /** How often GitHub is asked besides its webhooks. */
  poll: string;
  /** How long each step is watched, and the canary. */
  bake: string;
  canaryBake: string;
  every: string;
  /** Not healthy by then: on-call is asked. */
  bakeDeadline: string;
  /** A target is not done, or an instance does not run the release, by then: it has failed, and is named. */
  deployDeadline: string;
  verifyDeadline: string;
  /** How long on-call has before the default happens. */
  decide: string;
  /** How often what runs is compared with what is recorded. */
  drift: string;
};

/** Seconds, for somebody who looks on; in earnest these are minutes and hours. */
export const DEMO_PACE: Pace = {
  poll: '5s',
  bake: '3s',
  canaryBake: '4s',
  every: '1s',
  bakeDeadline: '1m',
  deployDeadline: '5m',
  verifyDeadline: '1m',
  decide: '2m',
  drift: '15s',
};

/** As fast as it can be and still be judged on real traffic. */
export const AUTO_PACE: Pace = { ...DEMO_PACE, bake: '2s', canaryBake: '3s' };

const PEOPLE = { Ana: ANA, Ben: BEN, Cho: CHO, Dan: DAN };

/** belay.yml */
export function belayYml({ slackMode, appId, installationId, fleetUrl, prometheusUrl, pace }: Setting): string {
  const people = Object.entries(PEOPLE).map(([name, slack]) => {
    const login = name.toLowerCase() as 'ana' | 'ben' | 'cho' | 'dan';
    return `  - { name: ${name}, slack: ${slack}, github: { id: ${GITHUB_IDS[login]}, login: ${login} } }`;
  });
  const source =
    prometheusUrl === null
      ? '{ kind: scrape, shortestWindowMs: 1000 }'
      : `{ kind: prometheus, url: '${prometheusUrl}' }`;
  return `database: belay.db
http: { host: 127.0.0.1, port: 0 }
slack:
  mode: ${slackMode}
  team: ${TEAM}
  app: ${APP}
  channels: [${DEPLOYS}]
github: { app: ${appId}, installation: ${installationId}, poll: ${pace.poll} }
providers:
  fleet: { kind: http, url: '${fleetUrl}', token: '\${FLEET_TOKEN}' }
sources:
  metrics: ${source}
people:
${people.join('\n')}
services: [services/shop.yml]
`;
}

/** services/shop.yml */
export function shopYml({ prometheusUrl, pace }: Setting): string {
  const { errors, latency, requests } = prometheusUrl === null ? SCRAPED : PROMQL;
  const { bake, canaryBake, every, bakeDeadline, deployDeadline, verifyDeadline, decide, drift } = pace;
  return `service: shop
repo: acme/shop
channel: ${SHOP}
roles:
  deployers: [Ana, Ben, Cho, Dan]
  approvers: [Ben, Cho]
  onCall: [Cho]
onCall: Cho
build: { check: build, deadline: 2m }
drift: { every: ${drift} }
provider: fleet
targets:
  staging:
  eu:
  us:
signals:
  - name: errors
    source: metrics
    query: ${errors}
    healthyWhen: { max: 1 }
    degradedWhen: { min: 5 }
    failures: 2
    of: 3
    unit: '%'
  - name: latency-p95
    source: metrics
    query: ${latency}
    healthyWhen: { max: 500 }
    degradedWhen: { min: 1000 }
    failures: 2
    of: 3
    unit: ms
  - name: traffic
    kind: requests
    source: metrics
    query: ${requests}
    healthyWhen: { min: 5 }
    unit: req
stages:
  - name: staging
    targets: [staging]
    bake: { for: ${bake}, every: ${every}, deadline: ${bakeDeadline} }
    deployDeadline: ${deployDeadline}
    verifyDeadline: ${verifyDeadline}
  - name: production
    protected: true
    approvals: { required: 1, expire: 1h }
    targets: [us, eu]
    rollout:
      canary:
        share: 25%
        bake: { for: ${canaryBake}, every: ${every}, deadline: ${bakeDeadline} }
      waves: [regions]
    bake: { for: ${bake}, every: ${every}, deadline: ${bakeDeadline} }
    deployDeadline: ${deployDeadline}
    verifyDeadline: ${verifyDeadline}
    onDegraded: ask
    decide: { within: ${decide}, default: roll-back }
`;
}

type Queries = { errors: string; latency: string; requests: string };

const SCRAPED: Queries = {
  errors:
    "{ ratio: { of: http_requests_total, where: { code: '5*' }, over: http_requests_total }, window: 5s, times: 100 }",
  latency: '{ quantile: { of: http_request_duration_seconds, q: 0.95 }, window: 5s, times: 1000 }',
  requests: '{ increase: { of: http_requests_total }, window: 5s }',
};

const SERIES = 'digest="$version", target=~"$targets"';

const PROMQL: Queries = {
  errors: promql(
    `100 * sum(rate(http_requests_total{${SERIES}, code=~"5.."}[5s])) / sum(rate(http_requests_total{${SERIES}}[5s]))`,
  ),
  latency: promql(
    `1000 * histogram_quantile(0.95, sum by (le) (rate(http_request_duration_seconds_bucket{${SERIES}}[5s])))`,
  ),
  requests: promql(`sum(increase(http_requests_total{${SERIES}}[5s]))`),
};

function promql(text: string): string {
  return `{ promql: '${text}' }`;
}
