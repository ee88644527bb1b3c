// Command tlog writes the golden vectors for test/note and test/tlog: what golang.org/x/mod answers.
package main

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"os"
	"strings"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

type object = map[string]any

func main() {
	write("tree.json", trees())
	write("tile.json", tiles())
	write("record.json", records())
	write("note.json", notes())
}

func write(name string, v object) {
	var buf bytes.Buffer
	buf.WriteString("{\n")
	first := true
	for _, key := range sortedKeys(v) {
		if !first {
			buf.WriteString(",\n")
		}
		first = false
		fmt.Fprintf(&buf, "%q: [\n", key)
		for i, item := range v[key].([]any) {
			data, err := json.Marshal(item)
			check(err)
			if i > 0 {
				buf.WriteString(",\n")
			}
			buf.Write(data)
		}
		buf.WriteString("\n]")
	}
	buf.WriteString("\n}\n")
	check(os.WriteFile(name, buf.Bytes(), 0o644))
}

func sortedKeys(v object) []string {
	var keys []string
	for k := range v {
		keys = append(keys, k)
	}
	for i := range keys {
		for j := i; j > 0 && keys[j] < keys[j-1]; j-- {
			keys[j], keys[j-1] = keys[j-1], keys[j]
		}
	}
	return keys
}

func check(err error) {
	if err != nil {
		panic(err)
	}
}

// The log of all vectors: record n is "record n\n".
type memory []tlog.Hash

func (m memory) ReadHashes(indexes []int64) ([]tlog.Hash, error) {
	out := make([]tlog.Hash, len(indexes))
	for i, x := range indexes {
		out[i] = m[x]
	}
	return out, nil
}

func build(n int64) memory {
	var m memory
	for i := range n {
		hs, err := tlog.StoredHashes(i, fmt.Appendf(nil, "record %d\n", i), m)
		check(err)
		m = append(m, hs...)
	}
	return m
}

const logSize = 65793 // 256*256 + 256 + 1

func trees() object {
	m := build(logSize)
	var hashes, indexes, counts, roots, recordProofs, treeProofs []any
	for _, s := range []string{"", "\n", "record 0\n", strings.Repeat("x", 1000)} {
		hashes = append(hashes, object{"data": s, "hash": tlog.RecordHash([]byte(s))})
	}
	sizes := []int64{511, 512, 513, 1000, 4096, 65535, 65536, 65537, 65791, 65792, 65793}
	for i := int64(300); i >= 0; i-- {
		sizes = append([]int64{i}, sizes...)
	}
	for _, n := range sizes {
		h, err := tlog.TreeHash(n, m)
		check(err)
		roots = append(roots, []any{n, h})
	}
	for _, at := range [][2]int64{{0, 0}, {0, 1}, {1, 0}, {2, 1}, {0, 1 << 24}, {0, 71848828}, {8, 280659}, {16, 1096}, {24, 4},
		{0, 1<<31 - 1}, {0, 1 << 31}, {0, 1 << 32}, {0, 1<<32 + 12345}, {1, 1 << 32}, {8, 1 << 33}, {32, 1000}, {33, 77}, {40, 4095},
		{0, 1<<45 + 987654321}, {20, 1<<31 + 5}, {0, 1<<52 - 1}, {52, 0}, {51, 1}, {47, 31}} {
		x := tlog.StoredHashIndex(int(at[0]), at[1])
		level, n := tlog.SplitStoredHashIndex(x)
		if int64(level) != at[0] || n != at[1] {
			panic("split")
		}
		indexes = append(indexes, []any{at[0], at[1], x})
	}
	for x := range int64(200) {
		level, n := tlog.SplitStoredHashIndex(x)
		indexes = append(indexes, []any{level, n, x})
	}
	for _, n := range []int64{0, 1, 2, 3, 4, 5, 255, 256, 257, 1 << 31, 1<<32 - 1, 1 << 32, 1<<32 + 1, 71848828, 1<<45 + 987654321, 1 << 52} {
		counts = append(counts, []any{n, tlog.StoredHashCount(n)})
	}
	addRecord := func(t, n int64) {
		p, err := tlog.ProveRecord(t, n, m)
		check(err)
		recordProofs = append(recordProofs, object{"t": t, "n": n, "proof": p})
	}
	addTree := func(t, n int64) {
		p, err := tlog.ProveTree(t, n, m)
		check(err)
		treeProofs = append(treeProofs, object{"t": t, "n": n, "proof": p})
	}
	for t := int64(1); t <= 18; t++ {
		for n := range t {
			addRecord(t, n)
			addTree(t, n+1)
		}
	}
	for _, t := range []int64{256, 257, 300, 65535, 65536, 65537, 65793} {
		for _, n := range []int64{0, 1, 254, 255, 256, 299, 4095, 65535, 65536, 65792} {
			if n < t {
				addRecord(t, n)
				addTree(t, n+1)
			}
		}
	}
	return object{"recordHashes": hashes, "roots": roots, "indexes": indexes, "counts": counts, "recordProofs": recordProofs, "treeProofs": treeProofs}
}

func coordinates(t tlog.Tile) []any { return []any{t.H, t.L, t.N, t.W} }

func tiles() object {
	m := build(logSize)
	var paths, forIndex, newTiles, data, hashes []any
	for _, p := range []string{
		"tile/8/0/000", "tile/8/0/001", "tile/8/0/001.p/5", "tile/8/0/x001/234.p/5", "tile/8/0/x001/x234/067", "tile/8/data/000",
		"tile/8/data/x280/659.p/60", "tile/3/4/x001/x234/067.p/1", "tile/3/4/x001/x234/067", "tile/1/0/000.p/1", "tile/30/63/000",
		"tile/30/0/000.p/1073741823", "tile/8/0/x004/x294/x967/x296/000", "tile/8/2/x123/x456/x789/012.p/255", "tile/10/1/999",
		"", "/tile/8/0/000", "tile", "tile/8/0", "tile/8/0/", "tile/8/0/0", "tile/8/0/00", "tile/8/0/0000", "tile/8/0/x000/001",
		"tile/8/0/001/002", "tile/8/0/x001", "tile/8/0/x001/x002", "tile/8/0/000.p", "tile/8/0/000.p/", "tile/8/0/000.p/0",
		"tile/8/0/000.p/256", "tile/8/0/000.p/257", "tile/8/0/000.p/05", "tile/8/0/000.p/+5", "tile/8/0/000.p/-1", "tile/8/0/000.p/5/",
		"tile/8/0/000.p/5.p/5", "tile/8/0/000.p/1e1", "tile/0/0/000", "tile/31/0/000", "tile/08/0/000", "tile/+8/0/000", "tile/8/-1/000",
		"tile/8/00/000", "tile/8/DATA/000", "tile/8/0/-01", "tile/8/0/+01", "tile/8/0/ 01", "tile/8/0/0x1", "tile/8/0/000\n", "tile/8/0/000 ",
		"tile/8/0/x-01/000", "tile/8/0/xx01/000", "tile/8/0/0.0", "tile/8/0/../000", "Tile/8/0/000", "tile/8//000", "tile//0/000",
		"tile/8/0/\u0660\u0661\u0662", "tile/8/0/000?x", "tile/8/0/000.p/\u0665", "entries/000", "tile/entries/000",
	} {
		t, err := tlog.ParseTilePath(p)
		v := object{"path": p}
		if err == nil {
			if t.Path() != p {
				panic(p)
			}
			v["tile"] = coordinates(t)
		}
		paths = append(paths, v)
	}
	for _, h := range []int{1, 2, 3, 8, 10, 30} {
		for _, x := range []int64{0, 1, 2, 3, 6, 7, 29, 510, 511, 512, 1021, 1022, 65535, 131070, 131071, 143697000, 1 << 31, 1<<31 + 1,
			1 << 32, 1<<32 + 3, 1<<33 - 1, 1<<40 + 12345, 1<<45 + 987654321, 1<<52 + 4242, 1<<53 - 2} {
			forIndex = append(forIndex, []any{h, x, coordinates(tlog.TileForIndex(h, x))})
		}
	}
	for _, c := range [][3]int64{{8, 0, 0}, {8, 0, 1}, {8, 0, 255}, {8, 0, 256}, {8, 0, 257}, {8, 255, 256}, {8, 256, 257}, {8, 1, 1}, {8, 100, 1000},
		{8, 65535, 65536}, {8, 65536, 65537}, {8, 0, 3000}, {2, 0, 100}, {1, 5, 23}, {10, 1023, 1025}, {10, 1030, 10000}, {10, 49516517, 49516586},
		{8, 71848828, 71848829}, {8, 71848800, 71849100}, {8, 1<<32 - 1, 1 << 32}, {8, 1<<32 - 300, 1<<32 + 300}, {8, 1<<45 + 5, 1<<45 + 600}, {8, 1<<52 - 3, 1 << 52}} {
		list := []any{}
		for _, t := range tlog.NewTiles(int(c[0]), c[1], c[2]) {
			list = append(list, coordinates(t))
		}
		newTiles = append(newTiles, []any{c[0], c[1], c[2], list})
	}
	for _, t := range []tlog.Tile{{H: 8, L: 0, N: 0, W: 256}, {H: 8, L: 0, N: 256, W: 1}, {H: 8, L: 1, N: 0, W: 256}, {H: 8, L: 1, N: 1, W: 1}, {H: 8, L: 2, N: 0, W: 1}, {H: 3, L: 1, N: 7, W: 5}, {H: 2, L: 3, N: 0, W: 3}} {
		d, err := tlog.ReadTileData(t, m)
		check(err)
		data = append(data, object{"tile": coordinates(t), "sha256": fmt.Sprintf("%x", sha256.Sum256(d))})
	}
	for _, c := range []struct {
		t tlog.Tile
		x int64
	}{
		{tlog.Tile{H: 3, L: 0, N: 0, W: 8}, 0}, {tlog.Tile{H: 3, L: 0, N: 0, W: 8}, 2}, {tlog.Tile{H: 3, L: 0, N: 0, W: 8}, 6}, {tlog.Tile{H: 3, L: 0, N: 0, W: 4}, 6},
		{tlog.Tile{H: 3, L: 0, N: 0, W: 3}, 6}, {tlog.Tile{H: 3, L: 0, N: 1, W: 8}, 6}, {tlog.Tile{H: 3, L: 1, N: 0, W: 8}, 14}, {tlog.Tile{H: 3, L: 1, N: 0, W: 8}, 30}, {tlog.Tile{H: 3, L: 0, N: 0, W: 9}, 0},
		{tlog.Tile{H: 3, L: -1, N: 0, W: 8}, 0}, {tlog.Tile{H: 3, L: 64, N: 0, W: 8}, 0}, {tlog.Tile{H: 31, L: 0, N: 0, W: 8}, 0},
	} {
		var d []byte
		for i := range c.t.W {
			h := tlog.RecordHash([]byte{byte(i)})
			d = append(d, h[:]...)
		}
		v := object{"tile": coordinates(c.t), "index": c.x}
		if h, err := tlog.HashFromTile(c.t, d, c.x); err == nil {
			v["hash"] = h
		}
		hashes = append(hashes, v)
	}
	return object{"paths": paths, "forIndex": forIndex, "newTiles": newTiles, "tileData": data, "hashFromTile": hashes}
}

func b64(s string) string { return base64.StdEncoding.EncodeToString([]byte(s)) }

func records() object {
	var parsed, formatted, heads []any
	for _, msg := range []string{
		"0\na\n\n", "5\na b\nc d\n\nrest\n", "9007199254740991\na\n\n", "12\na\n\nb\n\nc\n\n", "4294967296\n\u00e9\u4e16\n\n",
		"", "\n", "5", "5\n", "5\na\n", "5\na", "a\nb\n\n", "-\nb\n\n", "1.5\nb\n\n", " 5\nb\n\n", "5 \nb\n\n", "5\r\nb\n\n", "5\na\r\n\n",
		"5\na\tb\n\n", "5\na\x00b\n\n", "5\na\xffb\n\n", "5\n\xed\xa0\x80\n\n", "99999999999999999999\na\n\n", "0x5\na\n\n", "5\n\n", "\n5\na\n\n",
	} {
		v := object{"msg": b64(msg)}
		if id, text, rest, err := tlog.ParseRecord([]byte(msg)); err == nil {
			v["id"], v["text"], v["rest"] = id, b64(string(text)), b64(string(rest))
		}
		parsed = append(parsed, v)
	}
	for _, text := range []string{"a\n", "a b\nc d\n", "\ufeffa\n", "a\x7f\n", "a\u0085\n", "", "a", "a\n\n", "a\n\nb\n", "a\x1fb\n", "a\xc0\x80\n"} {
		v := object{"text": b64(text)}
		if msg, err := tlog.FormatRecord(42, []byte(text)); err == nil {
			v["msg"] = b64(string(msg))
		}
		formatted = append(formatted, v)
	}
	root := tlog.RecordHash([]byte("root"))
	head := func(text string) {
		v := object{"text": b64(text)}
		if t, err := tlog.ParseTree([]byte(text)); err == nil {
			v["size"], v["root"] = t.N, t.Hash
		}
		heads = append(heads, v)
	}
	line := "go.sum database tree\n"
	for _, n := range []int64{0, 1, 256, 71848828, 1<<32 + 1, 1 << 52} {
		head(string(tlog.FormatTree(tlog.Tree{N: n, Hash: root})))
	}
	good := root.String()
	for _, text := range []string{
		line + "5\n" + good + "\nextra\n", line + "5\n" + good + "\n6\n" + tlog.RecordHash(nil).String() + "\n", line + "5\n" + good + "\nno newline",
		"", line, line + "5\n", line + "5\n" + good, line + "-1\n" + good + "\n", line + "+5\n" + good + "\n", line + "05\n" + good + "\n", line + " 5\n" + good + "\n",
		line + "5 \n" + good + "\n", line + "\n" + good + "\n", line + "1e3\n" + good + "\n", line + "99999999999999999999\n" + good + "\n", line + "5\n\n", line + "5\n" + good[:43] + "\n",
		line + "5\n" + good[:40] + "\n", line + "5\n" + good + "=\n", line + "5\n" + strings.Replace(good, good[:1], "-", 1) + "\n", line + "5\n " + good + "\n",
		"go.sum database tree \n5\n" + good + "\n", "go.sum database tree v2\n5\n" + good + "\n", "Go.sum database tree\n5\n" + good + "\n", "\n" + line + "5\n" + good + "\n",
		"go.sum database tree\r\n5\n" + good + "\n", line + "5\n" + good + "\n" + strings.Repeat("x", 1000) + "\n",
	} {
		head(text)
	}
	return object{"parsed": parsed, "formatted": formatted, "heads": heads}
}

// signers are keys from fixed seeds: byte i+1, 32 times.
func key(i int, name string) (skey, vkey string) {
	skey, vkey, err := note.GenerateKey(bytes.NewReader(bytes.Repeat([]byte{byte(i + 1)}, 64)), name)
	check(err)
	return skey, vkey
}

func notes() object {
	var keys, verifiers, signers, opened []any
	names := []string{"sum.example", "localhost.localdev/sumdb", "sum.example:8443/v2", "caf\u00e9.example", "x\ufeffy"}
	for i, name := range names {
		skey, vkey := key(i, name)
		s, err := note.NewSigner(skey)
		check(err)
		text := "text of " + name + "\n"
		msg, err := note.Sign(&note.Note{Text: text}, s)
		check(err)
		keys = append(keys, object{"seed": strings.Repeat(fmt.Sprintf("%02x", i+1), 32), "name": name, "skey": skey, "vkey": vkey, "keyHash": s.KeyHash(), "text": text, "note": string(msg)})
	}
	skey, vkey := key(0, "sum.example")
	parts := strings.SplitN(vkey, "+", 3)
	raw, _ := base64.StdEncoding.DecodeString(parts[2])
	hashed := func(name string, key []byte) string {
		sum := sha256.Sum256(append([]byte(name+"\n"), key...))
		return fmt.Sprintf("%s+%x+%s", name, sum[:4], base64.StdEncoding.EncodeToString(key))
	}
	for _, k := range []string{
		vkey, "sum.golang.org+033de0ae+Ac4zctda0e5eza+HJyk9SxEdh+s3Ux18htTTAD8OuAn8", parts[0] + "+" + strings.ToUpper(parts[1]) + "+" + parts[2],
		"", "sum.example", "sum.example+", "sum.example++", "+" + parts[1] + "+" + parts[2], parts[0] + "+" + parts[1], parts[0] + "+0" + parts[1] + "+" + parts[2],
		parts[0] + "+" + parts[1][1:] + "+" + parts[2], parts[0] + "+00000000+" + parts[2], "other.example+" + parts[1] + "+" + parts[2], "sum .example+" + parts[1] + "+" + parts[2],
		vkey[:len(vkey)-1], vkey + "=", vkey + " ", " " + vkey, skey, hashed("sum.example", raw[:32]), hashed("sum.example", append(raw, 0)), hashed("sum.example", append([]byte{2}, raw[1:]...)),
		hashed("sum.example", nil), hashed("sum\u00a0example", raw), hashed("sum\u0085example", raw), hashed("sum\u3000example", raw), hashed("sum\ufeffexample", raw), hashed("sum\u200bexample", raw),
		hashed("sum.example", []byte{4}), hashed("sum.example", bytes.Repeat([]byte{1}, 33)), hashed("sum.example", append([]byte{1}, bytes.Repeat([]byte{0xff}, 32)...)),
		strings.Replace(vkey, parts[2][:1], "-", 1), parts[0] + "+" + parts[1][:7] + "g+" + parts[2],
	} {
		_, err := note.NewVerifier(k)
		verifiers = append(verifiers, object{"vkey": k, "ok": err == nil})
	}
	sparts := strings.SplitN(skey, "+", 5)
	for _, k := range []string{
		skey, "", vkey, skey[:len(skey)-1], skey + "=", "private" + skey[7:], strings.Replace(skey, "KEY+", "KEY", 1), strings.Replace(skey, "sum.example", "other.example", 1),
		strings.Replace(skey, sparts[3], "00000000", 1), "PRIVATE+KEY+" + hashed("sum.example", bytes.Repeat([]byte{1}, 32)), "PRIVATE+KEY+" + hashed("sum.example", bytes.Repeat([]byte{1}, 34)),
		"PRIVATE+KEY+" + hashed("sum.example", bytes.Repeat([]byte{2}, 33)), " " + skey,
	} {
		_, err := note.NewSigner(k)
		signers = append(signers, object{"skey": k, "ok": err == nil})
	}

	known := []string{vkey}
	signer := func(i int, name string) note.Signer {
		sk, _ := key(i, name)
		s, err := note.NewSigner(sk)
		check(err)
		return s
	}
	_, secondVkey := key(1, "sum.example")
	sign := func(text string, s ...note.Signer) string {
		msg, err := note.Sign(&note.Note{Text: text}, s...)
		check(err)
		return string(msg)
	}
	ours, theirs, otherKey, wrongName := signer(0, "sum.example"), signer(1, "witness.example"), signer(1, "sum.example"), signer(0, "sum2.example")
	lineOf := func(text string, s note.Signer) string {
		sig, err := s.Sign([]byte(text))
		check(err)
		hash := s.KeyHash()
		raw := append([]byte{byte(hash >> 24), byte(hash >> 16), byte(hash >> 8), byte(hash)}, sig...)
		return "\u2014 " + s.Name() + " " + base64.StdEncoding.EncodeToString(raw) + "\n"
	}
	text := "hello\nworld\n"
	good := sign(text, ours)
	goodLine := lineOf(text, ours)
	falseLine := lineOf("other text\n", ours)
	foreign := lineOf(text, theirs)
	long := "\u2014 ml-dsa.example " + base64.StdEncoding.EncodeToString(bytes.Repeat([]byte{7}, 2424)) + "\n"
	many := func(n int) string {
		var b strings.Builder
		for i := range n {
			fmt.Fprintf(&b, "\u2014 w%d.example AAAAAAA%d\n", i, i%10)
		}
		return b.String()
	}
	lineParts := strings.Fields(goodLine)
	for _, c := range []struct {
		name  string
		msg   string
		known []string
	}{
		{"signed by the known key", good, known},
		{"two known keys", sign(text, ours, otherKey), []string{vkey, secondVkey}},
		{"a second key of the same name is unverified", sign(text, otherKey, ours), known},
		{"a foreign line beside ours", sign(text, theirs, ours), known},
		{"a foreign line twice", text + "\n" + foreign + foreign + goodLine, known},
		{"our line twice", text + "\n" + goodLine + goodLine, known},
		{"our line and a false one after it", text + "\n" + goodLine + falseLine, known},
		{"a false one and then our line", text + "\n" + falseLine + goodLine, known},
		{"a long foreign line", text + "\n" + long + goodLine, known},
		{"only a foreign line", sign(text, theirs), known},
		{"our key under another name", sign(text, wrongName), known},
		{"another key under our name", sign(text, otherKey), known},
		{"nobody is known", good, nil},
		{"one key known twice", good, []string{vkey, vkey}},
		{"a false signature", text + "\n" + falseLine, known},
		{"a changed text", strings.Replace(good, "world", "World", 1), known},
		{"no text", "\n" + lineOf("", ours), known},
		{"no text, two newlines", "\n\n" + lineOf("\n", ours), known},
		{"empty text line", sign("\n", ours), known},
		{"text with a blank line", sign("a\n\nb\n", ours), known},
		{"text that looks like a signature", sign("a\n\n"+goodLine, ours), known},
		{"text with a byte order mark", sign("\ufeffa\n", ours), known},
		{"100 lines", text + "\n" + many(99) + goodLine, known},
		{"101 lines", text + "\n" + many(100) + goodLine, known},
		{"101 lines, ours first", text + "\n" + goodLine + many(100), known},
		{"empty", "", known},
		{"only text", text, known},
		{"no signature lines", text + "\n", known},
		{"no newline at the end", strings.TrimSuffix(good, "\n"), known},
		{"a blank line at the end", good + "\n", known},
		{"something after the signatures", good + "more\n", known},
		{"CRLF", strings.ReplaceAll(good, "\n", "\r\n"), known},
		{"a tab in the text", sign("a\tb\n", ours), known},
		{"a NUL in the text", sign("a\x00b\n", ours), known},
		{"a DEL in the text", sign("a\x7fb\n", ours), known},
		{"invalid UTF-8", sign("a\xffb\n", ours), known},
		{"an encoded surrogate", sign("a\xed\xa0\x80b\n", ours), known},
		{"a hyphen for the dash", strings.Replace(good, "\u2014", "-", 1), known},
		{"no space after the dash", strings.Replace(good, "\u2014 ", "\u2014", 1), known},
		{"two spaces after the dash", strings.Replace(good, "\u2014 ", "\u2014  ", 1), known},
		{"two spaces after the name", strings.Replace(good, "example ", "example  ", 1), known},
		{"a space at the end of the line", strings.TrimSuffix(good, "\n") + " \n", known},
		{"a plus in a name", text + "\n\u2014 a+b AAAAAAAA\n" + goodLine, known},
		{"no base64", text + "\n\u2014 sum.example\n", known},
		{"no base64 after the space", text + "\n\u2014 sum.example \n", known},
		{"no name", text + "\n\u2014  AAAAAAAA\n" + goodLine, known},
		{"malformed base64", text + "\n\u2014 a.example AAAA!AAA\n" + goodLine, known},
		{"URL base64", text + "\n\u2014 a.example AAAA-_AA\n" + goodLine, known},
		{"unpadded base64", text + "\n\u2014 a.example AAAAAAA\n" + goodLine, known},
		{"four bytes of signature", text + "\n\u2014 a.example AAAAAA==\n" + goodLine, known},
		{"five bytes of signature", text + "\n\u2014 a.example AAAAAAA=\n" + goodLine, known},
		{"our key hash and a short signature", text + "\n\u2014 sum.example " + lineParts[2][:8] + "\n", known},
		{"an Ogham space in a name", text + "\n\u2014 a\u1680b AAAAAAAA\n" + goodLine, known},
	} {
		var list []note.Verifier
		for _, k := range c.known {
			v, err := note.NewVerifier(k)
			check(err)
			list = append(list, v)
		}
		v := object{"name": c.name, "msg": b64(c.msg), "known": c.known}
		if n, err := note.Open([]byte(c.msg), note.VerifierList(list...)); err == nil {
			signatures := func(list []note.Signature) []any {
				out := []any{}
				for _, s := range list {
					out = append(out, object{"name": s.Name, "keyHash": s.Hash, "base64": s.Base64})
				}
				return out
			}
			v["note"] = object{"text": n.Text, "signatures": signatures(n.Sigs), "unverified": signatures(n.UnverifiedSigs)}
		}
		opened = append(opened, v)
	}
	return object{"keys": keys, "verifiers": verifiers, "signers": signers, "opened": opened}
}
