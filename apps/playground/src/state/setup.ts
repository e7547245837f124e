import { effect, signal } from '@preact/signals';
import { networkKeys, networkKind, shortcuts, type NetworkKey, type Shortcut } from './networks.ts';

const views = ['training', 'layers', 'inside', 'results', 'classify', 'compare'] as const;
export type View = (typeof views)[number];

export const backends = ['wasm', 'gpu', 'software-gpu'] as const;
export const recipes = ['keras', 'he2015', 'modern'] as const;
export const dataKinds = ['synthetic', 'cifar10'] as const;

/** All that decides a run. */
export interface Setup {
  readonly network: NetworkKey;
  readonly depth: number;
  readonly shortcut: Shortcut;
  readonly backend: (typeof backends)[number];
  readonly recipe: (typeof recipes)[number];
  readonly epochs: number;
  readonly batch: number;
  /** Null: the recipe's schedule. */
  readonly rate: number | null;
  readonly augment: boolean;
  readonly data: (typeof dataKinds)[number];
  /** Images to train on. */
  readonly images: number;
  readonly seed: number;
}

const defaults: Setup = {
  network: 'resnet',
  depth: 8,
  shortcut: 'A',
  backend: 'wasm',
  recipe: 'modern',
  epochs: 8,
  batch: 32,
  rate: null,
  augment: false,
  data: 'synthetic',
  images: 4000,
  seed: 1,
};

/** Whole numbers and their limits, for the form and the address alike. */
export const limits = {
  epochs: [1, 500],
  batch: [1, 512],
  images: [100, 50_000],
  seed: [0, 999_999],
} as const;

/** The setup and the view that an address stands for; what it gets wrong is left at its default. */
function fromAddress(query: string): { readonly setup: Setup; readonly view: View } {
  const given = new URLSearchParams(query);
  const choice = <T extends string>(name: string, allowed: readonly T[], otherwise: T): T =>
    allowed.find((value) => value === given.get(name)) ?? otherwise;
  const whole = (name: keyof typeof limits): number => {
    const value = Number(given.get(name) ?? Number.NaN);
    const [least, most] = limits[name];
    return Number.isInteger(value) && value >= least && value <= most ? value : defaults[name];
  };
  const network = choice('network', networkKeys, defaults.network);
  const { depths } = networkKind(network);
  const rate = Number(given.get('rate') ?? Number.NaN);
  return {
    setup: {
      network,
      depth: depths.find((depth) => String(depth) === given.get('depth')) ?? (depths[0] as number),
      shortcut: choice('shortcut', shortcuts, defaults.shortcut),
      backend: choice('backend', backends, defaults.backend),
      recipe: choice('recipe', recipes, defaults.recipe),
      epochs: whole('epochs'),
      batch: whole('batch'),
      rate: rate > 0 && rate <= 10 ? rate : null,
      augment: given.get('augment') === 'yes',
      data: choice('data', dataKinds, defaults.data),
      images: whole('images'),
      seed: whole('seed'),
    },
    view: choice('view', views, 'training'),
  };
}

/** Keeps what else the address says. */
function toAddress(query: string, next: Setup, shown: View): string {
  const address = new URLSearchParams(query);
  const put = (name: string, value: string, standard: string): void => {
    if (value === standard) address.delete(name);
    else address.set(name, value);
  };
  for (const [name, value] of Object.entries(next)) {
    const standard = defaults[name as keyof Setup];
    put(name, shownAs(value), shownAs(standard));
  }
  put('view', shown, 'training');
  const text = address.toString();
  return text === '' ? '' : `?${text}`;
}

function shownAs(value: string | number | boolean | null): string {
  if (typeof value === 'boolean') return value ? 'yes' : 'no';
  return value === null ? '' : String(value);
}

const first = fromAddress(location.search);
export const setup = signal<Setup>(first.setup);
export const view = signal<View>(first.view);

effect(() => {
  const { pathname, search, hash } = location;
  history.replaceState(null, '', `${pathname}${toAddress(search, setup.value, view.value)}${hash}`);
});

export function change(changes: Partial<Setup>): void {
  const next = { ...setup.value, ...changes };
  const { depths } = networkKind(next.network);
  // The nearest depth that the network has.
  const depth = depths.toSorted((a, b) => Math.abs(a - next.depth) - Math.abs(b - next.depth))[0] as number;
  setup.value = { ...next, depth };
}

export const modelName = ({ network, depth, shortcut }: Setup): string => networkKind(network).nameOf(depth, shortcut);

/** What in a setup names a network; nothing of one that the form does not offer. */
export function setupOf(name: string): Partial<Setup> {
  for (const network of networkKeys) {
    const { depths, nameOf } = networkKind(network);
    for (const depth of depths) {
      const shortcut = shortcuts.find((one) => nameOf(depth, one) === name);
      if (shortcut !== undefined) return { network, depth, shortcut };
    }
  }
  return {};
}
