/** Seeds that once broke a promise, with what it was: they run first, for ever. */
export const CORPUS: { seed: number; broke: string }[] = [
  {
    seed: 1,
    broke: 'T6: a queued release started between the end of the live rollout and the rollback that took its lane',
  },
  {
    seed: 16,
    broke: 'T18: the removal that an earlier rollout still owed took an environment from the one that had made it anew',
  },
];
