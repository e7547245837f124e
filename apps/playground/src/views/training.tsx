import { Curves } from '../components/curves.tsx';
import { Empty } from '../components/notice.tsx';
import { shownRun } from '../state/session.ts';
import { change, setup, type Setup } from '../state/setup.ts';

const ideas: readonly (readonly [title: string, changes: Partial<Setup>])[] = [
  ['Residual, 8 layers: learns while you watch', { network: 'resnet', depth: 8 }],
  ['Plain, 44 layers: deep, without shortcuts', { network: 'plain', depth: 44 }],
  ['Residual, 44 layers: as deep, with them', { network: 'resnet', depth: 44 }],
];

export function Training() {
  const run = shownRun.value;
  if (run !== null) return <Curves runs={[run]} />;
  return (
    <Empty title="Train a network">
      Press <b>Train</b> above. Or begin with one of these:
      <span class="ideas">
        {ideas.map(([title, changes]) => (
          <button
            key={title}
            type="button"
            aria-pressed={Object.entries(changes).every(([name, value]) => setup.value[name as keyof Setup] === value)}
            onClick={() => change(changes)}
          >
            {title}
          </button>
        ))}
      </span>
    </Empty>
  );
}
