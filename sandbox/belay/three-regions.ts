import { PAYMENTS } from '../fleet/payments.ts';
import { SHOP } from '../slack/people.ts';
import type { Files } from '../world.ts';

/** How long the steps of a scenario are watched: seconds where in earnest it would be minutes. */
export type ScenarioPace = { canaryBake: string; bake: string; floor: string };

/**
 * A shop in three regions with different traffic, beside a neighbour that it calls: staging, a canary in every region,
 * then the region with the least traffic, then the others together. Judged by limits, by comparison with what runs
 * beside it, by rates, and by the neighbour's health.
 */
export function threeRegions(files: Files, pace: ScenarioPace): Files {
  return {
    belay: files.belay.replace('services: [services/shop.yml]', 'services: [services/shop.yml, services/payments.yml]'),
    shop: shopYml(pace),
    others: { 'payments.yml': paymentsYml() },
  };
}

function shopYml({ canaryBake, bake, floor }: ScenarioPace): string {
  return `service: shop
repo: acme/shop
channel: ${SHOP}
roles:
  deployers: [Ana, Ben, Cho, Dan]
  approvers: [Ben, Cho]
  onCall: [Cho]
onCall: Cho
build: { check: build, deadline: 2m }
provider: fleet
targets:
  staging:
  eu: { country: ie, ring: everyone }
  us: { country: us, ring: everyone }
  ap: { country: sg, ring: early }
traffic:
  source: metrics
  query: { rate: { of: http_requests_total }, version: all, window: 5s }
  perInstance: 40
neighbours: { downstream: [${PAYMENTS}] }
groups: { answers: 60 }
signals:
  - name: errors
    source: metrics
    query: { ratio: { of: http_requests_total, where: { code: '5*' }, over: http_requests_total }, window: 5s, times: 100 }
    healthyWhen: { max: 3 }
    degradedWhen: { min: 6 }
    failures: 2
    of: 3
    unit: '%'
  - name: error-rate
    kind: rate
    source: metrics
    query: { ratio: { of: http_requests_total, where: { code: '5*' }, over: http_requests_total } }
    baseline: current
    direction: increase
    confidence: 99%
    failures: 2
    of: 3
  - name: latency
    kind: compare
    source: metrics
    query: { quantile: { of: http_request_duration_seconds, q: 0.95 }, window: 1s, times: 1000 }
    baseline: current
    direction: increase
    tolerance: 50%
    role: scored
    group: answers
    failures: 2
    of: 3
    unit: ms
  - name: memory
    kind: compare
    source: metrics
    query: { value: { of: process_resident_memory_bytes, take: avg }, times: 0.000001 }
    baseline: current
    direction: increase
    tolerance: 20%
    failures: 2
    of: 3
    unit: MB
  - name: payments-errors
    neighbour: ${PAYMENTS}
    source: metrics
    query: { ratio: { of: http_requests_total, where: { code: '5*' }, over: http_requests_total }, window: 5s, times: 100 }
    healthyWhen: { max: 5 }
    degradedWhen: { min: 15 }
    failures: 2
    of: 3
    unit: '%'
  - name: traffic
    kind: requests
    source: metrics
    query: { increase: { of: http_requests_total }, window: 5s }
    healthyWhen: { min: 5 }
    unit: req
stages:
  - name: staging
    targets: [staging]
    bake: { for: 3s, every: 1s, deadline: 1m }
    verifyDeadline: 1m
  - name: production
    protected: true
    approvals: { required: 1, expire: 1h }
    targets: [eu, us, ap]
    rollout:
      strategy: { rolling: { maxSurge: 0, maxUnavailable: 1, drain: 30s } }
      canary:
        share: 25%
        bake: { for: ${canaryBake}, every: 1s, deadline: 3m }
      waves: [regions]
      order: least-traffic-first
      regionsAtOnce: [1, 2]
      speedUp: { factor: 2, floor: ${floor} }
    bake: { for: ${bake}, every: 1s, deadline: 2m }
    deployDeadline: 5m
    verifyDeadline: 15s
    onDegraded: rollback
    decide: { within: 2m, default: roll-back }
`;
}

function paymentsYml(): string {
  return `service: ${PAYMENTS}
repo: acme/payments
channel: ${SHOP}
roles: { deployers: [Dan], approvers: [Ben, Cho], onCall: [Cho] }
onCall: Cho
build: { check: build, deadline: 2m }
provider: fleet
targets: { ${PAYMENTS}: }
drift: off
signals:
  - name: errors
    source: metrics
    query: { ratio: { of: http_requests_total, where: { code: '5*' }, over: http_requests_total }, window: 5s }
    healthyWhen: { max: 0.05 }
stages:
  - name: production
    protected: true
    approvals: { required: 1, expire: 1h }
    targets: [${PAYMENTS}]
    bake: { for: 5s, every: 1s }
`;
}
