package main

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"syscall"

	"golang.org/x/mod/module"
	"golang.org/x/mod/sumdb/dirhash"
	modzip "golang.org/x/mod/zip"
)

// dirFile is one thing in a directory. Kind is empty for a file with this content, "zeros" for one of Size zero
// bytes, or "symlink" (to Content), "fifo" or "dir".
type dirFile struct {
	Path    string `json:"path"`
	Content string `json:"content,omitempty"`
	Kind    string `json:"kind,omitempty"`
	Size    int64  `json:"size,omitempty"`
}

// dirCase is one directory. Strict means: gokeep refuses to publish it although Go packs it.
type dirCase struct {
	name   string
	strict bool
	files  []dirFile
}

func text(path, content string) dirFile { return dirFile{Path: path, Content: content} }

// tree has a go.mod and files that hold their own names. A name that ends in a slash is an empty directory.
func tree(names ...string) []dirFile { return treeFor("module x.y/Z\n\ngo 1.21\n", names...) }

func tree124(names ...string) []dirFile { return treeFor("module x.y/Z\n\ngo 1.24\n", names...) }

func treeFor(goMod string, names ...string) []dirFile {
	files := []dirFile{text("go.mod", goMod)}
	for _, n := range names {
		if dir, ok := strings.CutSuffix(n, "/"); ok {
			files = append(files, dirFile{Path: dir, Kind: "dir"})
			continue
		}
		files = append(files, text(n, "content of "+n+"\n"))
	}
	return files
}

func dirCases() []dirCase {
	vendors := []string{
		"vendor/modules.txt", "vendor/a.go", "vendor/x.y/a.go", "vendor/x.y/z/b.go", "vendor/x.y/z/go.mod",
		"sub/vendor/modules.txt", "sub/vendor/a.go", "sub/vendor/x.y/a.go", "sub/vendor/vendor.go",
		"pkg/vendor/vendor.go", "pkg/vendor/foo/foo.go", "a/b/c/vendor/d.go", "a/b/c/vendor/d/e.go",
		"longer/name/vendor/d.go", "vendorx/y/z.go", "xvendor/y/z.go", "sub/vendor/x/vendor/y.go",
	}
	symlink := func(path, to string) dirFile { return dirFile{Path: path, Kind: "symlink", Content: to} }
	fifo := func(path string) dirFile { return dirFile{Path: path, Kind: "fifo"} }
	zeroed := func(path string, size int64) dirFile { return dirFile{Path: path, Kind: "zeros", Size: size} }
	return []dirCase{
		{name: "nothing at all"},
		{name: "only a go.mod", files: tree()},
		{name: "no go.mod", files: tree("a.go", "b/c.go")[1:]},
		{name: "packages, tests and testdata", files: tree("a.go", "a_test.go", "LICENSE", "README.md", "internal/b/b.go", "cmd/c/main.go", "testdata/x/y.txt", "_ignored/d.go", ".hidden", ".github/workflows/ci.yml")},
		{name: "an empty file", files: append(tree(), text("empty", ""))},
		{name: "empty directories", files: tree("a/", "b/c/", "d.go")},
		{name: "line endings and a byte order mark stay", files: append(tree(), text("a.txt", "a\r\nb\rc\n"), text("b.txt", "\ufeffx"))},
		{name: "a NUL inside", files: append(tree(), text("a.bin", "a\x00b"))},
		{name: "names in Unicode", files: tree("ä.go", "日本/語.go", "\U00010400.txt", "\uff41.txt", "Ωmega.go")},
		{name: "names sort by bytes", files: tree("a/b", "a-b", "a.b", "a b", "a0", "B/a", "é", "\uff41", "\U00010400")},
		{name: "punctuation that is allowed", files: tree("a!#$%&()+,-.=@[]^_{}~ b", "-a", "~")},
		{name: "spaces at the ends of a name", files: tree(" a", "b ")},
		{name: "a name that begins with a dot", files: tree(".a", "..a", "...a/b")},
		{name: "a name of 255 bytes", files: tree(strings.Repeat("a", 255))},
		{name: "deep directories", files: tree(strings.Repeat("d/", 200) + "a.go")},

		{name: "a .git directory", files: tree(".git/HEAD", ".git/config", "a.go")},
		{name: "a .git file, as of a worktree", files: tree(".git", "a.go")},
		{name: "directories of other version control systems", files: tree(".hg/x", ".svn/x", ".bzr/x", ".fossil/x", "a.go")},
		{name: "version control below the root", files: tree("sub/.git/HEAD", "sub/.hg/x", "sub/a.go")},
		{name: "version control in upper case", files: tree(".GIT/HEAD", "a.go")},
		{name: "files of git that are no directory", files: tree(".gitignore", ".gitattributes", ".gitmodules", ".gitkeep")},
		{name: ".gitignore does not count", files: append(tree("ignored.o"), text(".gitignore", "*.o\n"))},
		{name: ".hg_archival.txt in the root", files: tree(".hg_archival.txt", "a.go")},
		{name: ".hg_archival.txt below the root", files: tree("sub/.hg_archival.txt")},

		{name: "another module", files: tree("a.go", "sub/go.mod", "sub/a.go", "sub/b/c.go")},
		{name: "another module deeper", files: tree("a/b/go.mod", "a/b/c.go", "a/c.go", "a/b/c/d.go")},
		{name: "modules in modules", files: tree("a/go.mod", "a/b/go.mod", "a/b/c.go")},
		{name: "another module's go.mod in upper case", files: tree("sub/GO.MOD", "sub/a.go", "sub/b/c.go", "a.go")},
		{name: "another module's go.mod in mixed case", files: tree("sub/Go.Mod", "sub/a.go")},
		{name: "another module's go.mod is a link", files: append(tree("sub/a.go"), symlink("sub/go.mod", "../go.mod"))},
		{name: "another module's go.mod in upper case is a link", files: append(tree("sub/a.go"), symlink("sub/GO.MOD", "../go.mod"))},
		{name: "another module's go.mod is a directory", files: tree("sub/go.mod/x", "sub/a.go")},
		{name: "another module's go.mod is a pipe", files: append(tree("sub/a.go"), fifo("sub/go.mod"))},
		{name: "a file whose name ends in go.mod", files: tree("sub/xgo.mod", "sub/go.mod.bak", "sub/a.go")},
		{name: "a go.work and a go.sum", files: tree("go.sum", "go.work", "sub/go.sum")},
		{name: "a module in the directory of a version control system", files: tree(".git/go.mod", "a.go")},

		{name: "go.mod in upper case in the root", files: tree("GO.MOD")[1:]},
		{name: "go.mod twice, in both cases", files: tree("Go.mod", "a.go")},
		{name: "go.mod is a link", strict: true, files: []dirFile{text("real.mod", "module x.y/Z\n\ngo 1.24\n"), symlink("go.mod", "real.mod"), text("vendor/modules.txt", "x")}},
		{name: "go.mod is a directory", files: tree("go.mod/x")[1:]},

		{name: "vendor directories before Go 1.24", files: tree(vendors...)},
		{name: "vendor directories from Go 1.24 on", files: tree124(vendors...)},
		{name: "vendor directories with Go 1.23.99", files: treeFor("module x.y/Z\n\ngo 1.23.99\n", vendors...)},
		{name: "vendor directories with Go 1.24rc1", files: treeFor("module x.y/Z\n\ngo 1.24rc1\n", vendors...)},
		{name: "vendor directories with Go 1.24.1", files: treeFor("module x.y/Z\n\ngo 1.24.1\n", vendors...)},
		{name: "vendor directories with Go 1.100", files: treeFor("module x.y/Z\n\ngo 1.100\n", vendors...)},
		{name: "vendor directories with Go 2.0", files: treeFor("module x.y/Z\n\ngo 2.0\n", vendors...)},
		{name: "vendor directories without a go line", files: treeFor("module x.y/Z\n", vendors...)},
		{name: "vendor directories without a go.mod", files: tree(vendors...)[1:]},
		{name: "vendor directories and a toolchain line", files: treeFor("module x.y/Z\n\ngo 1.22\n\ntoolchain go1.24.1\n", vendors...)},
		{name: "vendor directories and a go.mod that is none", strict: true, files: treeFor("module x.y/Z\n\ngo 1.24\nrequire\n", vendors...)},
		{name: "vendor directories and an unknown directive", files: treeFor("module x.y/Z\n\ngo 1.24\n\nfuture (\n\tx y z\n)\n", vendors...)},
		{name: "vendor is a file", files: tree("vendor", "a.go")},
		{name: "vendor in upper case is a package like others", files: tree("Vendor/y/z.go", "Vendor/modules.txt")},
		{name: "an empty vendor directory", files: tree("vendor/", "vendor/a/b/")},
		{name: "version control in vendor", files: tree("vendor/x.y/.git/HEAD", "vendor/.git/HEAD", "vendor/x.y/z/.git/HEAD")},
		{name: "links in vendor", files: append(tree(), symlink("vendor/a", "b"), symlink("vendor/x/a", "b"))},
		{name: "names in vendor that are not allowed", files: tree("vendor/x/con", "vendor/x/a:b")},
		{name: "names that differ in case, in vendor", files: tree("vendor/x/a", "vendor/x/A")},
		{name: "a name in vendor itself that is not allowed", files: tree("vendor/con")},

		{name: "a link to a file", files: append(tree("a.go"), symlink("b.go", "a.go"))},
		{name: "a link to a directory", files: append(tree("a/b.go"), symlink("c", "a"))},
		{name: "a link out of the tree", files: append(tree(), symlink("passwd", "/etc/passwd"))},
		{name: "a link to nowhere", files: append(tree(), symlink("b", "nowhere"))},
		{name: "a link to itself", files: append(tree(), symlink("b", "b"))},
		{name: "a link whose name is not allowed", files: append(tree(), symlink("con", "a"))},
		{name: "a link whose name differs in case only", files: append(tree("a.go"), symlink("A.go", "a.go"))},
		{name: "LICENSE is a link", files: append(tree("COPYING"), symlink("LICENSE", "COPYING"))},
		{name: "a pipe", files: append(tree("a.go"), fifo("b"))},

		{name: "names that differ in case", files: tree("a.go", "A.go")},
		{name: "directories that differ in case", files: tree("a/x.go", "A/y.go")},
		{name: "a file and a directory that differ in case", files: tree("a", "A/y.go")},
		{name: "names that differ in case in Unicode", files: tree("ä", "Ä")},
		{name: "names that differ in a long s", files: tree("s", "ſ")},
		{name: "names that differ in a Kelvin sign", files: tree("k/a", "\u212a/b")},
		{name: "names that fold to two letters do not collide", files: tree("ß", "ss")},
		{name: "names that differ in normalization do not collide", files: tree("\u00e9", "e")},
		{name: "three directories that differ in case", files: tree("A/x", "a/y", "A/y")},

		{name: "a name that Windows reserves", files: tree("con", "sub/aux.txt", "NUL", "com1", "lpt9.x", "com0")},
		{name: "a reserved directory", files: tree("prn/a.go")},
		{name: "a short name of Windows", files: tree("a~1", "progra~1/b")},
		{name: "a colon", files: tree("a:b")},
		{name: "a backslash", files: tree(`a\b`)},
		{name: "quotes, stars and question marks", files: tree(`a"b`, "a'b", "a*b", "a?b", "a<b", "a>b", "a|b", "a`b", "a;b")},
		{name: "a line break in a name", files: tree("a\nb")},
		{name: "an escape in a name", files: tree("a\x1bb")},
		{name: "a name that ends with a dot", files: tree("a.", "b./c")},
		{name: "an emoji, which is no letter", files: tree("\U0001f600")},
		{name: "a combining mark, which is no letter", files: tree("e\u0301")},
		{name: "a letter that is newer than Go's tables", files: tree("\u1c89")},
		{name: "an unsuitable name in another module", files: tree("sub/go.mod", "sub/con")},
		{name: "an unsuitable name in .git", files: tree(".git/con", ".git/a:b")},

		{name: "a go.mod of 16 MiB", strict: true, files: []dirFile{zeroed("go.mod", modzip.MaxGoMod)}},
		{name: "a go.mod of 16 MiB and a byte", files: []dirFile{zeroed("go.mod", modzip.MaxGoMod+1)}},
		{name: "a LICENSE of 16 MiB", files: append(tree(), zeroed("LICENSE", modzip.MaxLICENSE))},
		{name: "a LICENSE of 16 MiB and a byte", files: append(tree(), zeroed("LICENSE", modzip.MaxLICENSE+1))},
		{name: "a large LICENSE below the root", files: append(tree(), zeroed("sub/LICENSE", modzip.MaxLICENSE+1))},
		{name: "a large License in another case", files: append(tree(), zeroed("License", modzip.MaxLICENSE+1))},
		{name: "a file of 500 MiB beside a go.mod", files: append(tree(), zeroed("a", modzip.MaxZipFile))},
		{name: "files of more than 500 MiB together", files: append(tree(), zeroed("a", modzip.MaxZipFile/2), zeroed("b", modzip.MaxZipFile/2))},
		{name: "a large file that stays out", files: append(tree(), zeroed("vendor/x/a", modzip.MaxZipFile+1), zeroed(".git/a", modzip.MaxZipFile))},
	}
}

// lay makes the directory. It panics on what the file system cannot hold.
func lay(dir string, files []dirFile) {
	for _, f := range files {
		name := filepath.Join(dir, filepath.FromSlash(f.Path))
		check(os.MkdirAll(filepath.Dir(name), 0o777))
		switch f.Kind {
		case "symlink":
			check(os.Symlink(f.Content, name))
		case "fifo":
			check(syscall.Mkfifo(name, 0o666))
		case "dir":
			check(os.MkdirAll(name, 0o777))
		case "zeros":
			check(os.WriteFile(name, nil, 0o666))
			check(os.Truncate(name, f.Size))
		default:
			check(os.WriteFile(name, []byte(f.Content), 0o666))
		}
	}
}

type finding struct {
	Path   string `json:"path"`
	Reason string `json:"reason"`
}

func writeDirs() {
	type vector struct {
		Name   string    `json:"name"`
		Strict bool      `json:"strict"`
		Files  []dirFile `json:"files"`
		// Go's hash; empty when Go refuses.
		H1       string    `json:"h1"`
		Refusal  string    `json:"refusal"`
		Valid    []string  `json:"valid"`
		Omitted  []finding `json:"omitted"`
		Invalid  []finding `json:"invalid"`
		TooLarge bool      `json:"tooLarge"`
	}
	var out []vector
	for _, c := range dirCases() {
		tmp, err := os.MkdirTemp("", "golden-")
		check(err)
		dir := filepath.Join(tmp, "dir")
		check(os.Mkdir(dir, 0o777))
		lay(dir, c.files)
		relative := func(p string) string {
			r, err := filepath.Rel(dir, p)
			check(err)
			return filepath.ToSlash(r)
		}
		findings := func(list []modzip.FileError) []finding {
			found := []finding{}
			for _, e := range list {
				found = append(found, finding{relative(e.Path), e.Err.Error()})
			}
			return found
		}
		checked, _ := modzip.CheckDir(dir)
		v := vector{Name: c.name, Strict: c.strict, Files: c.files, Valid: []string{}}
		for _, p := range checked.Valid {
			v.Valid = append(v.Valid, relative(p))
		}
		v.Omitted, v.Invalid, v.TooLarge = findings(checked.Omitted), findings(checked.Invalid), checked.SizeError != nil
		v.H1, v.Refusal = packed(tmp, dir)
		out = append(out, v)
		check(os.RemoveAll(tmp))
	}
	write("dirs.json", out)
}

func packed(tmp, dir string) (h1, refusal string) {
	var b bytes.Buffer
	if err := modzip.CreateFromDir(&b, module.Version{Path: zipPath, Version: zipVersion}, dir); err != nil {
		for errors.Unwrap(err) != nil {
			err = errors.Unwrap(err)
		}
		return "", strings.ReplaceAll(err.Error(), dir+"/", "")
	}
	file := filepath.Join(tmp, "zip")
	check(os.WriteFile(file, b.Bytes(), 0o666))
	h1, err := dirhash.HashZip(file, dirhash.Hash1)
	check(err)
	return h1, ""
}
