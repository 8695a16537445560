/** One running copy, as the fleet panel shows it. */
export type FleetInstance = { name: string; version: string; healthy: boolean; state?: string };
export type FleetTarget = {
  name: string;
  instances: FleetInstance[];
  requestsPerSecond: number;
  failedPerSecond: number;
};
export type FleetState = { targets: FleetTarget[] };

export type PullRequest = { id: string; title: string; description: string; merged: boolean };

/** What the page shows besides Slack; the embedding process provides it. */
export type Outlook = {
  links?: { title: string; url: string }[];
  fleetState?: () => FleetState | Promise<FleetState>;
  merges?: { list(): PullRequest[] | Promise<PullRequest[]>; merge(id: string): Promise<unknown> };
};
