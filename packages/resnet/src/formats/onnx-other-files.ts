import type { ByteSource } from '../byte-source.ts';
import { fileError } from './model-file.ts';
import type { OnnxTensor } from './onnx-schema.ts';
import { siblingName, type ReadSibling } from './sibling.ts';

const format = 'ONNX';
/** Exporters write one file for all, or one for each tensor. */
const maxFiles = 10_000;

type Stored = Pick<OnnxTensor, 'name' | 'dataLocation' | 'externalData'>;

/**
 * The files in which tensors of a model lie, by their names. A model of more than 2 GiB must have such.
 * @source https://github.com/onnx/onnx/blob/main/docs/ExternalData.md
 */
export async function otherFiles(
  tensors: readonly Stored[],
  sibling: ReadSibling,
): Promise<ReadonlyMap<string, ByteSource>> {
  const files = new Map<string, ByteSource>();
  for (const tensor of tensors) {
    const location = said(tensor, 'location');
    if (tensor.dataLocation !== 1 || location === undefined || files.has(location)) continue;
    const name = siblingName(format, location);
    if (files.size >= maxFiles) throw fileError(format, `its tensors lie in more than ${maxFiles} files`);
    files.set(location, await sibling(name));
  }
  return files;
}

/** The bytes of a tensor that lies in another file. @throws {FormatError} when they are not there */
export function contentElsewhere(
  tensor: Stored,
  needed: number,
  files: ReadonlyMap<string, ByteSource>,
): () => Uint8Array {
  const file = files.get(said(tensor, 'location') ?? '');
  const [offset, length] = [Number(said(tensor, 'offset') ?? 0), Number(said(tensor, 'length') ?? needed)];
  if (file === undefined)
    throw fileError(format, `tensor '${tensor.name}' lies in another file, which it does not name`);
  if (!Number.isSafeInteger(offset) || offset < 0 || length !== needed || offset + needed > file.length) {
    throw fileError(
      format,
      `tensor '${tensor.name}' needs ${needed} bytes; it is said to have ${length} from byte ${offset} on of a file of ${file.length}`,
    );
  }
  return () => file.subarray(offset, offset + needed);
}

function said({ externalData }: Stored, wanted: string): string | undefined {
  return externalData.find(({ key }) => key === wanted)?.value;
}
