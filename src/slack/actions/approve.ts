import { type Act, submit } from './click.ts';

export const approve: Act = (click) =>
  submit(click, 'approve', (actor, generation) => ({ type: 'approved', atMs: click.desk.now(), generation, actor }));
