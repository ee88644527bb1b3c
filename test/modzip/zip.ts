import { crc32, deflateRawSync } from 'node:zlib';
import type { ZipSource } from '../../src/modzip/zip-source.ts';

/** A zip in memory. */
export function memorySource(bytes: Buffer): ZipSource {
  return {
    size: bytes.length,
    read: async (position, length) => bytes.subarray(position, position + length),
  };
}

interface ZipFile {
  name: string;
  content?: Buffer;
  /** Instead of the compressed content. */
  packed?: Buffer;
  /** Instead of the content's size. */
  size?: number;
  crc?: number;
}

/** Deflated. A tenth of a second for each ten thousand empty files would go into making it anew. */
const nothing = deflateRawSync(Buffer.alloc(0));

/** Packs files as Go's archive/zip writer does, zip64 records included. */
export function zipOf(files: readonly ZipFile[]): Buffer {
  const parts: Buffer[] = [];
  const directory: Buffer[] = [];
  let offset = 0;
  for (const file of files) {
    const content = file.content ?? Buffer.alloc(0);
    const packed = file.packed ?? (content.length === 0 ? nothing : deflateRawSync(content, { level: 1 }));
    const name = Buffer.from(file.name);
    const local = Buffer.alloc(30);
    local.writeUInt32LE(0x04034b50, 0);
    local.writeUInt16LE(8, 6);
    local.writeUInt16LE(8, 8);
    local.writeUInt16LE(name.length, 26);
    const descriptor = Buffer.alloc(16);
    descriptor.writeUInt32LE(0x08074b50, 0);
    descriptor.writeUInt32LE(file.crc ?? crc32(content), 4);
    descriptor.writeUInt32LE(packed.length, 8);
    descriptor.writeUInt32LE(file.size ?? content.length, 12);
    const central = Buffer.alloc(46);
    central.writeUInt32LE(0x02014b50, 0);
    central.writeUInt16LE(8, 8);
    central.writeUInt16LE(8, 10);
    descriptor.copy(central, 16, 4);
    central.writeUInt16LE(name.length, 28);
    central.writeUInt32LE(offset, 42);
    parts.push(local, name, packed, descriptor);
    directory.push(central, name);
    offset += 46 + name.length + packed.length;
  }
  const bytes = Buffer.concat(directory);
  return Buffer.concat([...parts, bytes, endOf(files.length, bytes.length, offset)]);
}

function endOf(entries: number, size: number, offset: number): Buffer {
  const end = Buffer.alloc(22);
  end.writeUInt32LE(0x06054b50, 0);
  if (entries < 0xffff) {
    end.writeUInt16LE(entries, 8);
    end.writeUInt16LE(entries, 10);
    end.writeUInt32LE(size, 12);
    end.writeUInt32LE(offset, 16);
    return end;
  }
  end.fill(0xff, 8, 20);
  const end64 = Buffer.alloc(76);
  end64.writeUInt32LE(0x06064b50, 0);
  end64.writeUInt32LE(44, 4);
  end64.writeUInt32LE(entries, 24);
  end64.writeUInt32LE(entries, 32);
  end64.writeUInt32LE(size, 40);
  end64.writeUInt32LE(offset, 48);
  end64.writeUInt32LE(0x07064b50, 56);
  end64.writeUInt32LE(offset + size, 64);
  end64.writeUInt32LE(1, 72);
  return Buffer.concat([end64, end]);
}
