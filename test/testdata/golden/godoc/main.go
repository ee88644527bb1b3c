// The program writes comments.json: see README.md.
package main

import (
	"encoding/json"
	"go/doc/comment"
	"os"
	"strings"
)

type text struct {
	Kind       string `json:"kind"`
	Text       string `json:"text"`
	URL        string `json:"url,omitempty"`
	ImportPath string `json:"importPath,omitempty"`
	Name       string `json:"name,omitempty"`
}

type block struct {
	Kind    string     `json:"kind"`
	Text    []text     `json:"text,omitempty"`
	Code    string     `json:"code,omitempty"`
	Numbers []string   `json:"numbers,omitempty"`
	Items   [][][]text `json:"items,omitempty"`
}

type vector struct {
	Comment string  `json:"comment"`
	Blocks  []block `json:"blocks"`
}

func main() {
	p := &comment.Parser{
		LookupPackage: func(name string) (string, bool) {
			if name == "custom" {
				return "example.test/custom/v2", true
			}
			return comment.DefaultLookupPackage(name)
		},
		LookupSym: func(recv, name string) bool {
			return recv == "" && (name == "Type" || name == "Func") || recv == "Type" && name == "Method"
		},
	}
	vectors := []vector{}
	for _, each := range comments() {
		blocks := []block{}
		for _, b := range p.Parse(each).Content {
			blocks = append(blocks, shown(b))
		}
		vectors = append(vectors, vector{each, blocks})
	}
	var out strings.Builder
	for i, each := range vectors {
		line, err := json.Marshal(each)
		if err != nil {
			panic(err)
		}
		out.WriteString(map[bool]string{true: "[\n", false: ",\n"}[i == 0])
		out.Write(line)
	}
	if err := os.WriteFile("comments.json", []byte(out.String()+"\n]\n"), 0o644); err != nil {
		panic(err)
	}
}

func shown(b comment.Block) block {
	switch b := b.(type) {
	case *comment.Paragraph:
		return block{Kind: "paragraph", Text: texts(b.Text)}
	case *comment.Heading:
		return block{Kind: "heading", Text: texts(b.Text)}
	case *comment.Code:
		return block{Kind: "code", Code: b.Text}
	case *comment.List:
		made := block{Kind: "list"}
		for _, item := range b.Items {
			content := [][]text{}
			for _, c := range item.Content {
				content = append(content, texts(c.(*comment.Paragraph).Text))
			}
			made.Numbers = append(made.Numbers, item.Number)
			made.Items = append(made.Items, content)
		}
		return made
	}
	panic("another block")
}

func plain(list []comment.Text) string {
	var all strings.Builder
	for _, t := range list {
		all.WriteString(string(t.(comment.Plain)))
	}
	return all.String()
}

func texts(list []comment.Text) []text {
	found := []text{}
	for _, t := range list {
		switch t := t.(type) {
		case comment.Plain:
			found = append(found, text{Kind: "plain", Text: string(t)})
		case *comment.Link:
			found = append(found, text{Kind: "link", Text: plain(t.Text), URL: t.URL})
		case *comment.DocLink:
			name := t.Name
			if t.Recv != "" {
				name = t.Recv + "." + t.Name
			}
			found = append(found, text{Kind: "doc", Text: plain(t.Text), ImportPath: t.ImportPath, Name: name})
		}
	}
	return found
}

// comments gives fixed texts, and all short sequences of lines in which one kind of block may be taken for another.
func comments() []string {
	all := []string{
		"", "\n", "Text.", "# Heading", "#Heading", "# ", "#", "Text\n# No heading", "# Heading\nText", "Text\n\nOld Heading\n\nText",
		"Text\n\nOld Heading.\n\nText", "Text\n\nGo's Heading\n\nText", "Text\n\nGo'x Heading\n\nText", "Text\n\nv1.2 Heading\n\nText",
		"Text\n\nV1.2 (Heading)\n\nText", "Text\n\nHeading\n\n\tcode", "Text\n\nHeading",
		"\tcode\n\n\tmore\n\nText", "Text:\n\tcode {\n\t\tdeep\n\t}\nText", "Text\nfunc main() {\n\tcode\n}\nText", "Text\\\n\tcode",
		"  - a\n    b\n  - c", "List:\n - a\n\n - b\n\n   c", "List:\n- a\n- b\n  c\n- d\n\nText", " 1. a\n 2. b", " 1) a\n 10) b", " - a\n 1. b",
		"  • a\n  + b\n  * c", " -a", " 1.a", " 1. ", "- a", "Text\n- a\n- b",
		"See [Type], [Func], [Type.Method], [*Type], [Type.Other], [Other].", "[fmt] [fmt.Println] [strings.Builder.WriteString] [custom] [custom.Thing]",
		"[example.test/pkg] [example.test/pkg.Name] [encoding/json.Decoder.Decode] [.bad/x.Y] [-bad/x] [a//b]",
		"x[Type] [Type]x ([Type]) \"[Type]\" [Type]'s [Type].[Func] [[Type]] [Type\n] [ Type]", "map[Type]Func",
		"A [link], a [Two\nwords] and a [Two words].\n\n[link]: https://example.test/a\n[Two words]: http://example.test/b?c=d#e",
		"[link]: https://example.test/a\n[link]: https://example.test/other\n\n[link]", "[no]: example.test\n\n[no]", "[bad]: javascript://alert\n\n[bad]",
		"[a]:\thttps://x.test \n\n[a]", "[a]:https://x.test\n\n[a]", "[a]: https://x.test\nText\n\n[a]", "[Type]: https://x.test\n\n[Type]",
		"https://example.test, (https://example.test/a_(b)) <http://example.test/?a=b&c=d#e>. https://example.test/a.", "xhttps://example.test yhttp://a",
		"http://a http:// http://. http://a. ftp://f mailto://x file:///etc gopher://g nntp://n javascript://x", "https://a.test:8080/x! https://[::1]:80/y; http://user@h",
		"https://a.test/(x https://a.test/x) https://a.test/{[()]}z https://a.test/ü", "``quoted'' ```code``` `one` 'one' '' ``", "[``a'']",
		"日本語 [Type]。 “[Type]” é[Type]", "[Тип] [Ünder.Name]", "a\tb  c\n d", "Text \n   \nText", "  Text\n  more", "\tText\n  more",
		"<script>alert(1)</script> & \"x\"", "[Type", "Type]", "[]", "[*]", "[**Type]", "[Type.Method.More]", "[fmt.Stringer.String.X]",
	}
	lines := []string{"Text", "Head", "", "\tcode", " - item", "- item", "1. item", "}", "x {"}
	for _, a := range lines {
		for _, b := range lines {
			for _, c := range lines {
				all = append(all, "Start\n"+a+"\n"+b+"\n"+c, a+"\n"+b+"\n"+c)
			}
		}
	}
	return all
}
