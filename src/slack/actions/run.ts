import { type Act, refuse, say } from './click.ts';

/** The button of “did you mean”: its text is parsed and authorized like any that is typed. */
export const run: Act = async (click) => {
  const [, command = '', text = ''] = /^(\/[a-z]+) ?(.*)$/s.exec(click.value) ?? [];
  if (command === '') return refuse('This button makes no sense any more. Type the command again.');
  const message = await click.runCommand(command, text);
  return message ? say(message) : null;
};
