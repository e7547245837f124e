import * as v from 'valibot';
import type { CallbacksState } from './callbacks-state.ts';

const count = v.pipe(v.number(), v.safeInteger(), v.minValue(0));
const finite = v.pipe(v.number(), v.finite());

/** The callbacks' states in a checkpoint. */
export const callbacksStateSchema = v.strictObject({
  limit: v.nullable(finite),
  stopped: v.boolean(),
  states: v.array(
    v.variant('kind', [
      v.strictObject({
        kind: v.literal('ModelCheckpoint'),
        best: v.nullable(finite),
        saved: v.nullable(v.strictObject({ epoch: count, file: v.string() })),
      }),
      v.strictObject({
        kind: v.literal('ReduceLROnPlateau'),
        best: v.nullable(finite),
        wait: count,
        cooldown: count,
      }),
      v.strictObject({
        kind: v.literal('EarlyStopping'),
        best: v.nullable(finite),
        bestEpoch: count,
        wait: count,
        keptEpoch: v.nullable(count),
      }),
      v.strictObject({ kind: v.literal('LearningRateScheduler') }),
      v.strictObject({ kind: v.literal('CSVLogger') }),
    ]),
  ),
}) satisfies v.GenericSchema<unknown, CallbacksState>;
