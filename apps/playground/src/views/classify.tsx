import { percent } from '../components/format.ts';
import { NoNetwork, Problem } from '../components/notice.tsx';
import { PictureChoice } from '../components/picture-choice.tsx';
import { explanation } from '../state/look.ts';
import { networkVersion } from '../state/session.ts';
import { GradCam } from './inside.tsx';

export function Classify() {
  if (networkVersion.value === 0) {
    return (
      <NoNetwork title="Show it a picture">
        Train a network, or load weights; then drop a picture here, or use the camera.
      </NoNetwork>
    );
  }
  return (
    <section aria-labelledby="classify-title">
      <h3 id="classify-title">What the network sees in a picture</h3>
      <div class="columns">
        <GradCam />
        <div>
          <PictureChoice />
          <Ranking />
        </div>
      </div>
      <Problem text={explanation.problem.value} />
    </section>
  );
}

/** All classes, in their own order, so that nothing moves while the network learns. */
function Ranking() {
  const answer = explanation.value.value;
  if (answer === null) return <ol class="ranking" aria-busy="true" />;
  const { probabilities, classNames } = answer;
  const most = Math.max(...probabilities);
  return (
    <ol class="ranking" aria-label="Probabilities">
      {classNames.map((name, i) => {
        const probability = probabilities[i] ?? 0;
        return (
          <li key={name} class={probability === most ? 'likeliest' : ''}>
            <span>{name}</span>
            <i style={{ width: `${100 * probability}%` }} />
            <b>{percent(probability)}</b>
          </li>
        );
      })}
    </ol>
  );
}
