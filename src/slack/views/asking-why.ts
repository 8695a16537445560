import type { ReasonedChoice } from '../../core/choosing.ts';
import type { Rollout } from '../../core/rollout.ts';
import { spoken } from './card.ts';
import { code } from './escape.ts';
import { troubleSentence } from './trouble-words.ts';

/** The words of the modal that asks for a reason; whoever signs reads once more what it is for. */
export function askingWhy(rollout: Rollout, choice: ReasonedChoice): { title: string; submit: string; about: string } {
  switch (choice) {
    case 'continue': {
      const about = `${spoken(rollout)} goes on in spite of the evidence. Say why that is right.`;
      return { title: 'Continue anyway', submit: 'Continue', about };
    }
    case 'begin-anyway': {
      const because = 'trouble' in rollout.phase ? ` though ${troubleSentence(rollout.phase.trouble)}` : '';
      const about = `${spoken(rollout)} begins the step${because}. Everything else is checked once more first; capacity is not, until the step is tried anew. Say why that is right.`;
      return { title: 'Begin anyway', submit: 'Begin', about };
    }
    case 'go-on-without': {
      const trouble = 'trouble' in rollout.phase ? rollout.phase.trouble : null;
      const left = trouble?.code === 'partial' ? trouble.instances : [];
      const named = left.slice(0, 20).map((one) => code(one.id, 60));
      const rest = left.length > named.length ? ` and ${left.length - named.length} more` : '';
      const about = `${spoken(rollout)} goes on without ${named.join(', ')}${rest}. They stay as they are, and are not reported again. Say why that is right.`;
      return { title: 'Go on without them', submit: 'Go on', about };
    }
  }
}
