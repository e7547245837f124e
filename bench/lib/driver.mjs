import { existsSync, readdirSync, statSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';

/** What the Vulkan loader must be told in the environment to see one software driver only. */
export function driverEnvironment(driver) {
  if (driver === 'llvmpipe') return icdEnvironment(findLlvmpipe());
  const folder = findSwiftshader();
  return { ...icdEnvironment(join(folder, 'vk_swiftshader_icd.json')), LD_LIBRARY_PATH: folder };
}

const icdEnvironment = (icd) => ({ VK_DRIVER_FILES: icd, VK_ICD_FILENAMES: icd });

function findLlvmpipe() {
  const folder = '/usr/share/vulkan/icd.d';
  const file = existsSync(folder) ? readdirSync(folder).find((name) => /^lvp_icd.*\.json$/.test(name)) : undefined;
  if (file === undefined) throw new Error(`llvmpipe is not installed: no lvp_icd*.json in ${folder}`);
  return join(folder, file);
}

/** Skiplane unpacks SwiftShader from its npm package when it first opens it, which it does before any peer starts. */
function findSwiftshader() {
  const cache = join(process.env.XDG_CACHE_HOME ?? join(homedir(), '.cache'), 'skiplane');
  const folders = (existsSync(cache) ? readdirSync(cache) : [])
    .filter((name) => name.startsWith('swiftshader-'))
    .map((name) => join(cache, name))
    .toSorted((a, b) => statSync(b).mtimeMs - statSync(a).mtimeMs);
  if (folders[0] === undefined)
    throw new Error(`SwiftShader is not unpacked in ${cache}: npm install in the root brings it`);
  return folders[0];
}
