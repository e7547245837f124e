/**
 * Messages of Protocol Buffers by tables, read and written here: a library would generate code as it runs, which strict
 * pages forbid, or hold files in memory as a whole.
 */

/**
 * - `int` of up to 64 bits, `float`, `double`, `text`
 * - `bytes`: a few, read with the message
 * - `content`: bytes that are read when they are asked for; of a list of numbers, those of all of them
 */
export type ProtobufKind = 'int' | 'float' | 'double' | 'text' | 'bytes' | 'content' | ProtobufMessage;

export interface ProtobufField {
  readonly name: string;
  readonly kind: ProtobufKind;
  /** Whether it is a list. */
  readonly many: boolean;
}

/** Fields by their numbers. */
export type ProtobufMessage = ReadonlyMap<number, ProtobufField>;

/** How values lie in a file. */
export const wireTypes = { varint: 0, eight: 1, block: 2, four: 5 } as const;

export function wireOf(kind: ProtobufKind): number {
  if (kind === 'int') return wireTypes.varint;
  return kind === 'float' ? wireTypes.four : kind === 'double' ? wireTypes.eight : wireTypes.block;
}

export function message(
  fields: Readonly<Record<number, readonly [name: string, kind: ProtobufKind]>>,
): ProtobufMessage {
  return new Map(
    Object.entries(fields).map(([number, [name, kind]]) => {
      const many = name.endsWith('[]');
      return [Number(number), { name: many ? name.slice(0, -2) : name, kind, many }];
    }),
  );
}
