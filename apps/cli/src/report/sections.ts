import { classResults, modelType, recipeNotes, summarize } from '@skiplane/resnet';
import type { CurvePoint } from '@skiplane/resnet/node';
import { formatCount, formatDuration, formatPercent, formatRate } from '../render/format.ts';
import { chart, type ChartOptions, type Line, type Point } from './charts.ts';
import { legendOf } from './legend.ts';
import { html, htmlTable, type Html } from './html.ts';
import type { RunReport } from './run-report.ts';
import { lineColor } from './style.ts';
import type { TestEvaluation } from './test-evaluation.ts';

/** A quantity by epoch: of training and, where there is one, of validation. */
interface Curve extends ChartOptions {
  readonly title: string;
  readonly train: (point: CurvePoint) => number | null;
  readonly validation?: (point: CurvePoint) => number | null;
}

const curves: readonly Curve[] = [
  {
    title: 'Loss',
    label: 'Loss by epoch',
    mayBeLogarithmic: true,
    train: ({ loss }) => loss,
    validation: ({ valLoss }) => valLoss,
  },
  {
    title: 'Accuracy',
    label: 'Accuracy by epoch',
    format: '.0%',
    train: ({ accuracy }) => accuracy,
    validation: ({ valAccuracy }) => valAccuracy,
  },
  {
    title: 'Learning rate, of the last step',
    label: 'Learning rate by epoch',
    mayBeLogarithmic: true,
    train: ({ learningRate }) => learningRate,
  },
  {
    title: 'Images per second, training',
    label: 'Images per second by epoch',
    train: ({ timing }) => timing?.imagesPerSecond ?? null,
  },
];

/** The learning curves of one run, or of several over each other. */
export function curvesSection(runs: readonly RunReport[]): Html {
  const mark = runs.length === 1 ? runs[0]?.best?.epoch : undefined;
  const panels = curves.map(({ title, train, validation, ...options }) => {
    const lines = runs.flatMap((run, i) => linesOf(run, i, runs.length > 1, train, validation));
    const legend = lines.length > 1 ? legendOf(lines) : null;
    return html`<div class="panel">
      <h3>${title}</h3>
      ${chart(lines, { ...options, mark })}${legend}
    </div>`;
  });
  const note =
    mark === undefined ? null : html`<p class="quiet">Dotted: epoch ${mark}, the best by validation accuracy.</p>`;
  return html`<section>
    <h2>Curves</h2>
    <div class="grid">${panels}</div>
    ${note}
  </section>`;
}

function linesOf(
  { name, curve }: RunReport,
  index: number,
  several: boolean,
  train: Curve['train'],
  validation: Curve['validation'],
): readonly Line[] {
  const prefix = several ? `${name}, ` : '';
  const color = (own: number): string => lineColor(several ? index : own);
  if (validation === undefined)
    return [{ name: several ? name : 'training', color: color(0), dashed: false, points: pointsOf(curve, train) }];
  return [
    { name: `${prefix}training`, color: color(0), dashed: several, points: pointsOf(curve, train) },
    { name: `${prefix}validation`, color: color(1), dashed: false, points: pointsOf(curve, validation) },
  ];
}

/** Where there is a value. */
function pointsOf(curve: readonly CurvePoint[], value: (point: CurvePoint) => number | null): readonly Point[] {
  return curve.flatMap((point) => {
    const y = value(point);
    return y === null ? [] : [{ x: point.epoch, y }];
  });
}

/** The figures that a reader looks for first. */
export function factsSection({ curve, best, end, recipe, seconds }: RunReport): Html {
  const rates = curve.flatMap(({ timing }) => (timing === null ? [] : [timing.imagesPerSecond]));
  const mean = rates.reduce((sum, rate) => sum + rate, 0) / rates.length;
  const test = end?.test ?? null;
  const facts: readonly (readonly [string, string])[] = [
    ['test accuracy', test === null ? 'not yet' : formatPercent(test.accuracy)],
    ['test loss', test === null ? 'not yet' : test.loss.toFixed(4)],
    [
      best === null ? 'best validation accuracy' : `best validation accuracy (epoch ${best.epoch})`,
      best === null ? '-' : formatPercent(best.valAccuracy),
    ],
    ['epochs', `${curve.length} of ${recipe.epochs}`],
    ['time', formatDuration(seconds)],
    ['images/s, training', rates.length === 0 ? '-' : formatRate(mean)],
  ];
  return html`<dl class="facts">
    ${facts.map(
      ([name, value]) =>
        html`<div class="fact">
          <dt>${name}</dt>
          <dd>${value}</dd>
        </div>`,
    )}
  </dl>`;
}

/** A row a run. */
export function runsSection(runs: readonly RunReport[]): Html {
  const rows = runs.map(({ name, model, recipe, seed, curve, best, end, seconds }) => [
    name,
    modelType(model),
    recipe.name,
    String(seed),
    `${curve.length} of ${recipe.epochs}`,
    best === null ? '-' : formatPercent(best.valAccuracy),
    ...(end?.test ? [formatPercent(end.test.accuracy), end.test.loss.toFixed(4)] : ['-', '-']),
    formatDuration(seconds),
  ]);
  const head = ['run', 'model', 'recipe', 'seed', 'epochs', 'best validation', 'test accuracy', 'test loss', 'time'];
  return html`<section>
    <h2>Runs</h2>
    ${htmlTable(head, rows, [0, 1, 2])}
  </section>`;
}

/** What became of the test images. */
export function evaluationSection(
  { name, count, confusion, mistakes }: TestEvaluation,
  classNames: readonly string[],
): Html {
  const rows = classResults(confusion, classNames).map((row) => [
    row.className,
    formatCount(row.count),
    formatCount(row.correct),
    share(row.accuracy),
    share(row.precision),
    row.mistakenFor ?? '-',
  ]);
  const head = ['class', 'images', 'correct', 'accuracy', 'precision', 'mistaken for'];
  const figures = mistakes.map(({ index, label, prediction, loss, png }) => {
    const [own, other] = [classNames[label] ?? String(label), classNames[prediction] ?? String(prediction)];
    return html`<figure>
      <img alt="test image ${index}" src="data:image/png;base64,${png}" />
      <figcaption>
        ${own}, taken for <b>${other}</b><br /><span class="quiet">loss ${loss.toFixed(2)}, no. ${index}</span>
      </figcaption>
    </figure>`;
  });
  return html`<section>
    <h2>Test images</h2>
    <p class="quiet">The ${formatCount(count)} images of '${name}', with the weights that training ended with.</p>
    <div class="grid">
      <div class="panel">
        <h3>Confusion matrix</h3>
        ${confusionTable(confusion, classNames)}
      </div>
      <div class="panel">
        <h3>Class by class</h3>
        ${htmlTable(head, rows, [0, 5])}
      </div>
    </div>
    <h2>The worst mistakes</h2>
    ${figures.length === 0 ? html`<p>There are none.</p>` : html`<div class="mistakes">${figures}</div>`}
  </section>`;
}

/** Of no images there is none. */
function share(value: number): string {
  return Number.isNaN(value) ? '-' : formatPercent(value);
}

/** A row a true class, a column a prediction; the shade is the share of the class. */
function confusionTable(confusion: readonly (readonly number[])[], classNames: readonly string[]): Html {
  const rows = confusion.map((row, label) => {
    const total = row.reduce((sum, value) => sum + value, 0);
    const cells = row.map((value, prediction) => {
      const part = total === 0 ? 0 : value / total;
      const hue = prediction === label ? 'right' : 'wrong';
      return html`<td style="--share: ${part.toFixed(3)}; --hue: var(--${hue})">
        ${value === 0 ? '·' : formatCount(value)}
      </td>`;
    });
    return html`<tr>
      <th scope="row">${classNames[label] ?? label}</th>
      ${cells}
    </tr>`;
  });
  const head = classNames.map((name) => html`<th scope="col"><span>${name}</span></th>`);
  return html`<div class="scroll">
    <table class="confusion">
      <thead>
        <tr>
          <th scope="col">true class</th>
          ${head}
        </tr>
      </thead>
      <tbody>
        ${rows}
      </tbody>
    </table>
  </div>`;
}

/** How the run was made: what is long is folded. */
export function makingSection({ model, recipe, card }: RunReport): Html {
  const { layers, parameters, multiplyAdds } = summarize(model);
  const rows = layers.map((layer) => [
    layer.name,
    layer.kind,
    layer.outputShape.join(' × '),
    formatCount(layer.parameters),
    formatCount(layer.multiplyAdds),
  ]);
  const notes = recipeNotes(recipe).map((note) => html`<p class="quiet">${note}</p>`);
  return html`<section>
    <h2>Model and recipe</h2>
    <p>
      ${modelType(model)}: ${formatCount(parameters.total)} parameters, ${formatCount(parameters.trainable)} trainable;
      ${formatCount(multiplyAdds)} multiply-adds an image.
    </p>
    <details>
      <summary>Layers</summary>
      ${htmlTable(['layer', 'kind', 'output', 'parameters', 'multiply-adds'], rows, [0, 1, 2])}
    </details>
    <p>Recipe: ${recipe.name}</p>
    ${notes} ${folded('Recipe as JSON', recipe)}
    ${card === null ? html`<p class="quiet">There is no results card: the run has not ended.</p>` : cardPart(card)}
  </section>`;
}

function cardPart(card: NonNullable<RunReport['card']>): Html {
  const { machine, versions, backend, weights, data } = card;
  const rows = [
    ['weights (SHA-256)', weights.last],
    ['training images (SHA-256)', data.train.sha256],
    ['test images (SHA-256)', data.test.sha256],
    ['backend', backend.devices.join('; ')],
    ['machine', `${machine.cpu}, ${machine.cores} cores, ${machine.platform}`],
    ['versions', `skiplane ${versions.skiplane}, Node ${versions.node}, V8 ${versions.v8}`],
  ];
  return html`<h2>Results card</h2>
    ${htmlTable(['what', 'value'], rows, [0, 1])}
    <p class="quiet">'skiplane reproduce card.json' repeats the run and compares.</p>
    ${folded('Card as JSON', card)}`;
}

function folded(title: string, value: unknown): Html {
  return html`<details>
    <summary>${title}</summary>
    <pre>${JSON.stringify(value, null, 2)}</pre>
  </details>`;
}
