/**
 * The official archive of the CIFAR-10 binary version: 170,052,171 bytes.
 * @source https://www.cs.toronto.edu/~kriz/cifar.html
 */
export const officialArchive = {
  name: 'cifar-10-binary.tar.gz',
  url: 'https://www.cs.toronto.edu/~kriz/cifar-10-binary.tar.gz',
  sha256: 'c4a38c50a1bc5f3a1c5537f2155ab9d68f9f25eb1ed8d9ddda3db29a59bca1dd',
} as const;
