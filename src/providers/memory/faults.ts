/** What a test or the simulator can make a target do. */
export type MemoryFault =
  /** Changes fail and change nothing. */
  | { is: 'fail'; isTerminal: boolean; detail?: string }
  /** Changes answer `done`, but these instances stay as they are. */
  | { is: 'partial'; stays: string[] }
  /** Every call throws, and changes nothing. */
  | { is: 'unreachable' }
  /** Nobody can read what runs on these. */
  | { is: 'unreadable'; ids: string[] }
  /** The change happens and its answer is lost, as with a time-out after the effect. */
  | { is: 'lost-answer' }
  /** Instances come up on the artifact but are not healthy. */
  | { is: 'unhealthy' };

type Of<Is extends MemoryFault['is']> = Extract<MemoryFault, { is: Is }>;

/** The troubles of every target, each for so many calls. */
export type Faults = {
  inject(target: string, fault: MemoryFault, times: number): void;
  /** Of one target, or of all. */
  heal(target?: string): void;
  /** Is the target in this trouble? Uses up one of its times. */
  hits<Is extends MemoryFault['is']>(target: string, is: Is): Of<Is> | null;
};

export function createFaults(): Faults {
  const byTarget = new Map<string, { fault: MemoryFault; left: number }[]>();
  const ofTarget = (target: string) => byTarget.get(target) ?? [];

  return {
    inject(target, fault, times) {
      const others = ofTarget(target).filter((one) => one.fault.is !== fault.is);
      byTarget.set(target, [...others, { fault, left: times }]);
    },
    heal: (target) => (target === undefined ? byTarget.clear() : void byTarget.delete(target)),
    hits<Is extends MemoryFault['is']>(target: string, is: Is) {
      const found = ofTarget(target).find((one) => one.fault.is === is);
      if (!found) return null;
      found.left -= 1;
      if (!(found.left > 0)) {
        byTarget.set(
          target,
          ofTarget(target).filter((one) => one !== found),
        );
      }
      return found.fault as Of<Is>;
    },
  };
}
