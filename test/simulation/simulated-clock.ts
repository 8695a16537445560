/**
 * Three ways in which time goes on: everybody is awake, the machine sleeps, or the clock is set. Only the first is time in
 * which somebody could have watched.
 */
export class SimulatedClock {
  /** What the process reads. */
  nowMs = 1_700_000_000_000;
  /** How long the machine was awake. */
  awakeMs = 0;
  /** How long the world has turned, asleep or awake: no clock that is set changes that. */
  worldMs = 0;
  /** By how much in all the clock was set back, and set forward or slept through. */
  backMs = 0;
  forwardMs = 0;
  /** How often the clock was set, or the machine slept. */
  disturbances = 0;

  pass(ms: number): void {
    this.nowMs += ms;
    this.awakeMs += ms;
    this.worldMs += ms;
  }

  /** Forward or back; the world does not notice. */
  set(byMs: number): void {
    this.nowMs += byMs;
    if (byMs < 0) this.backMs -= byMs;
    else this.forwardMs += byMs;
    this.disturbances += 1;
  }

  sleep(ms: number): void {
    this.nowMs += ms;
    this.worldMs += ms;
    this.forwardMs += ms;
    this.disturbances += 1;
  }
}
