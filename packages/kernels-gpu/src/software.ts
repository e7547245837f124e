import { UnsupportedError } from '@skiplane/core';
import { findPackage, nodeModule } from './node.ts';
import { softwareDrivers, type SoftwareDriver } from './software-drivers.ts';

/** Where a driver is: its ICD file, and a Vulkan loader to use if not the system's. */
export interface DriverFiles {
  readonly driver: SoftwareDriver;
  readonly icd: string;
  readonly loader?: string;
}

const swiftshaderPackage = '@sparticuz/chromium';

/** The driver that was asked for, or with `true` the first that is here. @throws {UnsupportedError} saying what to install */
export async function findDriver(asked: SoftwareDriver | true): Promise<DriverFiles> {
  if (process.platform !== 'linux') {
    const what = asked === true ? 'software adapters run' : `the software adapter '${asked}' runs`;
    throw new UnsupportedError(
      `${what} on Linux only, but this is ${process.platform}: use the adapter of this system.`,
    );
  }
  if (asked !== true) return finders[asked]();
  const problems: string[] = [];
  for (const driver of softwareDrivers) {
    try {
      return await finders[driver]();
    } catch (error) {
      if (!(error instanceof UnsupportedError)) throw error;
      problems.push(error.message);
    }
  }
  throw new UnsupportedError(`no software adapter is to be had. ${problems.join(' Or: ')}`);
}

const finders: Readonly<Record<SoftwareDriver, () => Promise<DriverFiles>>> = {
  swiftshader: findSwiftshader,
  llvmpipe: findLlvmpipe,
};

/** SwiftShader and a Vulkan loader from the npm package, unpacked once into the user's cache. */
async function findSwiftshader(): Promise<DriverFiles> {
  const { existsSync } = nodeModule('node:fs');
  const path = nodeModule('node:path');
  if (process.arch !== 'x64') {
    throw new UnsupportedError(
      `SwiftShader comes for x64, but this is ${process.arch}: install mesa-vulkan-drivers and use 'llvmpipe'.`,
    );
  }
  const entry = findPackage(swiftshaderPackage);
  if (entry === undefined) {
    throw new UnsupportedError(
      `SwiftShader comes with the npm package ${swiftshaderPackage}, which is not installed: npm install ${swiftshaderPackage}.`,
    );
  }
  const archive = path.join(path.dirname(entry), '..', 'bin', 'swiftshader.tar.br');
  if (!existsSync(archive)) {
    throw new UnsupportedError(`${swiftshaderPackage} has no ${archive}: install another version of it.`);
  }
  const folder = await unpack(archive);
  return {
    driver: 'swiftshader',
    icd: path.join(folder, 'vk_swiftshader_icd.json'),
    loader: path.join(folder, 'libvulkan.so.1'),
  };
}

/** Unpacks an archive into a folder named by its content, in one step, so that no process sees half of it. */
async function unpack(archive: string): Promise<string> {
  const fs = nodeModule('node:fs');
  const path = nodeModule('node:path');
  const bytes = fs.readFileSync(archive);
  const hash = nodeModule('node:crypto').createHash('sha256').update(bytes).digest('hex');
  const cache = cacheFolder();
  const folder = path.join(cache, `swiftshader-${hash.slice(0, 16)}`);
  if (fs.existsSync(folder)) return folder;
  const { parseTar } = await import('nanotar');
  const files = parseTar(nodeModule('node:zlib').brotliDecompressSync(bytes));
  const partial = fs.mkdtempSync(path.join(cache, 'partial-'));
  try {
    for (const { name, data } of files) {
      if (data !== undefined && /^[\w.-]+$/.test(name)) fs.writeFileSync(path.join(partial, name), data);
    }
    fs.renameSync(partial, folder);
  } catch (error) {
    fs.rmSync(partial, { recursive: true, force: true });
    // Another process may have been quicker: its folder is as good.
    if (!fs.existsSync(folder)) throw error;
  }
  return folder;
}

/** A folder of this user alone, since code is loaded from it. */
function cacheFolder(): string {
  const fs = nodeModule('node:fs');
  const os = nodeModule('node:os');
  const path = nodeModule('node:path');
  const folders = [
    path.join(process.env['XDG_CACHE_HOME'] ?? path.join(os.homedir(), '.cache'), 'skiplane'),
    path.join(os.tmpdir(), `skiplane-${os.userInfo().uid}`),
  ];
  const problems: string[] = [];
  for (const folder of folders) {
    try {
      fs.mkdirSync(folder, { recursive: true, mode: 0o700 });
      fs.accessSync(folder, fs.constants.W_OK);
      if (fs.statSync(folder).uid === os.userInfo().uid) return folder;
      problems.push(`${folder} belongs to another user`);
    } catch (error) {
      problems.push((error as Error).message);
    }
  }
  throw new UnsupportedError(`SwiftShader must be unpacked, but no folder can be written: ${problems.join('; ')}.`);
}

/** Mesa's driver as the system has installed it. */
async function findLlvmpipe(): Promise<DriverFiles> {
  const fs = nodeModule('node:fs');
  const path = nodeModule('node:path');
  const data = (process.env['XDG_DATA_DIRS'] ?? '/usr/local/share:/usr/share').split(':');
  const folders = [...data, '/etc'].map((folder) => path.join(folder, 'vulkan', 'icd.d'));
  for (const folder of folders) {
    const file = fs.existsSync(folder)
      ? fs.readdirSync(folder).find((name) => /^lvp_icd.*\.json$/.test(name))
      : undefined;
    if (file !== undefined) return { driver: 'llvmpipe', icd: path.join(folder, file) };
  }
  throw new UnsupportedError(
    `llvmpipe is not installed: no lvp_icd*.json in ${folders.join(', ')}. Install Mesa's Vulkan drivers, 25 or newer ` +
      `(Debian and Ubuntu: mesa-vulkan-drivers, on Debian 12 from backports), or use 'swiftshader'.`,
  );
}
