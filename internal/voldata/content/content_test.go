package content_test

import (
	"archive/tar"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/dogker/dogker/internal/voldata/content"
)

var noon = time.Unix(1_700_000_000, 0)

// item is one entry of a tar, and its data.
type item struct {
	tar.Header
	data string
}

func dir(name string) item {
	return item{tar.Header{Typeflag: tar.TypeDir, Name: name + "/", Mode: 0o755, ModTime: noon}, ""}
}

func file(name, data string) item {
	return item{tar.Header{Typeflag: tar.TypeReg, Name: name, Mode: 0o644, Size: int64(len(data)), ModTime: noon}, data}
}

func symlink(name, to string) item {
	return item{tar.Header{Typeflag: tar.TypeSymlink, Name: name, Linkname: to, Mode: 0o777, ModTime: noon}, ""}
}

func hardlink(name, to string) item {
	return item{tar.Header{Typeflag: tar.TypeLink, Name: name, Linkname: to, Mode: 0o644, ModTime: noon}, ""}
}

func device(name string, kind byte, major, minor int64) item {
	return item{tar.Header{Typeflag: kind, Name: name, Devmajor: major, Devminor: minor, ModTime: noon}, ""}
}

// stream is a tar of items, which may be as hostile as the writer lets them.
func stream(t interface {
	Helper()
	Fatalf(string, ...any)
}, items ...item,
) []byte {
	t.Helper()
	var b bytes.Buffer
	w := tar.NewWriter(&b)
	for _, i := range items {
		h := i.Header
		if err := w.WriteHeader(&h); err != nil {
			t.Fatalf("write header of %q: %v", i.Name, err)
		}
		if _, err := w.Write([]byte(i.data)); err != nil {
			t.Fatalf("write %q: %v", i.Name, err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatalf("%v", err)
	}

	return b.Bytes()
}

func digestOf(t *testing.T, items ...item) string {
	t.Helper()
	sum, err := content.Copy(nil, bytes.NewReader(stream(t, items...)), content.Options{})
	if err != nil {
		t.Fatal(err)
	}

	return sum.Digest
}

// TestCopy wants what is copied to be the same, and to be copied again to the same bytes.
func TestCopy(t *testing.T) {
	items := []item{
		dir("volume"), file("volume/a", "one"), dir("volume/b"), file("volume/b/c", "two"), symlink("volume/b/d", "../../../etc/passwd"),
		file("volume/b.x", ""), dir("volume/e"), hardlink("volume/f", "volume/b/c"), file("volume/g\nh \xff ü", "odd"), symlink("volume/s", "/etc"),
	}
	var first, second bytes.Buffer
	one, err := content.Copy(&first, bytes.NewReader(stream(t, items...)), content.Options{})
	if err != nil {
		t.Fatal(err)
	}
	two, err := content.Copy(&second, bytes.NewReader(first.Bytes()), content.Options{})
	if err != nil {
		t.Fatal(err)
	}
	if one != two || !bytes.Equal(first.Bytes(), second.Bytes()) {
		t.Errorf("a copy of a copy is %+v, want %+v and the same bytes", two, one)
	}
	if one.Entries != 10 || one.Bytes != 9 {
		t.Errorf("it is %+v, want 10 entries and 9 bytes", one)
	}
}

// TestDigestSeesEverything changes one thing at a time.
func TestDigestSeesEverything(t *testing.T) {
	base := func() []item {
		return []item{dir("volume"), file("volume/a", "one"), symlink("volume/l", "a"), hardlink("volume/m", "volume/a"), device("volume/n", tar.TypeChar, 1, 3)}
	}
	was := digestOf(t, base()...)
	if again := digestOf(t, base()...); again != was {
		t.Fatalf("the same has the digests %s and %s", was, again)
	}

	for name, change := range map[string]func([]item) []item{
		"Data":     func(i []item) []item { i[1].data = "two"; return i },
		"Size":     func(i []item) []item { i[1].data, i[1].Size = "ones", 4; return i },
		"Name":     func(i []item) []item { i[1].Name, i[3].Linkname = "volume/b", "volume/b"; return i },
		"Mode":     func(i []item) []item { i[1].Mode = 0o4644; return i },
		"Owner":    func(i []item) []item { i[1].Uid = 999; return i },
		"Group":    func(i []item) []item { i[1].Gid = 999; return i },
		"Time":     func(i []item) []item { i[1].ModTime = noon.Add(time.Second); return i },
		"RootMode": func(i []item) []item { i[0].Mode = 0o700; return i },
		"Symlink":  func(i []item) []item { i[2].Linkname = "b"; return i },
		"Link":     func(i []item) []item { i[3] = file("volume/m", "one"); return i },
		"Kind":     func(i []item) []item { i[2] = file("volume/l", "a"); return i },
		"Device":   func(i []item) []item { i[4].Devminor = 5; return i },
		"Fewer":    func(i []item) []item { return i[:4] },
		"More":     func(i []item) []item { return append(i, file("volume/z", "")) },
		"Capable": func(i []item) []item {
			i[1].PAXRecords = map[string]string{"SCHILY.xattr.security.capability": "\x01\x00\x00\x02"}
			return i
		},
		"EmptyName": func(i []item) []item { i[1].data, i[1].Size = "", 0; return i },
	} {
		if got := digestOf(t, change(base())...); got == was {
			t.Errorf("%s: the digest is the same", name)
		}
	}

	for name, change := range map[string]func([]item) []item{
		"Fraction":  func(i []item) []item { i[1].ModTime, i[1].Format = noon.Add(time.Millisecond), tar.FormatPAX; return i },
		"NameOfUID": func(i []item) []item { i[1].Uname = "root"; return i },
		"UserAttr":  func(i []item) []item { i[1].PAXRecords = map[string]string{"SCHILY.xattr.user.note": "x"}; return i },
	} {
		if got := digestOf(t, change(base())...); got != was {
			t.Errorf("%s: the digest is another one, and engines do not keep that", name)
		}
	}
}

// TestRefuses is what a hostile stream may hold.
func TestRefuses(t *testing.T) {
	root := dir("volume")
	for name, c := range map[string]struct {
		reason string
		items  []item
	}{
		"Absolute":          {"An absolute name leads anywhere.", []item{root, file("/etc/passwd", "x")}},
		"AbsoluteBelow":     {"Even below the root by name.", []item{root, file("/volume/a", "x")}},
		"Parent":            {"So does one that goes up.", []item{root, dir("volume/a"), file("volume/a/../../etc/passwd", "x")}},
		"ParentFirst":       {"At its beginning.", []item{root, file("../volume/a", "x")}},
		"Dot":               {"A name has one form.", []item{root, file("volume/./a", "x")}},
		"DoubleSlash":       {"Only one.", []item{root, file("volume//a", "x")}},
		"Elsewhere":         {"Nothing lies beside the volume.", []item{root, file("etc", "x")}},
		"Prefix":            {"A name that only begins like it is beside it.", []item{root, file("volumes", "x")}},
		"NoRoot":            {"The volume comes first.", []item{file("volume/a", "x")}},
		"Nothing":           {"An empty tar is not an empty volume.", nil},
		"RootTwice":         {"And once.", []item{root, file("volume/a", "x"), root}},
		"RootIsLink":        {"It is a directory.", []item{symlink("volume", "/etc")}},
		"RootIsFile":        {"Not a file.", []item{file("volume", "x")}},
		"ThroughSymlink":    {"What lies in a symbolic link would be written through it.", []item{root, symlink("volume/a", "/etc"), file("volume/a/passwd", "x")}},
		"ThroughReplaced":   {"Also when the link takes the place of a directory.", []item{root, dir("volume/a"), symlink("volume/a", "/etc"), file("volume/a/passwd", "x")}},
		"ThroughFile":       {"A file holds nothing.", []item{root, file("volume/a", "x"), file("volume/a/b", "x")}},
		"NoDirectory":       {"A directory comes before what is in it.", []item{root, file("volume/a/b", "x")}},
		"ClosedDirectory":   {"It is left when something else came.", []item{root, dir("volume/a"), file("volume/b", ""), file("volume/a/c", "x")}},
		"Twice":             {"No name comes twice.", []item{root, file("volume/a", "x"), file("volume/a", "y")}},
		"Order":             {"Names ascend.", []item{root, file("volume/b", ""), file("volume/a", "")}},
		"LinkOut":           {"A hard link out of the volume gives away what is there.", []item{root, hardlink("volume/a", "/etc/shadow")}},
		"LinkUp":            {"By whatever name.", []item{root, hardlink("volume/a", "volume/../etc/shadow")}},
		"LinkToRoot":        {"Nobody links a directory.", []item{root, hardlink("volume/a", "volume")}},
		"LinkForward":       {"It leads to what came before.", []item{root, hardlink("volume/a", "volume/b"), file("volume/b", "")}},
		"LinkToItself":      {"Not to itself.", []item{root, hardlink("volume/a", "volume/a")}},
		"Disk":              {"A disk of the node is no data.", []item{root, device("volume/sda", tar.TypeBlock, 8, 0)}},
		"Memory":            {"Nor is its memory.", []item{root, device("volume/mem", tar.TypeChar, 1, 1)}},
		"Whiteout":          {"Nor what means deleted in an overlay.", []item{root, device("volume/gone", tar.TypeChar, 0, 0)}},
		"SparseAttributes":  {"A sparse file can claim to be of any size.", []item{root, {tar.Header{Typeflag: tar.TypeReg, Name: "volume/a", PAXRecords: map[string]string{"GNU.sparse.major": "1"}}, ""}}},
		"Global":            {"What holds for all that follows is not understood.", []item{root, {tar.Header{Typeflag: tar.TypeXGlobalHeader, Name: "volume/g", PAXRecords: map[string]string{"path": "x"}}, ""}}},
		"LongName":          {"The kernel takes 255 bytes for a name.", []item{root, file("volume/"+strings.Repeat("a", 256), "")}},
		"HugeOwner":         {"An owner is 32 bits.", []item{root, {tar.Header{Typeflag: tar.TypeReg, Name: "volume/a", Uid: 1 << 33}, ""}}},
		"EmptySymlink":      {"A symbolic link leads somewhere.", []item{root, {tar.Header{Typeflag: tar.TypeSymlink, Name: "volume/a", Format: tar.FormatPAX}, ""}}},
		"ManyAttributes":    {"Attributes are bounded by the kernel.", []item{root, {tar.Header{Typeflag: tar.TypeReg, Name: "volume/a", PAXRecords: map[string]string{"SCHILY.xattr.user.a": strings.Repeat("x", 70_000)}}, ""}}},
		"DirectoryIsTarget": {"A name that is a directory on one side stays one.", []item{root, dir("volume/a"), file("volume/a", "x")}},
	} {
		t.Run(name, func(t *testing.T) {
			data := sloppy(t, c.items)
			if _, err := content.Copy(io.Discard, bytes.NewReader(data), content.Options{}); !errors.Is(err, content.ErrRefused) {
				t.Errorf("%s\nerror is %v, want ErrRefused", c.reason, err)
			}
		})
	}
}

// sloppy writes what the library would not.
func sloppy(t *testing.T, items []item) []byte {
	t.Helper()
	for i := range items {
		h := &items[i].Header
		if h.Typeflag == tar.TypeXGlobalHeader {
			h.Name = ""
		}
		if sparse := h.PAXRecords["GNU.sparse.major"]; sparse != "" {
			// The library refuses to write it, so the key is changed afterwards.
			h.PAXRecords = map[string]string{"XXX.sparse.major": sparse}

			return bytes.ReplaceAll(stream(t, items...), []byte("XXX.sparse.major"), []byte("GNU.sparse.minor"))
		}
	}

	return stream(t, items...)
}

// TestBroken cuts a stream anywhere, and follows it by anything.
func TestBroken(t *testing.T) {
	whole := stream(t, dir("volume"), file("volume/a", strings.Repeat("x", 2000)), file("volume/b", strings.Repeat("\x00", 2048)), file("volume/c", ""))
	if _, err := content.Copy(nil, bytes.NewReader(whole), content.Options{}); err != nil {
		t.Fatal(err)
	}
	for n := range len(whole) {
		if _, err := content.Copy(nil, bytes.NewReader(whole[:n]), content.Options{}); err == nil {
			t.Fatalf("a stream of %d bytes that was cut after %d is taken for whole", len(whole), n)
		}
	}
	if _, err := content.Copy(nil, bytes.NewReader(append(bytes.Clone(whole), make([]byte, 8192)...)), content.Options{}); err != nil {
		t.Errorf("zeros that fill up the last block: %v, want them taken", err)
	}
	for name, more := range map[string][]byte{"Data": []byte("more"), "Tar": whole, "Endless": make([]byte, 2<<20)} {
		if _, err := content.Copy(nil, bytes.NewReader(append(bytes.Clone(whole), more...)), content.Options{}); !errors.Is(err, content.ErrBroken) {
			t.Errorf("%s follows the end: %v, want ErrBroken", name, err)
		}
	}

	cut := errors.New("connection reset")
	if _, err := content.Copy(nil, io.MultiReader(bytes.NewReader(whole), failing{cut}), content.Options{}); !errors.Is(err, cut) {
		t.Errorf("a failure after the end: %v, want it told", err)
	}
	if _, err := content.Copy(nil, io.MultiReader(bytes.NewReader(whole[:700]), failing{context.Canceled}), content.Options{}); !errors.Is(err, context.Canceled) || errors.Is(err, content.ErrBroken) {
		t.Errorf("a context that ended: %v, want that and no word of the stream", err)
	}
}

type failing struct{ err error }

func (f failing) Read([]byte) (int, error) { return 0, f.err }

// TestBounds wants limits to hold before what is beyond them is passed on.
func TestBounds(t *testing.T) {
	data := stream(t, dir("volume"), file("volume/a", strings.Repeat("x", 1000)), file("volume/b", strings.Repeat("y", 1000)))
	for name, c := range map[string]struct {
		o  content.Options
		ok bool
	}{
		"Fits": {content.Options{MaxEntries: 3, MaxBytes: 2000}, true}, "Entries": {content.Options{MaxEntries: 2}, false}, "Bytes": {content.Options{MaxBytes: 1999}, false},
	} {
		moved := 0
		c.o.Progress = func(n int) { moved += n }
		_, err := content.Copy(io.Discard, bytes.NewReader(data), c.o)
		if (err == nil) != c.ok || !c.ok && !errors.Is(err, content.ErrRefused) {
			t.Errorf("%s: %v", name, err)
		}
		if c.ok && moved != 2000 || !c.ok && moved != 1000 {
			t.Errorf("%s: %d bytes were passed on", name, moved)
		}
	}
}

// TestAnyTree wants any tree that was walked in order to be taken, with one digest however often, and a swap of two of its
// entries to be refused.
func TestAnyTree(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		items := []item{dir("volume")}
		var files []string
		var walk func(at string, depth int)
		walk = func(at string, depth int) {
			names := map[string]bool{}
			for range rapid.IntRange(0, 4).Draw(t, "n") {
				names[rapid.StringMatching(`[a-c./ -]{0,2}[a-cü\n]`).Draw(t, "name")] = true
			}
			for _, n := range sortedKeys(names) {
				if strings.Contains(n, "/") {
					continue
				}
				path := at + "/" + n
				switch k := rapid.IntRange(0, 3).Draw(t, "kind"); {
				case k == 0 && depth < 3:
					items = append(items, dir(path))
					walk(path, depth+1)
				case k == 1:
					items = append(items, symlink(path, rapid.StringMatching(`(\.\./){0,4}/?[a-z]+`).Draw(t, "to")))
				case k == 2 && len(files) > 0:
					items = append(items, hardlink(path, rapid.SampledFrom(files).Draw(t, "target")))
				default:
					items = append(items, file(path, rapid.StringN(0, 600, 600).Draw(t, "data")))
					files = append(files, path)
				}
			}
		}
		walk("volume", 0)

		data := stream(t, items...)
		one, err := content.Copy(nil, bytes.NewReader(data), content.Options{})
		if err != nil {
			t.Fatalf("it is refused: %v", err)
		}
		var copied bytes.Buffer
		two, err := content.Copy(&copied, bytes.NewReader(data), content.Options{})
		if err != nil || one != two {
			t.Fatalf("the digests are %+v and %+v, %v", one, two, err)
		}
		if again, err := content.Copy(nil, &copied, content.Options{}); err != nil || again != one {
			t.Fatalf("the copy has %+v, %v, want %+v", again, err, one)
		}

		if len(items) < 3 {
			return
		}
		i := rapid.IntRange(1, len(items)-2).Draw(t, "swap")
		items[i], items[i+1] = items[i+1], items[i]
		if _, err := content.Copy(nil, bytes.NewReader(stream(t, items...)), content.Options{}); err == nil {
			t.Fatalf("entries %q and %q may come in any order", items[i].Name, items[i+1].Name)
		}
	})
}

func sortedKeys(m map[string]bool) []string {
	var out []string
	for k := range m {
		out = append(out, k)
	}
	// The order of bytes, as engines walk.
	for i := range out {
		for j := i + 1; j < len(out); j++ {
			if out[j] < out[i] {
				out[i], out[j] = out[j], out[i]
			}
		}
	}

	return out
}

// FuzzCopy wants a stream either refused, or copied to one that is taken with the same digest.
func FuzzCopy(f *testing.F) {
	t := &testing.T{}
	f.Add(stream(t, dir("volume"), file("volume/a", "x"), symlink("volume/b", "/etc"), hardlink("volume/c", "volume/a")))
	f.Add(stream(t, dir("volume"), file("volume/a", "x"))[:700])
	f.Fuzz(func(t *testing.T, data []byte) {
		var out bytes.Buffer
		one, err := content.Copy(&out, bytes.NewReader(data), content.Options{MaxBytes: 1 << 20})
		if err != nil {
			return
		}
		two, err := content.Copy(nil, &out, content.Options{})
		if err != nil || one != two {
			t.Errorf("the copy is %+v, %v, want %+v", two, err, one)
		}
	})
}

// ExampleCopy shows what a digest looks like.
func ExampleCopy() {
	var b bytes.Buffer
	w := tar.NewWriter(&b)
	_ = w.WriteHeader(&tar.Header{Typeflag: tar.TypeDir, Name: "volume/", Mode: 0o755, ModTime: time.Unix(0, 0)})
	_ = w.Close()

	sum, err := content.Copy(nil, &b, content.Options{})
	fmt.Println(sum.Digest[:8], len(sum.Digest), sum.Entries, err)
	// Output: volume1: 72 1 <nil>
}
