package gittest

import (
	"bytes"
	"compress/zlib"
	"crypto/sha1" //nolint:gosec // it is what Git calls objects by
	"encoding/binary"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
)

// kinds are the numbers of kinds of objects in packs.
var kinds = map[string]byte{"commit": 1, "tree": 2, "blob": 3, "tag": 4}

// Line is a line of Git's protocol.
func Line(format string, args ...any) string {
	text := fmt.Sprintf(format, args...)

	return fmt.Sprintf("%04x%s", len(text)+4, text)
}

// Flush ends a section of Git's protocol.
const Flush = "0000"

// Pack is all objects of the repository, as a server sends them that does not look at what they are.
func (r *Repo) Pack() []byte {
	var b bytes.Buffer

	b.WriteString("PACK")
	_ = binary.Write(&b, binary.BigEndian, uint32(2))
	_ = binary.Write(&b, binary.BigEndian, uint32(len(r.objects)))

	for _, name := range slices.Sorted(maps.Keys(r.objects)) {
		o := r.objects[name]
		size := len(o.content)
		head := kinds[o.kind]<<4 | byte(size&0xf)

		for size >>= 4; size > 0; size >>= 7 {
			b.WriteByte(head | 0x80)
			head = byte(size & 0x7f)
		}

		b.WriteByte(head)

		z, _ := zlib.NewWriterLevel(&b, zlib.BestSpeed)
		_, _ = z.Write(o.content)
		_ = z.Close()
	}

	sum := sha1.Sum(b.Bytes()) //nolint:gosec // as above
	b.Write(sum[:])

	return b.Bytes()
}

// Advertisement is what a server says that the repository has.
func (r *Repo) Advertisement() string {
	var b strings.Builder

	b.WriteString(Line("# service=git-upload-pack\n") + Flush)

	main := r.refs["refs/heads/main"]
	if main == "" {
		return b.String() + Line("%040d capabilities^{}\x00shallow\n", 0) + Flush
	}

	b.WriteString(Line("%s HEAD\x00shallow symref=HEAD:refs/heads/main object-format=sha1\n", main))

	for _, name := range slices.Sorted(maps.Keys(r.refs)) {
		b.WriteString(Line("%s %s\n", r.refs[name], name))

		if o := r.objects[r.refs[name]]; o.kind == "tag" {
			b.WriteString(Line("%s %s^{}\n", string(o.content[len("object "):][:40]), name))
		}
	}

	return b.String() + Flush
}

// Answer begins the answer to a request; a pack follows.
func Answer(request, commit string) string {
	if strings.Contains(request, "deepen ") {
		return Line("shallow %s\n", commit) + Flush + Line("NAK\n")
	}

	return Line("NAK\n")
}

// Static is a server in this process. It serves what repositories hold, however wrong that is, and what handlers make of it.
type Static struct {
	*httptest.Server
	t     testing.TB
	repos map[string]http.Handler
}

// NewStatic starts a server with TLS.
func NewStatic(t testing.TB) *Static {
	t.Helper()

	s := &Static{t: t, repos: map[string]http.Handler{}}
	s.Server = httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		name, _, _ := strings.Cut(strings.TrimPrefix(r.URL.Path, "/"), "/")
		if h := s.repos[name]; h != nil {
			h.ServeHTTP(w, r)

			return
		}

		http.NotFound(w, r)
	}))
	t.Cleanup(s.Close)

	return s
}

// Add serves a repository, or whatever answers in its place. It must not be called while the server is used.
func (s *Static) Add(name string, h http.Handler) { s.repos[name] = h }

// CA is the certificate to trust, in PEM.
func (s *Static) CA() []byte { return (&HTTP{Server: s.Server}).CA() }

// At is the URL of a repository.
func (s *Static) At(name string) string { return s.URL + "/" + name }

// Repo makes an empty repository and serves it.
func (s *Static) Repo(name string) *Repo {
	r := &Repo{t: s.t}
	s.Add(name, r)

	return r
}

// ServeHTTP serves the repository to whom asks for main.
func (r *Repo) ServeHTTP(w http.ResponseWriter, q *http.Request) {
	if q.Method == http.MethodGet {
		w.Header().Set("Content-Type", "application/x-git-upload-pack-advertisement")
		_, _ = io.WriteString(w, r.Advertisement())

		return
	}

	request, err := io.ReadAll(q.Body)
	if err != nil {
		return
	}

	w.Header().Set("Content-Type", "application/x-git-upload-pack-result")
	_, _ = io.WriteString(w, Answer(string(request), r.refs["refs/heads/main"]))
	_, _ = w.Write(r.Pack())
}
