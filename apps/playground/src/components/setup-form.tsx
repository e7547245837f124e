import { useComputed } from '@preact/signals';
import { parameterSpecs, countParameters, modelConfig, recipeNotes, resolveRecipe } from '@skiplane/resnet';
import { networkKeys, networkKind, shortcutTitles, type Shortcut } from '../state/networks.ts';
import { archive, isBusy } from '../state/session.ts';
import { backends, change, dataKinds, limits, modelName, recipes, setup } from '../state/setup.ts';
import { local } from '../state/local-server.ts';
import { DropZone } from './drop-zone.tsx';
import { NumberField, Select } from './field.tsx';
import { count } from './format.ts';

const titles = {
  recipe: { keras: 'Keras example (Adam)', he2015: 'He 2015 (SGD)', modern: 'Modern (one cycle)' },
  backend: { wasm: 'WebAssembly', gpu: 'WebGPU', 'software-gpu': 'WebGPU in software' },
  data: { synthetic: 'Drawn shapes, made here', cifar10: 'CIFAR-10' },
} as const;

/** What to train, on what, how, and where. It rests while a run is under way. */
export function SetupForm() {
  return (
    <form class="setup" onSubmit={(event) => event.preventDefault()}>
      <NetworkFields />
      <DataFields />
      <TrainingFields />
    </form>
  );
}

function NetworkFields() {
  const { network, depth, shortcut } = setup.value;
  const kind = networkKind(network);
  return (
    <fieldset disabled={isBusy.value}>
      <legend>Network</legend>
      <Select
        label="Family"
        value={network}
        options={networkKeys.map((key) => [key, networkKind(key).title])}
        onChange={(value) => change({ network: value })}
      />
      <div class="pair">
        <Select
          label="Depth"
          value={String(depth)}
          options={kind.depths.map((value) => [String(value), `${value} layers`])}
          onChange={(value) => change({ depth: Number(value) })}
        />
        {kind.shortcut === null ? (
          <Select
            label="Shortcut"
            value={shortcut}
            options={Object.entries(shortcutTitles).map(([key, title]) => [key as Shortcut, title])}
            onChange={(value) => change({ shortcut: value })}
          />
        ) : (
          <Select label="Shortcut" value="own" options={[['own', kind.shortcut]]} disabled onChange={() => undefined} />
        )}
      </div>
      <p class="about">
        {kind.about} <ParameterCount />
      </p>
    </fieldset>
  );
}

function DataFields() {
  const { data, images, seed } = setup.value;
  return (
    <fieldset disabled={isBusy.value}>
      <legend>Data</legend>
      <Select
        label="Images"
        value={data}
        options={dataKinds.map((key) => [key, titles.data[key]])}
        onChange={(value) => change({ data: value })}
      />
      <div class="pair">
        <NumberField
          label="Training images"
          value={images}
          least={limits.images[0]}
          most={limits.images[1]}
          step={1}
          onChange={(value) => change({ images: value ?? images })}
        />
        <NumberField
          label="Seed"
          value={seed}
          least={limits.seed[0]}
          most={limits.seed[1]}
          onChange={(value) => change({ seed: value ?? seed })}
        />
      </div>
      {data === 'cifar10' && <CifarSource />}
    </fieldset>
  );
}

function TrainingFields() {
  const { recipe, epochs, batch, rate, augment, backend } = setup.value;
  return (
    <fieldset disabled={isBusy.value}>
      <legend>Training</legend>
      <Select
        label="Recipe"
        value={recipe}
        options={recipes.map((key) => [key, titles.recipe[key]])}
        onChange={(value) => change({ recipe: value })}
      />
      <div class="pair">
        <NumberField
          label="Epochs"
          value={epochs}
          least={limits.epochs[0]}
          most={limits.epochs[1]}
          onChange={(value) => change({ epochs: value ?? epochs })}
        />
        <NumberField
          label="Batch"
          value={batch}
          least={limits.batch[0]}
          most={limits.batch[1]}
          onChange={(value) => change({ batch: value ?? batch })}
        />
      </div>
      <div class="pair">
        <NumberField
          label="Learning rate"
          value={rate}
          least={0.000_001}
          most={10}
          step="any"
          placeholder="as the recipe"
          onChange={(value) => change({ rate: value })}
        />
        <Select
          label="Compute on"
          value={backend}
          options={backends.map((key) => [key, titles.backend[key]])}
          onChange={(value) => change({ backend: value })}
        />
      </div>
      <label class="check">
        <input
          type="checkbox"
          checked={augment}
          onChange={({ currentTarget }) => change({ augment: currentTarget.checked })}
        />
        Shift and flip the images
      </label>
      {recipe !== 'modern' && (
        <details class="about">
          <summary>What to know of this recipe</summary>
          {recipeNotes(resolveRecipe(recipe)).map((note) => (
            <p key={note}>{note}</p>
          ))}
        </details>
      )}
    </fieldset>
  );
}

function ParameterCount() {
  const total = useComputed(() => countParameters(parameterSpecs(modelConfig(modelName(setup.value)))).trainable);
  return (
    <>
      <b>{count(total.value)}</b> weights.
    </>
  );
}

function CifarSource() {
  const file = archive.value;
  const isLocal = local.value.cifar10 !== null;
  const from = file === null ? null : `“${file.name}”`;
  return (
    <>
      <DropZone
        label="Drop cifar-10-binary.tar.gz here, or choose it"
        accept=".gz,.tar,.tgz"
        onFile={(dropped) => (archive.value = dropped)}
      />
      <p class="about">
        {from ?? (!isLocal ? 'The archive stays on this computer. ' : 'Taken from the data folder of this computer.')}
        {from === null && !isLocal && <a href="https://www.cs.toronto.edu/~kriz/cifar.html">Where to get it</a>}
      </p>
    </>
  );
}
