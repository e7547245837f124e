/** The networks that the form offers; a name of `@skiplane/resnet` stands for each. */

export const shortcuts = ['A', 'B', 'C'] as const;
export type Shortcut = (typeof shortcuts)[number];

interface NetworkKind {
  readonly title: string;
  readonly about: string;
  /** Rising; the first is quick enough to watch on any machine. */
  readonly depths: readonly number[];
  readonly nameOf: (depth: number, shortcut: Shortcut) => string;
  /** In a word; null where there is a choice: see He et al. 2015, §3.3. */
  readonly shortcut: string | null;
}

const basic = [8, 14, 20, 32, 44, 56, 110];
const bottleneck = [11, 20, 29, 56, 110, 164];
const layerwise = [11, 20, 32];

const networkKinds = {
  resnet: {
    title: 'Residual',
    about: 'Every block adds its input to its output. As in the Keras example, v1.',
    depths: basic,
    nameOf: (depth) => `resnet${depth}v1`,
    shortcut: 'projection',
  },
  plain: {
    title: 'Plain',
    about: 'The same layers without the additions.',
    depths: basic,
    nameOf: (depth) => `plain${depth}`,
    shortcut: 'none',
  },
  preact: {
    title: 'Pre-activation',
    about: 'Norm and ReLU stand before each convolution, and nothing on the shortcut. As in the Keras example, v2.',
    depths: bottleneck,
    nameOf: (depth) => `resnet${depth}v2`,
    shortcut: 'projection',
  },
  he: {
    title: 'Residual, He 2015',
    about: "The paper's networks, with a choice of shortcuts where the shape changes.",
    depths: basic,
    nameOf: (depth, shortcut) => `he${depth}${shortcut === 'A' ? '' : shortcut.toLowerCase()}`,
    shortcut: null,
  },
  'he-preact': {
    title: 'Pre-activation, He 2016',
    about: "The second paper's networks of bottlenecks.",
    depths: bottleneck,
    nameOf: (depth) => `he${depth}v2`,
    shortcut: 'zeros',
  },
  highway: {
    title: 'Highway',
    about: 'Every layer is let through or passed by, as gates that learn decide. No batch norms.',
    depths: layerwise,
    nameOf: (depth) => `highway${depth}`,
    shortcut: 'gated',
  },
  'highway-plain': {
    title: 'Highway without gates',
    about: 'The same layers in a row, without gates and batch norms.',
    depths: layerwise,
    nameOf: (depth) => `highway${depth}-plain`,
    shortcut: 'none',
  },
} as const satisfies Readonly<Record<string, NetworkKind>>;

export type NetworkKey = keyof typeof networkKinds;

export const networkKeys = Object.keys(networkKinds) as readonly NetworkKey[];

export const networkKind = (key: NetworkKey): NetworkKind => networkKinds[key];

export const shortcutTitles: Readonly<Record<Shortcut, string>> = {
  A: 'A: zeros for new channels',
  B: 'B: 1×1 where the shape changes',
  C: 'C: 1×1 everywhere',
};
