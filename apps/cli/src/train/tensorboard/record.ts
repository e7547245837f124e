import crc32c from 'crc-32/crc32c.js';

/**
 * One record of a TFRecord file: length (8 bytes, little-endian), masked CRC-32C of the length, data, masked CRC-32C of
 * the data.
 * @source TensorFlow, tensorflow/core/lib/io/record_writer.h
 */
export function frameRecord(data: Uint8Array): Uint8Array {
  const record = new Uint8Array(headerBytes + data.length + footerBytes);
  const view = new DataView(record.buffer);
  view.setBigUint64(0, BigInt(data.length), true);
  view.setUint32(8, maskedCrc(record.subarray(0, 8)), true);
  record.set(data, headerBytes);
  view.setUint32(headerBytes + data.length, maskedCrc(data), true);
  return record;
}

/** The data of the whole records that a file begins with, and how many bytes they take: a kill may have cut the last. */
export function readRecords(file: Uint8Array): { readonly records: readonly Uint8Array[]; readonly bytes: number } {
  const view = new DataView(file.buffer, file.byteOffset, file.byteLength);
  const records: Uint8Array[] = [];
  let bytes = 0;
  while (bytes + headerBytes + footerBytes <= file.length) {
    const length = Number(view.getBigUint64(bytes, true));
    const end = bytes + headerBytes + length;
    if (view.getUint32(bytes + 8, true) !== maskedCrc(file.subarray(bytes, bytes + 8))) break;
    if (end + footerBytes > file.length) break;
    const data = file.subarray(bytes + headerBytes, end);
    if (view.getUint32(end, true) !== maskedCrc(data)) break;
    records.push(data);
    bytes = end + footerBytes;
  }
  return { records, bytes };
}

/** Bytes before and behind the data of a record. */
const headerBytes = 12;
const footerBytes = 4;

/** A CRC of data that holds CRCs itself is weak, so those that are stored are rotated by 15 bits and shifted. */
function maskedCrc(data: Uint8Array): number {
  const crc = crc32c.buf(data) >>> 0;
  return (((crc >>> 15) | (crc << 17)) + 0xa282ead8) >>> 0;
}
