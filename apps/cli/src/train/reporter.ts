import type {
  CallbackMessageEvent,
  EndEvent,
  EpochEvent,
  ProgressEvent,
  StartEvent,
  TrainEvent,
  TrainResult,
  ValidationEvent,
} from '@skiplane/resnet';

/** Where a run ended and how to go on from there. */
export interface Ending {
  readonly result: TrainResult;
  readonly folder: string;
  readonly epochs: number;
  /** The command that goes on with an interrupted run. */
  readonly resumeCommand: string;
  /** Files of results that are there. */
  readonly card: string | null;
  readonly report: string | null;
}

/** Tells a person or a program how training goes. */
export interface Reporter {
  start(event: StartEvent): void;
  progress(event: ProgressEvent): void;
  validation(event: ValidationEvent): void;
  epoch(event: EpochEvent): void;
  message(event: CallbackMessageEvent): void;
  /** The final evaluation. */
  tested(event: EndEvent): void;
  end(ending: Ending): void;
}

/** Passes an event on to the method that is named after it; checkpoints are not reported. */
export function report(reporter: Reporter, event: TrainEvent): void {
  switch (event.type) {
    case 'start':
      return reporter.start(event);
    case 'progress':
      return reporter.progress(event);
    case 'validation':
      return reporter.validation(event);
    case 'epoch':
      return reporter.epoch(event);
    case 'message':
      return reporter.message(event);
    case 'end':
      return reporter.tested(event);
    case 'checkpoint':
      return;
    default:
      return event satisfies never;
  }
}
