import { classResults } from '@skiplane/resnet';
import { opaque } from '../components/colors.ts';
import { percent } from '../components/format.ts';
import { Empty, NoNetwork, Problem } from '../components/notice.tsx';
import { Pixels } from '../components/pixels.tsx';
import { Scroll } from '../components/scroll.tsx';
import { chosen, evaluation } from '../state/look.ts';
import { networkVersion } from '../state/session.ts';
import { view } from '../state/setup.ts';

export function Results() {
  const answer = evaluation.value.value;
  if (networkVersion.value === 0) {
    return (
      <NoNetwork title="Where it errs">
        Train a network: which classes it takes for one another, and its worst mistakes, are here then.
      </NoNetwork>
    );
  }
  if (answer === null) {
    return evaluation.problem.value === null ? (
      <Empty title="Looking at the test images">This takes a moment.</Empty>
    ) : (
      <Problem text={evaluation.problem.value} />
    );
  }
  return (
    <>
      <p class="about" role="status">
        {answer.correct} of {answer.count} test images are right: {percent(answer.accuracy)}.
      </p>
      <section aria-labelledby="confusion-title">
        <h3 id="confusion-title">Which class is taken for which</h3>
        <Confusion confusion={answer.confusion} classNames={answer.classNames} />
      </section>
      <Mistakes />
      <Problem text={evaluation.problem.value} />
    </>
  );
}

interface ConfusionProps {
  readonly confusion: readonly (readonly number[])[];
  readonly classNames: readonly string[];
}

/** A row a true class, a column what it is taken for. */
function Confusion({ confusion, classNames }: ConfusionProps) {
  const classes = classResults(confusion, classNames);
  return (
    <Scroll label="Confusion matrix">
      <table class="confusion">
        <thead>
          <tr>
            <th scope="col">is … taken for</th>
            {classNames.map((name) => (
              <th key={name} scope="col">
                <span>{name}</span>
              </th>
            ))}
            <th scope="col">
              <span>right</span>
            </th>
          </tr>
        </thead>
        <tbody>
          {confusion.map((row, label) => {
            const total = row.reduce((sum, value) => sum + value, 0);
            return (
              <tr key={classNames[label]}>
                <th scope="row">{classNames[label]}</th>
                {row.map((value, prediction) => (
                  <td
                    key={classNames[prediction]}
                    class={prediction === label ? 'right' : ''}
                    style={{ '--share': total === 0 ? 0 : value / total }}
                  >
                    {value === 0 ? '' : value}
                  </td>
                ))}
                <td class="sum">
                  {Number.isNaN(classes[label]?.accuracy) ? '–' : percent(classes[label]?.accuracy ?? 0)}
                </td>
              </tr>
            );
          })}
        </tbody>
      </table>
    </Scroll>
  );
}

function lookInside(index: number): void {
  chosen.value = { kind: 'test', index };
  view.value = 'inside';
}

function Mistakes() {
  const answer = evaluation.value.value;
  if (answer === null) return null;
  const { mistakes, pixels, classNames, size } = answer;
  const [height, width] = [size?.height ?? 32, size?.width ?? 32];
  return (
    <section aria-labelledby="mistakes-title">
      <h3 id="mistakes-title">The worst mistakes</h3>
      <p class="about">
        {mistakes.length === 0 ? 'There are none.' : 'What it was surest of, and wrong. Choose one to look inside.'}
      </p>
      <div class="mistakes">
        {mistakes.map(({ index, label, prediction, loss }, i) => (
          <button key={index} type="button" onClick={() => lookInside(index)}>
            <Pixels
              {...{ width, height }}
              rgba={opaque(pixels, i * height * width * 3, height * width)}
              label={`Test image ${index}`}
            />
            <span>
              {classNames[label]}, taken for <b>{classNames[prediction]}</b>
            </span>
            <small>loss {loss.toFixed(1)}</small>
          </button>
        ))}
      </div>
    </section>
  );
}
