import { SkiplaneError } from '@skiplane/core';
import type { WorkerState } from '../state.ts';
import { images, loadData } from './data.ts';
import { explain, firstFilters, measureLayers } from './explain.ts';
import { load, save } from './files.ts';
import { evaluate, predict } from './look.ts';
import { open } from './open.ts';
import { pause, resume, stop, takeEvents, train } from './training.ts';

/**
 * All that the page can ask, by name. To add a request: a function of the worker's state and one input that can be cloned, in a
 * file of this folder; its name here; and a method of `Trainer` that calls it.
 */
const requests = {
  open,
  loadData,
  images,
  train,
  takeEvents,
  pause,
  resume,
  stop,
  load,
  save,
  predict,
  evaluate,
  explain,
  firstFilters,
  measureLayers,
};

type Requests = typeof requests;
export type RequestName = keyof Requests;
export type InputOf<Name extends RequestName> = Parameters<Requests[Name]>[1];
export type ResultOf<Name extends RequestName> = Awaited<ReturnType<Requests[Name]>>;

type Request = (state: WorkerState, input: unknown) => unknown;

/** Does what was asked. @throws {SkiplaneError} when there is no such request */
export async function answer(state: WorkerState, name: string, input: unknown): Promise<unknown> {
  const request = (requests as unknown as Readonly<Record<string, Request>>)[name];
  if (request === undefined) throw new SkiplaneError('WORKER', `the worker knows no request '${name}'.`, { name });
  return await request(state, input);
}
