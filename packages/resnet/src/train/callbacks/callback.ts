import type { MetricName, MonitorSettings } from '../../recipe/callbacks.ts';
import { directionOf } from '../../recipe/monitor.ts';

/** What a callback sees at the end of an epoch. */
export interface EpochEnd {
  /** From 0. */
  readonly epoch: number;
  readonly logs: Readonly<Partial<Record<MetricName, number>>>;
  /** The learning rate as the callbacks before have left it. */
  readonly learningRate: number;
  /** The example's model type, for file names. */
  readonly model: string;
}

/** What a callback wants done. */
export type CallbackEffect =
  | { readonly kind: 'save'; readonly file: string; readonly weightsOnly: boolean }
  | { readonly kind: 'learningRate'; readonly value: number }
  | { readonly kind: 'stop' }
  /** Remember the weights as they are now, to end training with. */
  | { readonly kind: 'keepWeights' }
  | { readonly kind: 'message'; readonly level: 'info' | 'warning'; readonly text: string };

/** A callback's state, plain JSON, and what it wants done. */
export interface CallbackStep<State> {
  readonly state: State;
  readonly effects: readonly CallbackEffect[];
}

export const warning = (text: string): CallbackEffect => ({ kind: 'message', level: 'warning', text });

export const info = (text: string): CallbackEffect => ({ kind: 'message', level: 'info', text });

/** The metric that is watched; undefined when there is none of the name. */
export function monitored({ logs }: EpochEnd, { monitor }: MonitorSettings): number | undefined {
  return Object.hasOwn(logs, monitor) ? logs[monitor as MetricName] : undefined;
}

export function availableMetrics({ logs }: EpochEnd): string {
  return Object.keys(logs).join(',');
}

/** Better by more than `minDelta`; anything is better than nothing, and nothing is better than NaN. */
export function isImprovement(
  value: number,
  reference: number | null,
  settings: MonitorSettings & { readonly minDelta?: number },
): boolean {
  if (reference === null) return true;
  // Keras forgets its sign.
  const minDelta = Math.abs(settings.minDelta ?? 0);
  return directionOf(settings) === 'max' ? value - minDelta > reference : value + minDelta < reference;
}
