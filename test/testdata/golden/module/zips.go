package main

import (
	"archive/zip"
	"bytes"
	"encoding/base64"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"golang.org/x/mod/module"
	"golang.org/x/mod/sumdb/dirhash"
	modzip "golang.org/x/mod/zip"
)

const (
	zipPath    = "x.y/Z"
	zipVersion = "v1.2.3"
	pre        = zipPath + "@" + zipVersion + "/"
)

// zipCase is one zip. Strict means: gokeep refuses it although Go does not.
type zipCase struct {
	name    string
	zip     []byte
	version string
	strict  bool
}

func file(name, data string) rawFile { return rawFile{name: pre + name, data: []byte(data)} }

// names is a zip of empty files with these names, which get the prefix of the module.
func names(list ...string) []byte {
	z := rawZip{}
	for _, n := range list {
		z.files = append(z.files, file(n, ""))
	}
	return z.bytes()
}

// bare is a zip of files with exactly these names.
func bare(list ...string) []byte {
	z := rawZip{}
	for _, n := range list {
		z.files = append(z.files, rawFile{name: n})
	}
	return z.bytes()
}

func with(change func(*rawZip, *rawFile)) []byte {
	z := rawZip{files: []rawFile{file("go.mod", "module x.y/Z\n"), file("a.go", "package a // "+strings.Repeat("a", 100)+"\n"), file("b.go", "package a\n")}}
	change(&z, &z.files[1])
	return z.bytes()
}

func zeros(n int) string { return strings.Repeat("\x00", n) }

func written() []byte {
	var b bytes.Buffer
	w := zip.NewWriter(&b)
	for _, n := range []string{"go.mod", "z.go", "a/b.go", "LICENSE", "ä/日本.go", "\U00010400.txt", "\uff41.txt"} {
		f, err := w.Create(pre + n)
		check(err)
		_, err = f.Write([]byte("content of " + n))
		check(err)
	}
	check(w.Close())
	return b.Bytes()
}

func many(n int) []byte {
	z := rawZip{zip64: n >= 0xffff}
	for i := range n {
		z.files = append(z.files, file(fmt.Sprint(i), ""))
	}
	return z.bytes()
}

func zipCases() []zipCase {
	const mib = 1 << 20
	extra := func(tag uint16, data ...byte) []byte {
		return append([]byte{byte(tag), byte(tag >> 8), byte(len(data)), byte(len(data) >> 8)}, data...)
	}
	nested := with(func(z *rawZip, f *rawFile) {})
	return []zipCase{
		{name: "as Go's writer makes it", zip: written()},
		{name: "plain", zip: with(func(z *rawZip, f *rawFile) {})},
		{name: "stored", zip: with(func(z *rawZip, f *rawFile) { f.stored = true })},
		{name: "stored without descriptor", zip: with(func(z *rawZip, f *rawFile) { f.stored, f.noDescriptor = true, true })},
		{name: "without descriptor", zip: with(func(z *rawZip, f *rawFile) { f.noDescriptor = true })},
		{name: "descriptor without signature", zip: with(func(z *rawZip, f *rawFile) { f.noSignature = true })},
		{name: "last descriptor without signature", zip: with(func(z *rawZip, f *rawFile) { z.files[2].noSignature = true })},
		{name: "recompressed, same h1", zip: with(func(z *rawZip, f *rawFile) { f.stored, z.files[0].stored = true, true })},
		{name: "other order, same h1", zip: with(func(z *rawZip, f *rawFile) { z.files[0], z.files[2] = z.files[2], z.files[0] })},
		{name: "empty zip", zip: rawZip{}.bytes()},
		{name: "one empty file", zip: names("a")},
		{name: "no go.mod", zip: names("a.go", "b.go")},
		{name: "go.mod names another module", zip: rawZip{files: []rawFile{file("go.mod", "module other.example/x\n")}}.bytes()},
		{name: "go.mod is garbage", zip: rawZip{files: []rawFile{file("go.mod", "\x00\xff")}}.bytes()},
		{name: "symlink mode", zip: with(func(z *rawZip, f *rawFile) { f.mode = 0o120777 })},
		{name: "directory mode", zip: with(func(z *rawZip, f *rawFile) { f.mode = 0o040755 })},
		{name: "timestamps in extra fields", zip: with(func(z *rawZip, f *rawFile) {
			f.extra, f.localExtra = extra(0x5455, 1, 0, 0, 0, 0), extra(0x5455, 3, 0, 0, 0, 0, 0, 0, 0, 0)
		})},
		{name: "a zip inside", zip: rawZip{files: []rawFile{{name: pre + "in.zip", data: nested, stored: true}}}.bytes()},
		{name: "a zip inside, without descriptor", zip: rawZip{files: []rawFile{{name: pre + "in.zip", data: nested, stored: true, noDescriptor: true}}}.bytes()},
		{name: "utf-8 flag", zip: with(func(z *rawZip, f *rawFile) { f.flags = 0x800 })},
		{name: "deflate level flags", zip: with(func(z *rawZip, f *rawFile) { f.flags = 6 })},

		{name: "directory entry", zip: names("a/", "a/b")},
		{name: "directory entry twice", zip: names("a/", "a/b", "a/")},
		{name: "directory entry after its file", zip: names("a/b", "a/")},
		{name: "root directory entry", zip: names("", "a")},
		{name: "root directory entry with content", zip: rawZip{files: []rawFile{file("", "x"), file("a", "")}}.bytes()},
		{name: "directory with content", zip: rawZip{files: []rawFile{file("a/", "x")}}.bytes()},
		{name: "directory named go.mod", zip: names("a/go.mod/x")},
		{name: "root directory named go.mod", zip: names("go.mod/x")},
		{name: "directory entry named go.mod", zip: names("go.mod/")},

		{name: "wrong module", zip: bare("x.y/W@v1.2.3/a")},
		{name: "wrong case of module", zip: bare("x.y/z@v1.2.3/a")},
		{name: "escaped module", zip: bare("x.y/!z@v1.2.3/a")},
		{name: "wrong version", zip: bare("x.y/Z@v1.2.4/a")},
		{name: "no prefix", zip: bare("a")},
		{name: "empty name", zip: bare("")},
		{name: "prefix without slash", zip: bare("x.y/Z@v1.2.3")},
		{name: "one file without prefix", zip: bare(pre+"a", "b")},
		{name: "parent", zip: names("../a")},
		{name: "parent inside", zip: names("a/../b")},
		{name: "parent at the end", zip: names("a/..")},
		{name: "dot", zip: names("./a")},
		{name: "only dot", zip: names(".")},
		{name: "absolute", zip: names("/a")},
		{name: "absolute alone", zip: bare("/" + pre + "a")},
		{name: "double slash", zip: names("a//b")},
		{name: "double slash at the end", zip: names("a//")},
		{name: "backslash", zip: names("a\\b")},
		{name: "colon", zip: names("a:b")},
		{name: "newline", zip: names("a\nb")},
		{name: "nul", zip: names("a\x00b")},
		{name: "escape character", zip: names("a\x1bb")},
		{name: "not utf-8", zip: names("a\xffb")},
		{name: "trailing dot", zip: names("a.")},
		{name: "leading dot", zip: names(".a")},
		{name: "trailing space", zip: names("a ")},
		{name: "three dots", zip: names("...")},
		{name: "windows name", zip: names("con")},
		{name: "windows name with extension", zip: names("a/AUX.go")},
		{name: "windows short name", zip: names("progra~1")},
		{name: "quote", zip: names("a'b")},
		{name: "exclamation mark", zip: names("a!b")},
		{name: "at sign", zip: names("a@b")},
		{name: "letters of the world", zip: names("é", "日本", "Ж")},
		{name: "combining mark", zip: names("e\u0301")},
		{name: "emoji", zip: names("\U0001F600")},
		{name: "zero width space", zip: names("a\u200b")},
		{name: "letter of Unicode 16", zip: names("\U00010D4A")},

		{name: "same file twice", zip: names("a", "a")},
		{name: "same file twice with other content", zip: rawZip{files: []rawFile{file("a", "x"), file("a", "y")}}.bytes()},
		{name: "same case-insensitively", zip: names("a.go", "A.go")},
		{name: "same directory case-insensitively", zip: names("a/x", "A/y")},
		{name: "directory entry and directory, other case", zip: names("a/", "A/y")},
		{name: "long s", zip: names("s", "ſ")},
		{name: "kelvin", zip: names("k", "\u212a")},
		{name: "dotless i", zip: names("i", "ı")},
		{name: "dotted capital i", zip: names("i", "İ")},
		{name: "sharp s", zip: names("ß", "ẞ")},
		{name: "sharp s and ss", zip: names("ß", "ss")},
		{name: "final sigma", zip: names("σ", "ς")},
		{name: "ligature", zip: names("ﬁ", "fi")},
		{name: "full width", zip: names("ａ", "Ａ")},
		{name: "composed and decomposed differ", zip: names("é", "e")},
		{name: "Deseret", zip: names("\U00010400", "\U00010428")},
		{name: "titlecase digraph", zip: names("ǅ", "ǆ")},
		{name: "file and directory", zip: names("a", "a/b")},
		{name: "directory and file", zip: names("a/b", "a")},
		{name: "file and directory entry", zip: names("a", "a/")},
		{name: "deep file and directory", zip: names("a/b/c", "a/b")},

		{name: "GO.MOD", zip: names("GO.MOD")},
		{name: "Go.mod beside go.mod", zip: names("go.mod", "Go.mod")},
		{name: "submodule", zip: names("sub/go.mod", "sub/a.go")},
		{name: "submodule in upper case", zip: names("sub/GO.MOD")},
		{name: "go.mod.bak", zip: names("go.mod.bak", "a/xgo.mod")},
		{name: "vendor", zip: names("vendor/x.y/a.go", "vendor/modules.txt")},
		{name: "hg archive", zip: names(".hg_archival.txt", ".git/config")},
		{name: "license in lower case", zip: names("license", "sub/LICENSE")},

		{name: "go.mod of 16 MiB", zip: rawZip{files: []rawFile{file("go.mod", zeros(16*mib))}}.bytes()},
		{name: "go.mod of 16 MiB and a byte", zip: rawZip{files: []rawFile{file("go.mod", zeros(16*mib+1))}}.bytes()},
		{name: "LICENSE of 16 MiB", zip: rawZip{files: []rawFile{file("LICENSE", zeros(16*mib))}}.bytes()},
		{name: "LICENSE of 16 MiB and a byte", zip: rawZip{files: []rawFile{file("LICENSE", zeros(16*mib+1))}}.bytes()},
		{name: "sub/LICENSE of 16 MiB and a byte", zip: rawZip{files: []rawFile{file("sub/LICENSE", zeros(16*mib+1))}}.bytes()},
		{name: "declares 500 MiB and a byte", zip: with(func(z *rawZip, f *rawFile) { f.size = 500*mib + 1 })},
		{name: "declares 500 MiB and a byte in two files", zip: with(func(z *rawZip, f *rawFile) { f.size, z.files[2].size = 250*mib, 250*mib+1 })},
		{name: "declares more than it has", zip: with(func(z *rawZip, f *rawFile) { f.size = 1000 })},
		{name: "declares less than it has", zip: with(func(z *rawZip, f *rawFile) { f.size = 10 })},
		{name: "declares nothing", zip: with(func(z *rawZip, f *rawFile) { f.data, f.packed, f.size = nil, pack([]byte("hidden")), 0 })},
		{name: "stored declares less than it has", zip: with(func(z *rawZip, f *rawFile) { f.stored, f.size = true, 10 })},
		{name: "large file declares less than it has", zip: with(func(z *rawZip, f *rawFile) { f.data, f.size = []byte(zeros(3*mib)), 2*mib })},
		{name: "large file declares more than it has", zip: with(func(z *rawZip, f *rawFile) { f.data, f.size = []byte(zeros(3*mib)), 4*mib })},
		{name: "large file", zip: with(func(z *rawZip, f *rawFile) { f.data = []byte(zeros(3 * mib)) })},
		{name: "large file without descriptor", zip: with(func(z *rawZip, f *rawFile) { f.data, f.noDescriptor = []byte(zeros(3*mib)), true })},
		{name: "wrong checksum", zip: with(func(z *rawZip, f *rawFile) { f.crc = 0x12345678 })},
		{name: "large file with wrong checksum", zip: with(func(z *rawZip, f *rawFile) { f.data, f.crc = []byte(zeros(3*mib)), 0x12345678 })},
		{name: "wrong checksum without descriptor", zip: with(func(z *rawZip, f *rawFile) { f.crc, f.noDescriptor = 0x12345678, true })},
		{name: "checksum zero without descriptor", strict: true, zip: with(func(z *rawZip, f *rawFile) { f.noCRC, f.noDescriptor = true, true })},
		{name: "damaged data", zip: with(func(z *rawZip, f *rawFile) { f.packed = []byte{0xff, 0xff, 0xff, 0xff} })},
		{name: "truncated data", zip: with(func(z *rawZip, f *rawFile) { f.packed = pack(f.data)[:8] })},
		{name: "large file with truncated data", zip: with(func(z *rawZip, f *rawFile) { f.data = []byte(zeros(3 * mib)); f.packed = pack(f.data)[:1000] })},
		{name: "no data", zip: with(func(z *rawZip, f *rawFile) { f.packed = []byte{} })},

		{name: "bytes behind the compressed data", strict: true, zip: with(func(z *rawZip, f *rawFile) { f.behind = []byte("hidden") })},
		{name: "bytes behind the compressed data of a large file", strict: true, zip: with(func(z *rawZip, f *rawFile) {
			f.data, f.behind = []byte(zeros(3*mib)), []byte("hidden")
		})},
		{name: "many bytes behind the compressed data", strict: true, zip: with(func(z *rawZip, f *rawFile) { f.behind = []byte(zeros(5000)) })},
		{name: "other name in the local header", strict: true, zip: with(func(z *rawZip, f *rawFile) { f.localName = pre + "x.go" })},
		{name: "longer name in the local header", strict: true, zip: with(func(z *rawZip, f *rawFile) { f.localName = pre + "xx.go" })},
		{name: "other method in the local header", strict: true, zip: with(func(z *rawZip, f *rawFile) { f.stored, f.localMethod = true, 8 })},
		{name: "other size in the local header", strict: true, zip: with(func(z *rawZip, f *rawFile) { f.noDescriptor, f.localSize = true, 7 })},
		{name: "size in the local header with descriptor", strict: true, zip: with(func(z *rawZip, f *rawFile) { f.localSize = 7 })},
		{name: "other checksum in the local header", strict: true, zip: with(func(z *rawZip, f *rawFile) { f.noDescriptor, f.localCRC = true, 7 })},
		{name: "encrypted in the local header", strict: true, zip: with(func(z *rawZip, f *rawFile) { f.localFlags = 1 })},
		{name: "encrypted", strict: true, zip: with(func(z *rawZip, f *rawFile) { f.flags = 1 })},
		{name: "strong encryption", strict: true, zip: with(func(z *rawZip, f *rawFile) { f.flags = 0x40 })},
		{name: "masked header", strict: true, zip: with(func(z *rawZip, f *rawFile) { f.flags = 0x2000 })},
		{name: "unknown method", zip: with(func(z *rawZip, f *rawFile) { f.method = 12 })},
		{name: "method 99", zip: with(func(z *rawZip, f *rawFile) { f.method = 99 })},
		{name: "wrong size in the descriptor", strict: true, zip: with(func(z *rawZip, f *rawFile) { f.badDescriptor = true })},
		{name: "file comment", strict: true, zip: with(func(z *rawZip, f *rawFile) { f.comment = "c" })},
		{name: "second name in an extra field", strict: true, zip: with(func(z *rawZip, f *rawFile) { f.extra = extra(0x7075, 1, 0, 0, 0, 0, 'x') })},
		{name: "second name in a local extra field", strict: true, zip: with(func(z *rawZip, f *rawFile) { f.localExtra = extra(0x7075, 1, 0, 0, 0, 0, 'x') })},
		{name: "zip64 extra field", strict: true, zip: with(func(z *rawZip, f *rawFile) { f.extra = extra(1, 1, 2, 3, 4, 5, 6, 7, 8) })},
		{name: "malformed extra field", strict: true, zip: with(func(z *rawZip, f *rawFile) { f.extra = []byte{1, 2, 3} })},
		{name: "extra field longer than the rest", strict: true, zip: with(func(z *rawZip, f *rawFile) { f.localExtra = []byte{1, 2, 9, 0, 0} })},
		{name: "file on another disk", strict: true, zip: with(func(z *rawZip, f *rawFile) { f.disk = 1 })},
		{name: "two entries share data", strict: true, zip: with(func(z *rawZip, f *rawFile) {
			z.files[2] = z.files[0]
			z.files[2].name, z.files[2].offset = pre+"c", new(uint32)
		})},
		{name: "offset beyond the file", zip: with(func(z *rawZip, f *rawFile) { f.offset = new(uint32); *f.offset = 1 << 30 })},
		{name: "same entry twice in the directory", zip: with(func(z *rawZip, f *rawFile) { f.duplicateDirectory = true })},
		{name: "directory in another order", strict: true, zip: with(func(z *rawZip, f *rawFile) { z.reversed = true })},
		{name: "gap between files", strict: true, zip: with(func(z *rawZip, f *rawFile) { f.gap = []byte("hidden") })},
		{name: "bytes before the first file", strict: true, zip: with(func(z *rawZip, f *rawFile) { z.before = []byte("#!/bin/sh\n") })},
		{name: "bytes before the first file, offsets unaware", strict: true, zip: append([]byte("#!/bin/sh\n"), with(func(z *rawZip, f *rawFile) {})...)},
		{name: "bytes before the directory", strict: true, zip: with(func(z *rawZip, f *rawFile) { z.between = []byte("hidden") })},
		{name: "bytes behind the directory", strict: true, zip: with(func(z *rawZip, f *rawFile) {
			z.behindDirectory = []byte("hidden hidden hidden hidden hidden hidden hidden")
			z.dirOffset = 0
		})},
		{name: "bytes behind the end", strict: true, zip: with(func(z *rawZip, f *rawFile) { z.after = []byte("hidden") })},
		{name: "archive comment", strict: true, zip: with(func(z *rawZip, f *rawFile) { z.comment = "c" })},
		{name: "end record in the comment", strict: true, zip: with(func(z *rawZip, f *rawFile) { z.comment = string(rawZip{}.bytes()) })},
		{name: "two zips in a row", strict: true, zip: append(with(func(z *rawZip, f *rawFile) {}), with(func(z *rawZip, f *rawFile) {})...)},
		{name: "two end records", strict: true, zip: append(with(func(z *rawZip, f *rawFile) {}), rawZip{}.bytes()...)},
		{name: "claims more entries", zip: with(func(z *rawZip, f *rawFile) { z.entries = 1 })},
		{name: "claims fewer entries", zip: with(func(z *rawZip, f *rawFile) { z.entries = -1 })},
		{name: "several disks", strict: true, zip: with(func(z *rawZip, f *rawFile) { z.disk = 1 })},
		{name: "zip64 without need", strict: true, zip: with(func(z *rawZip, f *rawFile) { z.zip64 = true })},
		{name: "directory size too small", strict: true, zip: with(func(z *rawZip, f *rawFile) { z.directorySize = 0xffffffff })},
		{name: "truncated", zip: with(func(z *rawZip, f *rawFile) {})[:200]},
		{name: "without its last byte", zip: func() []byte { b := names("a"); return b[:len(b)-1] }()},
		{name: "nothing", zip: []byte{}},
		{name: "not a zip", zip: []byte("<html>please log in</html>")},

		{name: "version that is not canonical", version: "v1.2", zip: bare("x.y/Z@v1.2/a")},
		{name: "version that does not fit", version: "v2.0.0", zip: bare("x.y/Z@v2.0.0/a")},
		{name: "incompatible version", version: "v2.0.0+incompatible", zip: bare("x.y/Z@v2.0.0+incompatible/a")},
		{name: "pseudo-version", version: "v0.0.0-20240102030405-abcdef123456", zip: bare("x.y/Z@v0.0.0-20240102030405-abcdef123456/a")},
	}
}

// judge gives Go's h1 hash of a zip, or why it refuses to check, hash or unpack it.
func judge(m module.Version, data []byte) (h1, refusal string) {
	dir, err := os.MkdirTemp("", "golden")
	check(err)
	defer os.RemoveAll(dir)
	name := filepath.Join(dir, "m.zip")
	check(os.WriteFile(name, data, 0o666))
	if _, err := modzip.CheckZip(m, name); err != nil {
		return "", strings.ReplaceAll(err.Error(), dir, "")
	}
	if h1, err = dirhash.HashZip(name, dirhash.Hash1); err != nil {
		return "", "hash: " + strings.ReplaceAll(err.Error(), dir, "")
	}
	if err := modzip.Unzip(filepath.Join(dir, "out"), m, name); err != nil {
		return "", strings.ReplaceAll(err.Error(), dir, "")
	}
	return h1, ""
}

func writeZips() {
	type vector struct {
		Name    string `json:"name"`
		Path    string `json:"path"`
		Version string `json:"version"`
		H1      string `json:"h1"`
		Refusal string `json:"refusal"`
		Strict  bool   `json:"strict"`
		Zip     string `json:"zip"`
	}
	var out []vector
	for _, c := range zipCases() {
		m := module.Version{Path: zipPath, Version: or(c.version, zipVersion)}
		h1, refusal := judge(m, c.zip)
		if c.strict && refusal != "" {
			check(fmt.Errorf("%s: marked as strict, but Go refuses as well: %s", c.name, refusal))
		}
		out = append(out, vector{c.name, m.Path, m.Version, h1, refusal, c.strict, base64.StdEncoding.EncodeToString(c.zip)})
	}
	write("zips.json", out)

	// Every zip that differs from this one in a single bit: Go's h1 hash by the number of the bit, where there is one.
	data := with(func(z *rawZip, f *rawFile) { f.noDescriptor, z.files[2].stored = true, true })
	flips := map[string][]int{}
	for bit := range len(data) * 8 {
		flipped := bytes.Clone(data)
		flipped[bit/8] ^= 1 << (bit % 8)
		if h1, refusal := judge(module.Version{Path: zipPath, Version: zipVersion}, flipped); refusal == "" {
			flips[h1] = append(flips[h1], bit)
		}
	}
	write("zip-flips.json", []any{map[string]any{"zip": base64.StdEncoding.EncodeToString(data), "accepted": flips}})

	// Generated by the tests as well: n empty files, which is where zip64 begins.
	var counts []any
	for _, n := range []int{65534, 65535} {
		h1, refusal := judge(module.Version{Path: zipPath, Version: zipVersion}, many(n))
		counts = append(counts, map[string]any{"files": n, "h1": h1, "refusal": refusal})
	}
	write("zip-counts.json", counts)
}
