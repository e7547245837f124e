import { sources, type ShaderName } from './generated/sources.ts';

export interface Shader {
  readonly source: string;
  /** Access of each operand, in order of the bindings of group 0. */
  readonly bindings: readonly Access[];
  /** Names and types of its numbers, in order of `struct Params`, the uniform of group 1. */
  readonly params: readonly (readonly [name: string, type: NumberType])[];
}

export type Access = 'read' | 'read_write';
type NumberType = 'u32' | 'i32' | 'f32';

const known = new Map<ShaderName, Shader>();

/** A kernel, and how it is called, which its source says: so that a lowering can be checked before a device sees it. */
export function shaderOf(name: ShaderName): Shader {
  const found = known.get(name) ?? read(sources[name]);
  known.set(name, found);
  return found;
}

function read(source: string): Shader {
  const [, fields = ''] = /struct Params\{([^}]*)/.exec(source) ?? [];
  return {
    source,
    bindings: [...source.matchAll(/var<storage,(\w+)>/g)].map(([, access]) => access as Access),
    params: [...fields.matchAll(/(\w+):(\w+)/g)].map(([, name = '', type]) => [name, type as NumberType]),
  };
}
