package gittest

import (
	"bytes"
	"compress/zlib"
	"crypto/sha1" //nolint:gosec // it is what Git calls objects by
	"encoding/hex"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

// Modes of entries in trees.
const (
	File    = "100644"
	Exec    = "100755"
	Symlink = "120000"
	Dir     = "40000"
	Module  = "160000"
)

// When is the time of commits that say no other.
var When = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

// Repo is a bare repository.
type Repo struct {
	t testing.TB
	// dir is where it is on disk; one that is served by a Static is nowhere.
	dir     string
	objects map[string]content
	refs    map[string]string
}

// content is an object.
type content struct {
	kind    string
	content []byte
}

// NewRepo makes an empty repository below root, with main as its HEAD.
func NewRepo(t testing.TB, root, name string) *Repo {
	t.Helper()

	r := &Repo{t: t, dir: filepath.Join(root, name)}
	for _, d := range []string{"objects/pack", "refs/heads", "refs/tags"} {
		if err := os.MkdirAll(filepath.Join(r.dir, d), 0o755); err != nil {
			t.Fatal(err)
		}
	}

	r.write("HEAD", "ref: refs/heads/main\n")
	r.write("config", "[core]\n\trepositoryformatversion = 0\n\tbare = true\n")

	return r
}

// Dir is where it is.
func (r *Repo) Dir() string { return r.dir }

// Config appends to the repository's configuration.
func (r *Repo) Config(lines string) {
	r.t.Helper()

	old, err := os.ReadFile(filepath.Join(r.dir, "config"))
	if err != nil {
		r.t.Fatal(err)
	}

	r.write("config", string(old)+lines)
}

// Writable lets everybody push who gets to the repository.
func (r *Repo) Writable() *Repo {
	r.t.Helper()
	r.Config("[http]\n\treceivepack = true\n")

	return r
}

// Git runs the git of this machine in the repository and returns what it says.
func (r *Repo) Git(args ...string) string {
	r.t.Helper()

	cmd := exec.Command("git", args...)
	cmd.Dir = r.dir
	cmd.Env = append(cmd.Environ(), "GIT_CONFIG_NOSYSTEM=1", "GIT_CONFIG_COUNT=1", "GIT_CONFIG_KEY_0=safe.directory", "GIT_CONFIG_VALUE_0=*")

	out, err := cmd.CombinedOutput()
	if err != nil {
		r.t.Fatalf("git %s: %v: %s", strings.Join(args, " "), err, out)
	}

	return strings.TrimSuffix(string(out), "\n")
}

func (r *Repo) write(name, content string) {
	r.t.Helper()

	path := filepath.Join(r.dir, name)
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		r.t.Fatal(err)
	}

	if err := os.WriteFile(path, []byte(content), 0o644); err != nil {
		r.t.Fatal(err)
	}
}

// Object writes an object of a kind and returns its hash.
func (r *Repo) Object(kind string, data []byte) string {
	if r.t != nil {
		r.t.Helper()
	}

	header := fmt.Sprintf("%s %d\x00", kind, len(data))
	hash := sha1.New() //nolint:gosec // it is what Git calls objects by
	_, _ = hash.Write([]byte(header))
	_, _ = hash.Write(data)
	name := hex.EncodeToString(hash.Sum(nil))

	if r.objects == nil {
		r.objects = map[string]content{}
	}

	r.objects[name] = content{kind, data}
	if r.dir == "" {
		return name
	}

	var packed bytes.Buffer

	z, _ := zlib.NewWriterLevel(&packed, zlib.BestSpeed)
	_, _ = z.Write([]byte(header))
	_, _ = z.Write(data)

	if err := z.Close(); err != nil {
		r.t.Fatal(err)
	}

	path := filepath.Join("objects", name[:2], name[2:])
	if _, err := os.Stat(filepath.Join(r.dir, path)); err != nil {
		r.write(path, packed.String())
	}

	return name
}

// Entry is one of a tree.
type Entry struct {
	Mode, Name, Hash string
}

// Tree writes a tree with these entries, in this order, whatever they are.
func (r *Repo) Tree(entries ...Entry) string {
	r.t.Helper()

	var b bytes.Buffer

	for _, e := range entries {
		hash, err := hex.DecodeString(e.Hash)
		if err != nil {
			r.t.Fatal(err)
		}

		b.WriteString(e.Mode + " " + e.Name + "\x00")
		b.Write(hash)
	}

	return r.Object("tree", b.Bytes())
}

// Files are contents by their paths. A content that begins with "-> " is a symlink to the rest.
type Files map[string]string

// TreeOf writes all files and returns the hash of the root.
func (r *Repo) TreeOf(files Files) string {
	r.t.Helper()

	below := map[string]Files{}

	var entries []Entry

	for path, content := range files {
		dir, rest, nested := strings.Cut(path, "/")
		if nested {
			if below[dir] == nil {
				below[dir] = Files{}
			}

			below[dir][rest] = content

			continue
		}

		e := Entry{Mode: File, Name: path}
		if to, ok := strings.CutPrefix(content, "-> "); ok {
			e.Mode, content = Symlink, to
		}

		e.Hash = r.Object("blob", []byte(content))
		entries = append(entries, e)
	}

	for _, dir := range slices.Sorted(maps.Keys(below)) {
		entries = append(entries, Entry{Mode: Dir, Name: dir, Hash: r.TreeOf(below[dir])})
	}

	// Git sorts directories as if their names ended in a slash.
	key := func(e Entry) string {
		if e.Mode == Dir {
			return e.Name + "/"
		}

		return e.Name
	}

	slices.SortFunc(entries, func(a, b Entry) int { return strings.Compare(key(a), key(b)) })

	return r.Tree(entries...)
}

// CommitText is what a commit of a tree consists of, without a signature.
func CommitText(tree, message string, parents ...string) string {
	var b strings.Builder

	b.WriteString("tree " + tree + "\n")

	for _, p := range parents {
		b.WriteString("parent " + p + "\n")
	}

	who := fmt.Sprintf("Ada Example <ada@example.test> %d +0000\n", When.Unix())
	// An empty line is before the message, which is how Git tells it from headers.
	b.WriteString("author " + who + "committer " + who + "\n" + strings.TrimPrefix(message, "\n") + "\n")

	return b.String()
}

// Commit writes a commit of a tree.
func (r *Repo) Commit(tree, message string, parents ...string) string {
	r.t.Helper()

	return r.Object("commit", []byte(CommitText(tree, message, parents...)))
}

// Ref makes a reference, or moves it.
func (r *Repo) Ref(name, hash string) {
	r.t.Helper()

	if r.refs == nil {
		r.refs = map[string]string{}
	}

	r.refs[name] = hash
	if r.dir != "" {
		r.write(name, hash+"\n")
	}
}

// Head is the commit of main.
func (r *Repo) Head() string { return r.refs["refs/heads/main"] }

// Push commits files to main, with nothing before it, and returns the commit.
func (r *Repo) Push(files Files) string {
	r.t.Helper()

	commit := r.Commit(r.TreeOf(files), "Say what runs")
	r.Ref("refs/heads/main", commit)

	return commit
}

// Tag makes an annotated tag of a commit and returns the hash of the tag.
func (r *Repo) Tag(name, commit string) string {
	r.t.Helper()

	hash := r.Object("tag", []byte(TagText(name, commit)))
	r.Ref("refs/tags/"+name, hash)

	return hash
}

// TagText is what an annotated tag consists of, without a signature.
func TagText(name, commit string) string {
	return fmt.Sprintf("object %s\ntype commit\ntag %s\ntagger Ada Example <ada@example.test> %d +0000\n\nVersion %s\n", commit, name, When.Unix(), name)
}
