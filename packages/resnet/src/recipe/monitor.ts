import type { MonitorSettings } from './callbacks.ts';

/** Whether less or more of the metric is better; undefined where 'auto' cannot know. */
export function directionOf({ monitor, mode }: MonitorSettings): 'min' | 'max' | undefined {
  if (mode !== 'auto') return mode;
  const metric = monitor.replace(/^val_/, '');
  if (metric === 'loss') return 'min';
  return metric === 'accuracy' ? 'max' : undefined;
}
