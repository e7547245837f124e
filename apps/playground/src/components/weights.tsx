import { useSignal, useSignalEffect } from '@preact/signals';
import { writtenFormats, type WrittenFormat } from '@skiplane/resnet';
import { isBusy, load, loadedRun, networkName, networkVersion, openTrainer, phase, start } from '../state/session.ts';
import { messageOf } from '../state/resource.ts';
import { DropZone } from './drop-zone.tsx';
import { Select } from './field.tsx';
import { Problem } from './notice.tsx';

const formats: Readonly<Record<WrittenFormat, readonly [title: string, ending: string]>> = {
  'skiplane-checkpoint': ['Checkpoint (.safetensors)', '.safetensors'],
  'keras-zip': ['Keras 3 (.keras)', '.keras'],
  'keras-hdf5': ['Keras (.h5)', '.h5'],
  onnx: ['ONNX (.onnx)', '.onnx'],
  'tfjs-layers': ['TensorFlow.js (model.json)', '.json'],
};

/** Weights out of files and into files. */
export function Weights() {
  const format = useSignal<WrittenFormat>('skiplane-checkpoint');
  const said = useSignal<string | null>(null);
  const wrong = useSignal<string | null>(null);
  const attempt = async (action: () => Promise<string>): Promise<void> => {
    [said.value, wrong.value] = [null, null];
    try {
      said.value = await action();
    } catch (error) {
      wrong.value = messageOf(error);
    }
  };
  // What was said before a run, or during it, may no longer be so.
  useSignalEffect(() => {
    void isBusy.value;
    [said.value, wrong.value] = [null, null];
  });
  const none = networkVersion.value === 0;
  return (
    <section class="weights" aria-labelledby="weights-title">
      <h2 id="weights-title">Weights</h2>
      <DropZone
        label="Drop a file of weights, or choose one"
        accept=".safetensors,.keras,.h5,.hdf5,.onnx,.pt,.pth,.th,.json"
        onFile={(file) => void attempt(() => load(file))}
      />
      <div class="pair">
        <Select
          label="Format"
          value={format.value}
          options={writtenFormats.map((key) => [key, formats[key][0]])}
          onChange={(value) => (format.value = value)}
        />
        <button
          type="button"
          disabled={none || phase.value === 'preparing'}
          onClick={() => void attempt(() => save(format.value))}
        >
          Save
        </button>
      </div>
      {loadedRun.value !== null && (
        <button type="button" disabled={isBusy.value} onClick={() => void start({ goOn: true })}>
          Train on from the checkpoint
        </button>
      )}
      <p class="about" role="status">
        {none ? 'There is no network yet.' : said.value}
      </p>
      <Problem text={wrong.value} />
    </section>
  );
}

async function save(format: WrittenFormat): Promise<string> {
  const name = `${format === 'tfjs-layers' ? 'model' : networkName.value}${formats[format][1]}`;
  const { files, notes } = await (await openTrainer()).save(format, name);
  for (const [file, bytes] of files) {
    const link = document.createElement('a');
    link.href = URL.createObjectURL(new Blob([bytes as Uint8Array<ArrayBuffer>]));
    link.download = file;
    link.click();
    URL.revokeObjectURL(link.href);
  }
  return [`${[...files.keys()].join(', ')} is saved.`, ...notes].join(' ');
}
