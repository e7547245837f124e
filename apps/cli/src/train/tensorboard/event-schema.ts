import { parse, type Type } from 'protobufjs';

/**
 * The part of TensorFlow's messages that scalars need, with its names and numbers.
 * @source tensorflow/core/util/event.proto, tensorflow/core/framework/summary.proto
 */
const source = `
syntax = "proto3";
package tensorflow;

message Event {
  double wall_time = 1;
  int64 step = 2;
  oneof what {
    string file_version = 3;
    Summary summary = 5;
  }
}

message Summary {
  message Value {
    string tag = 1;
    oneof value {
      float simple_value = 2;
    }
  }
  repeated Value value = 1;
}
`;

/** An event as an object with the field names of the schema. */
export interface TensorBoardEvent {
  /** Seconds since 1970. */
  readonly wall_time: number;
  readonly step?: number;
  readonly file_version?: string;
  readonly summary?: { readonly value: readonly { readonly tag: string; readonly simple_value: number }[] };
}

const eventType: Type = parse(source, { keepCase: true }).root.lookupType('tensorflow.Event');

export function encodeEvent(event: TensorBoardEvent): Uint8Array {
  return eventType.encode(eventType.fromObject(event)).finish();
}

/** @throws when the bytes are no event */
export function decodeEvent(bytes: Uint8Array): TensorBoardEvent {
  return eventType.toObject(eventType.decode(bytes), { longs: Number }) as TensorBoardEvent;
}
