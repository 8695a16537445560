/** One thing that was looked at. `fix`: what to do, when it is not well. */
export type Finding = { name: string; ok: boolean; detail: string; fix: string | null };
