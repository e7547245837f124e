import { labOf, type Dataset, type LabGroup } from '@skiplane/resnet';
import { describeMachine } from '@skiplane/resnet/node';
import { formatCount, formatDuration } from '../render/format.ts';
import { html, htmlTable, type Html } from '../report/html.ts';
import { page } from '../report/page.ts';
import { describeRecipe } from '../train/recipe.ts';
import { epochSections, layerSections } from './charts.ts';
import type { LabPlan } from './lab-file.ts';
import { percent, publishedText } from './figures.ts';
import type { NetResult, NetRuns } from './results.ts';

export interface LabReport {
  readonly plan: LabPlan;
  readonly nets: readonly NetRuns[];
  readonly results: readonly NetResult[];
  readonly train: Dataset;
  readonly test: Dataset;
}

/** A lab on one page that needs no other file, no network and no script. */
export function labPage(report: LabReport): string {
  const { plan, nets, results } = report;
  const { title, question, groups } = labOf(plan.lab, plan.depth);
  const drawn = groups
    .map((group) => ({ group, nets: netsIn(group, nets) }))
    .filter((one) => one.nets.some(({ runs }) => runs.length > 0));
  return page(title, [
    html`<p>${question}</p>`,
    factsSection(report),
    ...groups.map((group) => tableSection(group, results)),
    // Few nets are compared on one chart.
    ...(nets.length <= 6
      ? epochSections('Curves', nets)
      : drawn.flatMap((one) => epochSections(one.group.title, one.nets))),
    ...(nets.length <= 6
      ? layerSections('Layers', nets)
      : drawn.flatMap((one) => layerSections(one.group.title, one.nets))),
  ]);
}

const netsIn = ({ nets }: LabGroup, all: readonly NetRuns[]): readonly NetRuns[] =>
  all.filter(({ net }) => nets.some(({ model }) => model === net.model));

function factsSection({ plan, nets, train, test }: LabReport): Html {
  const runs = nets.flatMap((net) => net.runs);
  const seconds = runs.reduce((sum, { run }) => sum + run.seconds, 0);
  const { cpu, cores } = describeMachine();
  const { seeds, recipe, budget } = plan;
  const rows = [
    ['training images', `${formatCount(train.count)} of '${train.name}'`],
    ['test images', `${formatCount(test.count)} of '${test.name}'; nothing is chosen by them`],
    ['recipe, the same for all', describeRecipe(recipe)],
    [
      'epochs, the same for all',
      budget === null
        ? String(recipe.epochs)
        : `${recipe.epochs}, of ${budget.wantedEpochs}, to fit a budget of ${formatDuration(budget.seconds)}`,
    ],
    ['seeds', seeds.join(', ')],
    ['runs with a checkpoint', `${runs.length} of ${plan.nets.length * seeds.length}`],
    ['time of all runs', formatDuration(seconds)],
    ['machine', `${cpu}, ${cores} cores`],
  ];
  return html`<section>
    <h2>Budget</h2>
    ${htmlTable(['what', 'value'], rows, [0, 1])}
    <p class="quiet">
      Published errors are of whole trainings, on all 50,000 images for about 164 epochs or more; with less, errors are
      higher, and what compares is the order.
    </p>
  </section>`;
}

function tableSection({ title, nets }: LabGroup, all: readonly NetResult[]): Html {
  const rows = all
    .filter(({ model }) => nets.some((net) => net.model === model))
    .map(({ model, parameters, runs, trainError, testError }) => {
      const { label = model, published = null } = nets.find((net) => net.model === model) ?? {};
      return [
        label,
        model,
        formatCount(parameters),
        String(runs.filter((run) => run.testError !== null).length),
        percent(trainError),
        percent(testError),
        publishedText(published),
        published?.source ?? '-',
      ];
    });
  const head = [
    'net',
    'model',
    'parameters',
    'ended runs',
    'training error',
    'test error',
    'published test error',
    'of',
  ];
  return html`<section>
    <h2>${title}</h2>
    ${htmlTable(head, rows, [0, 1, 7])}
    <p class="quiet">
      Mean ± sample standard deviation over the seeds, with the weights of the last epoch; the training error is of the
      training images as they are, with the moving statistics.
    </p>
  </section>`;
}
