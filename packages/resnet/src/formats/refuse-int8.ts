import { FormatError } from '@skiplane/core';
import type { LayerNode } from '../layer-graph/layer-graph.ts';

/** The way a format without int8 writes a layer of it. @throws {FormatError} always */
export function refuseInt8({ name, kind }: LayerNode): never {
  throw new FormatError(
    `layer '${name}' (${kind}) is of int8, which only a checkpoint (.safetensors) holds: convert the weights before they are quantized.`,
    { name, kind },
  );
}
