package main

import (
	"bytes"
	"compress/flate"
	"encoding/binary"
	"hash/crc32"
)

// rawFile is one entry of a zip in which everything may be a lie. The zero value of a field means the truth.
type rawFile struct {
	name, localName    string
	data               []byte
	packed             []byte // instead of the compressed data
	behind             []byte // after the data, counted in the compressed size
	gap                []byte // after the entry, counted nowhere
	stored             bool
	method             uint16
	flags, localFlags  uint16
	localMethod        uint16
	crc, localCRC      uint32
	size, localSize    uint32
	noDescriptor       bool
	noSignature        bool
	badDescriptor      bool
	extra, localExtra  []byte
	comment            string
	mode               uint32
	offset             *uint32
	noCRC              bool
	disk               uint16
	duplicateDirectory bool // listed twice in the directory, with the same data
}

// rawZip is the container around them.
type rawZip struct {
	files                    []rawFile
	before, between, after   []byte
	behindDirectory          []byte
	comment                  string
	entries                  int // added to the true number
	disk                     uint16
	zip64                    bool
	reversed                 bool
	directorySize, dirOffset uint32 // added to the true values
}

func pack(data []byte) []byte {
	var b bytes.Buffer
	w, err := flate.NewWriter(&b, flate.BestCompression)
	check(err)
	_, err = w.Write(data)
	check(err)
	check(w.Close())
	return b.Bytes()
}

func or[T comparable](v, other T) T {
	var zero T
	if v == zero {
		return other
	}
	return v
}

func (z rawZip) bytes() []byte {
	var out bytes.Buffer
	put := func(b *bytes.Buffer, values ...any) {
		for _, v := range values {
			check(binary.Write(b, binary.LittleEndian, v))
		}
	}
	out.Write(z.before)
	directories := make([][]byte, 0, len(z.files))
	for _, f := range z.files {
		packed, method := pack(f.data), uint16(8)
		if f.stored {
			packed, method = f.data, 0
		}
		if f.packed != nil {
			packed = f.packed
		}
		packed = append(append([]byte{}, packed...), f.behind...)
		flags := f.flags
		if !f.noDescriptor {
			flags |= 8
		}
		crc := or(f.crc, crc32.ChecksumIEEE(f.data))
		if f.noCRC {
			crc = 0
		}
		size := or(f.size, uint32(len(f.data)))
		offset := uint32(out.Len())
		if f.offset != nil {
			offset = *f.offset
		}
		localName := or(f.localName, f.name)
		method = or(f.method, method)

		put(&out, uint32(0x04034b50), uint16(20), flags^f.localFlags, or(f.localMethod, method), uint16(0), uint16(0))
		if f.noDescriptor {
			put(&out, or(f.localCRC, crc), uint32(len(packed)), or(f.localSize, size))
		} else {
			put(&out, f.localCRC, uint32(0), f.localSize)
		}
		put(&out, uint16(len(localName)), uint16(len(f.localExtra)), []byte(localName), f.localExtra, packed)
		if !f.noDescriptor {
			if !f.noSignature {
				put(&out, uint32(0x08074b50))
			}
			descriptorSize := size
			if f.badDescriptor {
				descriptorSize++
			}
			put(&out, crc, uint32(len(packed)), descriptorSize)
		}
		out.Write(f.gap)

		var d bytes.Buffer
		put(&d, uint32(0x02014b50), uint16(3<<8|20), uint16(20), flags, method, uint16(0), uint16(0), crc, uint32(len(packed)), size,
			uint16(len(f.name)), uint16(len(f.extra)), uint16(len(f.comment)), f.disk, uint16(0), f.mode<<16, offset, []byte(f.name), f.extra, []byte(f.comment))
		directories = append(directories, d.Bytes())
		if f.duplicateDirectory {
			directories = append(directories, d.Bytes())
		}
	}
	out.Write(z.between)
	start := out.Len()
	for i := range directories {
		if z.reversed {
			i = len(directories) - 1 - i
		}
		out.Write(directories[i])
	}
	size := out.Len() - start
	out.Write(z.behindDirectory)
	count := len(directories) + z.entries
	if z.zip64 {
		at := out.Len()
		put(&out, uint32(0x06064b50), uint64(44), uint16(45), uint16(45), uint32(0), uint32(0), uint64(count), uint64(count), uint64(size), uint64(start))
		put(&out, uint32(0x07064b50), uint32(0), uint64(at), uint32(1))
		put(&out, uint32(0x06054b50), z.disk, z.disk, uint16(0xffff), uint16(0xffff), uint32(0xffffffff), uint32(0xffffffff))
	} else {
		put(&out, uint32(0x06054b50), z.disk, z.disk, uint16(count), uint16(count), uint32(size)+z.directorySize, uint32(start)+z.dirOffset)
	}
	put(&out, uint16(len(z.comment)), []byte(z.comment))
	out.Write(z.after)
	return out.Bytes()
}
