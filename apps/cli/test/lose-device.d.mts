/** Lets the device that makes the nth submission or write from now on be lost then. */
export function loseDeviceAt(calls: number): void;
