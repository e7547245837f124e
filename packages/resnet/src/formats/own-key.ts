/** The key of what this library writes into the metadata of others' formats. */
export const ownKey = 'skiplane';
