/** What was read, or why it could not be. */
export type Read<Value> = { value: Value } | { value: null; why: string };

/** What was read of a target before a plan was made. */
export type TargetFacts = {
  /** Instances that serve users, by region. */
  instances: Read<Record<string, number>>;
  /** Requests a second; null: nothing says how to read them. */
  load: Read<number> | null;
  /** How many instances serve at least while so much of the target is changed, by `strategyKey` and share. */
  capacity: { strategy: string; share: number; servingDuring: Read<number> }[];
};

/** What a plan is made by besides the service file, by target. A target that is not here was not asked. */
export type PlanFacts = Record<string, TargetFacts>;
