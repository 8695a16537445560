import { Agent, get } from 'node:http';

/**
 * Users who wait longer than the service can answer must not pile up: there would be more than an instance that is replaced
 * can answer while it drains. Enough for 40 a second of a release whose answers take more than a second.
 */
const MAX_IN_FLIGHT = 64;

export type Traffic = { set(rps: number): void; stop(): void };

/** A steady stream of real requests to one address. Who counts them is the balancer. */
export function startTraffic(url: string, rps: number): Traffic {
  const agent = new Agent({ keepAlive: true });
  let timer: NodeJS.Timeout | null = null;
  let inFlight = 0;

  function send(): void {
    if (inFlight >= MAX_IN_FLIGHT) return;
    inFlight += 1;
    const request = get(`${url}/`, { agent }, (response) => response.resume());
    request.on('error', () => {});
    request.on('close', () => {
      inFlight -= 1;
    });
  }

  const traffic: Traffic = {
    set(wished) {
      if (timer) clearInterval(timer);
      timer = wished > 0 ? setInterval(send, 1000 / wished) : null;
    },
    stop() {
      traffic.set(0);
      agent.destroy();
    },
  };
  traffic.set(rps);
  return traffic;
}
