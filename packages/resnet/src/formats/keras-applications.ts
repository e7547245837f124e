import type { KerasLayer, KerasNetwork } from './keras-config.ts';
import type { Json } from './keras-json.ts';

/** ResNet50 and its kin in `keras.applications`, whose files are weights alone. */

export interface Application {
  readonly name: string;
  readonly version: 1 | 2;
  /** Units of the four stages. */
  readonly units: readonly number[];
}

const unitsByDepth: Readonly<Record<number, readonly number[]>> = {
  50: [3, 4, 6, 3],
  101: [3, 4, 23, 3],
  152: [3, 8, 36, 3],
};

/** The application that has so many convolutions and batch norms, if one has. */
export function applicationWith(convs: number, norms: number): Application | undefined {
  for (const [depth, units] of Object.entries(unitsByDepth)) {
    const inUnits = 3 * units.reduce((sum, count) => sum + count, 0);
    if (convs !== inUnits + 5) continue;
    if (norms === convs) return { name: `ResNet${depth}`, version: 1, units };
    if (norms === inUnits + 1) return { name: `ResNet${depth}V2`, version: 2, units };
  }
  return undefined;
}

/** What the weights do not tell is the applications' own: images of 224×224, a stem of stride 2, epsilon. */
const imageSize = 224;
const epsilon = 1.001e-5;

/** @source https://github.com/keras-team/keras/blob/master/keras/src/applications/resnet.py */
export function applicationNetwork({ name, version, units }: Application, classes: number): KerasNetwork {
  const net = new Layers();
  let x = net.add('input', 'InputLayer', []);
  x = net.add('conv1_pad', 'ZeroPadding2D', [x], { padding: 3 });
  x = net.conv('conv1', x, { filters: 64, kernel_size: 7, strides: 2 });
  if (version === 1) x = net.relu('conv1', net.norm('conv1', x));
  x = net.add('pool1_pad', 'ZeroPadding2D', [x], { padding: 1 });
  x = net.add('pool1_pool', 'MaxPooling2D', [x], { pool_size: 3, strides: 2 });
  units.forEach((count, stage) => {
    for (let unit = 1; unit <= count; unit++) {
      const block = { name: `conv${stage + 2}_block${unit}`, filters: 64 * 2 ** stage, projects: unit === 1 };
      // The first version halves at the begin of a stage but the first, the second at the end of all but the last.
      if (version === 1) x = net.block(x, { ...block, strides: unit === 1 && stage > 0 ? 2 : 1 });
      else x = net.preActivatedBlock(x, { ...block, strides: unit === count && stage < 3 ? 2 : 1 });
    }
  });
  if (version === 2) x = net.relu('post', net.norm('post', x));
  x = net.add('avg_pool', 'GlobalAveragePooling2D', [x]);
  x = net.add('predictions', 'Dense', [x], { units: classes });
  const layers = net.layers.map((layer) => ({ ...layer, last: layer.name === x }));
  return { name, layers, listed: [], image: [imageSize, imageSize, 3], output: x };
}

interface Block {
  readonly name: string;
  readonly filters: number;
  readonly strides: number;
  readonly projects: boolean;
}

/** Layers in Keras's order, in which the projection stands before the last convolution. */
class Layers {
  readonly layers: KerasLayer[] = [];

  add(name: string, className: string, inputs: readonly string[], config: Json = {}): string {
    this.layers.push({ name, path: [name], className, config, inputs, calls: 1, last: false });
    return name;
  }

  conv(name: string, x: string, config: Json): string {
    return this.add(`${name}_conv`, 'Conv2D', [x], config);
  }

  norm(name: string, x: string): string {
    return this.add(`${name}_bn`, 'BatchNormalization', [x], { epsilon });
  }

  relu(name: string, x: string): string {
    return this.add(`${name}_relu`, 'ReLU', [x]);
  }

  block(x: string, { name, filters, strides, projects }: Block): string {
    const step = (number: number, from: string, config: Json): string =>
      this.norm(`${name}_${number}`, this.conv(`${name}_${number}`, from, config));
    let y = this.relu(`${name}_1`, step(1, x, { filters, kernel_size: 1, strides }));
    y = this.relu(`${name}_2`, step(2, y, { filters, kernel_size: 3, padding: 'same' }));
    const shortcut = projects ? step(0, x, { filters: 4 * filters, kernel_size: 1, strides }) : x;
    y = step(3, y, { filters: 4 * filters, kernel_size: 1 });
    return this.relu(name, this.add(`${name}_add`, 'Add', [shortcut, y]));
  }

  preActivatedBlock(x: string, { name, filters, strides, projects }: Block): string {
    const activated = this.relu(`${name}_preact`, this.norm(`${name}_preact`, x));
    const step = (number: number, from: string, config: Json): string => {
      const y = this.conv(`${name}_${number}`, from, { filters, use_bias: false, ...config });
      return this.relu(`${name}_${number}`, this.norm(`${name}_${number}`, y));
    };
    let y = step(1, activated, { kernel_size: 1 });
    y = this.add(`${name}_2_pad`, 'ZeroPadding2D', [y], { padding: 1 });
    y = step(2, y, { kernel_size: 3, strides });
    const shortcut = projects
      ? this.conv(`${name}_0`, activated, { filters: 4 * filters, kernel_size: 1, strides })
      : strides === 1
        ? x
        : this.add(`${name}_pool`, 'MaxPooling2D', [x], { pool_size: 1, strides });
    y = this.conv(`${name}_3`, y, { filters: 4 * filters, kernel_size: 1 });
    return this.add(`${name}_out`, 'Add', [shortcut, y]);
  }
}
