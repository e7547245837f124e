/** Vulkan drivers that compute on the processor, the one that needs the least first. */
export const softwareDrivers = ['swiftshader', 'llvmpipe'] as const;
export type SoftwareDriver = (typeof softwareDrivers)[number];
