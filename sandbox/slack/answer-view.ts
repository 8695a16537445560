import { type Fields, fieldsOf } from './fields.ts';
import { changeView, checkedView, pushView } from './methods/views.ts';
import { SlackError } from './slack-error.ts';
import type { View, Workspace } from './workspace.ts';

/** Does to the modal what the bot answered its submission with; without an answer the modal closes. */
export function answerView(workspace: Workspace, user: string, view: View, answer: Fields): void {
  try {
    switch (answer.response_action) {
      case 'errors':
        view.errors = Object.fromEntries(
          Object.entries(fieldsOf(answer.errors)).map(([block, words]) => [block, String(words)]),
        );
        return;
      case 'update':
        changeView(workspace, view, checkedView(workspace, answer.view, 'modal'));
        return;
      case 'push':
        pushView(workspace, user, checkedView(workspace, answer.view, 'modal'));
        return;
      case 'clear':
        workspace.setStack(user, []);
        return;
      default:
        workspace.setStack(
          user,
          workspace.stack(user).filter((one) => one.id !== view.id),
        );
    }
  } catch (error) {
    if (!(error instanceof SlackError)) throw error;
    view.problem = `We had some trouble connecting. Try again? (${[error.code, ...error.messages].join(' ')})`;
  }
}
