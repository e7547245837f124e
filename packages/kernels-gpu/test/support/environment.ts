/** Sets variables of this process's environment. @returns sets them back */
function setVariables(values: Readonly<Record<string, string>>): () => void {
  const before = Object.keys(values).map((name) => [name, process.env[name]] as const);
  Object.assign(process.env, values);
  return () => {
    for (const [name, value] of before) {
      if (value === undefined) delete process.env[name];
      else process.env[name] = value;
    }
  };
}

/** Lets nobody find a Vulkan driver of the system. @returns undoes it */
export function isolateDrivers(): () => void {
  return setVariables({
    VK_DRIVER_FILES: '/nowhere/icd.json',
    VK_ICD_FILENAMES: '/nowhere/icd.json',
    XDG_DATA_DIRS: '/nowhere',
  });
}

interface System {
  readonly platform: NodeJS.Platform;
  readonly arch: NodeJS.Architecture;
}

/** Pretends to be another system. @returns undoes it */
export function setPlatform(platform: NodeJS.Platform, arch: NodeJS.Architecture): () => void {
  const before = { platform: process.platform, arch: process.arch };
  setSystem({ platform, arch });
  return () => setSystem(before);
}

function setSystem(system: System): void {
  for (const [name, value] of Object.entries(system)) Object.defineProperty(process, name, { value });
}
