import { useMemo } from 'preact/hooks';
import type { FeatureMap } from '@skiplane/resnet';
import { channelSheet, filterColors, heatColors, opaque, rangeOf } from '../components/colors.ts';
import { Select } from '../components/field.tsx';
import { plain } from '../components/format.ts';
import { NoNetwork, Problem } from '../components/notice.tsx';
import { PictureChoice } from '../components/picture-choice.tsx';
import { Pixels } from '../components/pixels.tsx';
import { chosenClass, explanation, filters } from '../state/look.ts';
import { networkVersion } from '../state/session.ts';

/** Channels of a layer that are drawn. */
const channelsShown = 16;

export function Inside() {
  if (networkVersion.value === 0) {
    return (
      <NoNetwork title="What the network sees">
        Train a network, or load weights: its filters, its feature maps and what speaks for a class are here then.
      </NoNetwork>
    );
  }
  return (
    <>
      <section aria-labelledby="cam-title">
        <h3 id="cam-title">What speaks for a class</h3>
        <div class="columns">
          <GradCam />
          <PictureChoice />
        </div>
        <Problem text={explanation.problem.value} />
      </section>
      <section aria-labelledby="maps-title">
        <h3 id="maps-title">Along the residual stream</h3>
        <p class="about">
          What the stem gives, and what every block hands on: the first {channelsShown} channels, each from its least
          value (dark) to its largest (light). The range is that of all channels.
        </p>
        <div class="stream">
          {explanation.value.value?.maps.map((map) => (
            <Channels key={map.layer} map={map} />
          ))}
        </div>
      </section>
      <FirstFilters />
    </>
  );
}

/** The picture as the network gets it, and over it where Grad-CAM finds the class. */
export function GradCam() {
  const answer = explanation.value.value;
  const drawn = useMemo(
    () =>
      answer && {
        picture: opaque(answer.pixels, 0, answer.height * answer.width),
        heat: heatColors(answer.cam.data),
      },
    [answer],
  );
  if (answer === null || drawn === null) return <div class="cam" aria-busy="true" />;
  const { classNames, cam, probabilities } = answer;
  const name = (index: number): string => classNames[index] ?? String(index);
  const likeliest = probabilities.indexOf(Math.max(...probabilities));
  return (
    <div class="cam">
      <div class="overlay">
        <Pixels
          width={answer.width}
          height={answer.height}
          rgba={drawn.picture}
          label="The picture, at the size of the network"
        />
        <Pixels
          width={cam.width}
          height={cam.height}
          rgba={drawn.heat}
          label={`Grad-CAM: where ${cam.layer} sees ${name(cam.classIndex)}`}
          smooth
        />
      </div>
      <Select
        label="Grad-CAM for"
        value={String(chosenClass.value ?? 'likeliest')}
        options={[
          ['likeliest', `the likeliest: ${name(likeliest)}`],
          ...classNames.map((title, i) => [String(i), title] as const),
        ]}
        onChange={(value) => (chosenClass.value = value === 'likeliest' ? null : Number(value))}
      />
    </div>
  );
}

function Channels({ map }: { readonly map: FeatureMap }) {
  const { layer, height, width, channels, data } = map;
  const shown = Math.min(channels, channelsShown);
  const { sheet, range } = useMemo(() => ({ sheet: channelSheet(map, shown), range: rangeOf(data) }), [map]);
  return (
    <figure>
      <figcaption>
        <b>{layer}</b> {height}×{width}, {channels} channels, {range.map(plain).join(' to ')}
      </figcaption>
      <Pixels {...sheet} label={`The first ${shown} channels of ${layer}`} />
    </figure>
  );
}

function FirstFilters() {
  const answer = filters.value.value;
  const pictures = useMemo(
    () => answer?.filters.map((filter) => filterColors(filter, answer.channels)) ?? [],
    [answer],
  );
  return (
    <section aria-labelledby="filters-title">
      <h3 id="filters-title">The first filters</h3>
      <p class="about">
        What each filter of the first layer looks for, in the colours of the picture; grey is a weight of zero.
      </p>
      <div class="tiles filters">
        {answer !== null &&
          pictures.map((rgba, i) => (
            <Pixels key={i} width={answer.width} height={answer.height} rgba={rgba} label={`Filter ${i}`} />
          ))}
      </div>
      <Problem text={filters.problem.value} />
    </section>
  );
}
