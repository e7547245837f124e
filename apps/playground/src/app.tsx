import { useEffect } from 'preact/hooks';
import { Tabs } from './components/tabs.tsx';
import { Controls } from './components/controls.tsx';
import { SetupForm } from './components/setup-form.tsx';
import { Weights } from './components/weights.tsx';
import { device } from './state/session.ts';
import { view, type View } from './state/setup.ts';
import { watchServer } from './state/watch.ts';
import { Classify } from './views/classify.tsx';
import { Compare } from './views/compare.tsx';
import { Inside } from './views/inside.tsx';
import { Layers } from './views/layers.tsx';
import { Results } from './views/results.tsx';
import { Training } from './views/training.tsx';

const shown: Readonly<Record<View, { readonly title: string; readonly View: () => preact.JSX.Element }>> = {
  training: { title: 'Training', View: Training },
  layers: { title: 'Layers', View: Layers },
  inside: { title: 'Inside', View: Inside },
  results: { title: 'Mistakes', View: Results },
  classify: { title: 'Classify', View: Classify },
  compare: { title: 'Compare', View: Compare },
};

const tabs = Object.entries(shown).map(([key, { title }]) => [key as View, title] as const);

export function App() {
  useEffect(() => void watchServer(), []);
  const { title, View: Shown } = shown[view.value];
  return (
    <>
      <header class="page">
        <h1>
          Skiplane <span>playground</span>
        </h1>
        <p>A residual network trains in this page, before your eyes.</p>
        <DeviceLine />
      </header>
      <main>
        <aside aria-label="Setup">
          <SetupForm />
          <Weights />
        </aside>
        <section class="work" aria-label="Run">
          <Controls />
          <Tabs label="Views" tabs={tabs} selected={view.value} onSelect={(key) => (view.value = key)} />
          <div id="view" role="tabpanel" aria-labelledby={`tab-${view.value}`} tabIndex={0} data-view={title}>
            <Shown />
          </div>
        </section>
      </main>
    </>
  );
}

/** What computes, and what could not be had. */
function DeviceLine() {
  const info = device.value;
  const reasons = info?.downgrades.map(({ feature, reason }) => `${feature}: ${reason}`) ?? [];
  return (
    <p class="device">
      {info === null ? 'Nothing leaves this computer.' : `Computes on ${info.device}.`}
      {reasons.length > 0 && (
        <details>
          <summary>Not at full speed</summary>
          {reasons.map((reason) => (
            <p key={reason}>{reason}</p>
          ))}
        </details>
      )}
    </p>
  );
}
