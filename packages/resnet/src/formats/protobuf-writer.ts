import { wireOf, type ProtobufKind, type ProtobufMessage } from './protobuf.ts';

/** A message of what an object has by the names of its table. Large contents are copied once. */
export function encodeProtobuf(table: ProtobufMessage, values: object): Uint8Array {
  const parts = partsOf(table, values);
  const bytes = new Uint8Array(lengthOf(parts));
  let at = 0;
  for (const part of parts) {
    bytes.set(part, at);
    at += part.length;
  }
  return bytes;
}

function partsOf(table: ProtobufMessage, values: object): readonly Uint8Array[] {
  const given = values as Readonly<Record<string, unknown>>;
  return [...table].flatMap(([number, { name, kind, many }]) => {
    const value = given[name];
    if (value === undefined || value === null) return [];
    const all = many ? (value as readonly unknown[]) : [value];
    return all.flatMap((item) => [varint(8 * number + wireOf(kind)), ...valueParts(kind, item)]);
  });
}

function valueParts(kind: ProtobufKind, value: unknown): readonly Uint8Array[] {
  if (kind === 'int') return [varint(value as number)];
  if (kind === 'float' || kind === 'double') return [fraction(kind === 'float' ? 4 : 8, value as number)];
  const parts =
    typeof kind !== 'string'
      ? partsOf(kind, value as object)
      : [kind === 'text' ? new TextEncoder().encode(value as string) : (value as Uint8Array)];
  return [varint(lengthOf(parts)), ...parts];
}

function lengthOf(parts: readonly Uint8Array[]): number {
  return parts.reduce((sum, { length }) => sum + length, 0);
}

function varint(value: number): Uint8Array {
  const bytes: number[] = [];
  let rest = BigInt.asUintN(64, BigInt(value));
  while (rest >= 0x80n) {
    bytes.push(Number(rest & 0x7fn) | 0x80);
    rest >>= 7n;
  }
  return Uint8Array.from([...bytes, Number(rest)]);
}

function fraction(size: 4 | 8, value: number): Uint8Array {
  const bytes = new Uint8Array(size);
  const view = new DataView(bytes.buffer);
  if (size === 4) view.setFloat32(0, value, true);
  else view.setFloat64(0, value, true);
  return bytes;
}
