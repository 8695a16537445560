import { startFleet } from '../../sandbox/fleet/fleet.ts';

/* A fleet in a process of its own, for the test that kills it. Says where its instances are, then stays. */
const fleet = await startFleet({
  behaviours: new Map(),
  initialDigest: `sha256:${'0'.repeat(64)}`,
  token: 'token',
  regions: { eu: { instances: 2, rps: 0 } },
});
console.log(JSON.stringify(fleet.state()));
