import { ValueError } from '@skiplane/core';

/** A net of a lab. */
export interface LabNet {
  /** A model's name. */
  readonly model: string;
  /** What papers call it. */
  readonly label: string;
  readonly published: PublishedError | null;
}

/** A test error on CIFAR-10 that somebody has published, trained in full. */
export interface PublishedError {
  /** In per cent; null where the paper says that training failed. */
  readonly error: number | null;
  /** Of what, and where. */
  readonly source: string;
}

/** Nets that are compared on one chart. */
export interface LabGroup {
  readonly title: string;
  readonly nets: readonly LabNet[];
}

/** An experiment: nets that are trained alike. */
export interface Lab {
  readonly name: LabName;
  readonly title: string;
  /** What it is about, for readers. */
  readonly question: string;
  readonly groups: readonly LabGroup[];
}

export type LabName = 'degradation' | 'shortcuts' | 'depth' | 'highway';

const net = (model: string, label: string, error?: number | null, source = ''): LabNet => ({
  model,
  label,
  published: error === undefined ? null : { error, source },
});

const he2015 = (depth: number, error: number) =>
  net(`he${depth}`, `ResNet-${depth}`, error, `ResNet-${depth}, He et al. 2015, table 6`);

const plain = (depth: number, error: number) =>
  net(`he${depth}-plain`, `plain-${depth}`, error, `plain-${depth}, a public reproduction; the paper has curves only`);

const degradation: Lab = {
  name: 'degradation',
  title: 'Degradation: deeper plain nets train worse',
  question:
    'A deeper net could copy a shallower one and add identities, so that it should never train worse. Plain nets do; do residual nets?',
  groups: [
    { title: 'Plain nets', nets: [plain(20, 9.63), plain(56, 14.22)] },
    { title: 'Residual nets', nets: [he2015(20, 8.75), he2015(56, 6.97)] },
  ],
};

/** Layers of the nets of `shortcuts` unless others are asked for; the published errors are of 110. */
const shortcutsDepth = 56;

function shortcutsOf(layers: number): Lab {
  const net2016 = (table: number) => (variant: string, label: string, error: number | null) =>
    net(`he${layers}${variant}`, label, error, `ResNet-110, He et al. 2016, table ${table}`);
  const [shortcut, order] = [net2016(1), net2016(2)];
  return {
    name: 'shortcuts',
    title: `Shortcuts and the order of a unit, of ${layers} layers`,
    question:
      'What happens to training when the shortcut is scaled, gated, dropped or convolved, and when normalization and activation stand elsewhere?',
    groups: [
      {
        title: 'Kinds of shortcut',
        nets: [
          shortcut('', 'original (option A)', 6.61),
          net(`he${layers}b`, 'projections where the shape changes (option B)'),
          shortcut('c', '1×1 convolutions (option C)', 12.22),
          shortcut('-half-shortcut', 'shortcut × 0.5', null),
          shortcut('-dropout-shortcut', 'dropout of half of the shortcut', null),
          shortcut('-half-both', 'both × 0.5', 12.35),
          shortcut('-exclusive-gate', 'exclusive gate, bias −6', 8.7),
          shortcut('-shortcut-gate-0', 'gate on the shortcut, bias 0', 12.86),
          shortcut('-shortcut-gate', 'gate on the shortcut, bias −6', 6.91),
        ],
      },
      {
        title: 'Orders of a unit',
        nets: [
          order('', 'original', 6.61),
          order('-normalized-addition', 'batch norm after addition', 8.17),
          order('-activated-branch', 'ReLU before addition', 7.84),
          order('-relu-pre-activation', 'ReLU-only pre-activation', 6.71),
          order('-pre-activation', 'full pre-activation', 6.37),
        ],
      },
    ],
  };
}

const depth: Lab = {
  name: 'depth',
  title: 'Depth: more layers, lower error',
  question:
    'How does the error of residual nets change with their depth, and how much does each layer change its input?',
  groups: [
    {
      title: 'He et al. 2015',
      nets: [he2015(20, 8.75), he2015(32, 7.51), he2015(44, 7.17), he2015(56, 6.97), he2015(110, 6.43)],
    },
    {
      title: 'He et al. 2016, pre-activation bottlenecks',
      nets: [net('he164v2', 'ResNet-164', 5.46, 'ResNet-164, He et al. 2016, table 2')],
    },
  ],
};

const highwayNet = (layers: number, error?: number) =>
  net(`highway${layers}`, `highway-${layers}`, error, `${layers} layers of other widths, Srivastava et al. 2015`);

const highway: Lab = {
  name: 'highway',
  title: 'Highway networks: gated layers without batch norm',
  question: 'Without batch norms, a plain net of some depth does not train at all. Do gates, closed at first, let it?',
  groups: [
    { title: 'Highway nets', nets: [highwayNet(11, 10.82), highwayNet(20), highwayNet(32, 8.8)] },
    {
      title: 'The same layers without gates',
      nets: [11, 20, 32].map((layers) => net(`highway${layers}-plain`, `plain-${layers}, no batch norm`)),
    },
  ],
};

/** All experiments, by name. @source He et al. 2015 and 2016, Srivastava et al. 2015, and CIFAR-10's test errors in them */
export const labs: { readonly [K in LabName]: Lab } = {
  degradation,
  shortcuts: shortcutsOf(shortcutsDepth),
  depth,
  highway,
};

/**
 * An experiment with nets of so many layers.
 * @param layers  default: those of `labs`
 * @throws {ValueError} where the nets have depths of their own
 */
export function labOf(name: LabName, layers?: number): Lab {
  if (layers === undefined) return labs[name];
  if (name === 'shortcuts') return shortcutsOf(layers);
  throw new ValueError(`the lab ${name} has nets of its own depths: only shortcuts are of a depth of choice.`, {
    name,
  });
}

export const labNames = Object.keys(labs) as readonly LabName[];

/** The nets of a lab, each once. */
export function netsOf({ groups }: Lab): readonly LabNet[] {
  const byModel = new Map(groups.flatMap(({ nets }) => nets).map((one) => [one.model, one]));
  return [...byModel.values()];
}
