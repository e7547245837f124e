import { modelType } from '@skiplane/resnet';
import { html, Html } from './html.ts';
import type { RunReport } from './run-report.ts';
import { curvesSection, evaluationSection, factsSection, makingSection, runsSection } from './sections.ts';
import { style } from './style.ts';

/** One run, or several compared, as a page that needs no other file, no network and no script. */
export function reportPage(runs: readonly RunReport[]): string {
  const [only] = runs;
  return only !== undefined && runs.length === 1
    ? page(titleOf(only), runPage(only))
    : page(`${runs.length} runs`, runsPage(runs));
}

function runPage(run: RunReport): readonly Html[] {
  const { evaluation, classNames } = run;
  return [
    factsSection(run),
    curvesSection([run]),
    evaluation === null
      ? html`<section>
          <h2>Test images</h2>
          <p class="quiet">Not looked at yet.</p>
        </section>`
      : evaluationSection(evaluation, classNames),
    makingSection(run),
  ];
}

function runsPage(runs: readonly RunReport[]): readonly Html[] {
  const parts = runs.map(
    (run) =>
      html`<details>
        <summary>${run.name}: ${titleOf(run)}</summary>
        ${factsSection(run)}${makingSection(run)}
      </details>`,
  );
  return [
    runsSection(runs),
    curvesSection(runs),
    html`<section>
      <h2>Each run</h2>
      ${parts}
    </section>`,
  ];
}

function titleOf({ model, recipe, seed }: RunReport): string {
  return `${modelType(model)} by the recipe ${recipe.name}, seed ${seed}`;
}

/** A page of its own: no other file, no network, no script. */
export function page(title: string, sections: readonly Html[]): string {
  return html`<!doctype html>
    <html lang="en">
      <head>
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <title>${title}</title>
        <style>
          ${new Html(style)}
        </style>
      </head>
      <body>
        <h1>${title}</h1>
        ${sections}
      </body>
    </html> `.text;
}
