package archive

import (
	"archive/tar"
	"bufio"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"hash"
	"io"

	"filippo.io/age"
	"github.com/klauspost/compress/zstd"

	"github.com/dogker/dogker/internal/voldata/content"
)

// maxWindow is how much of what came before zstd may refer to, and so what it may take of memory. Ours refer to 4 MiB.
const maxWindow = 32 << 20

// Verify reads an archive to its end, and says what it is, once all of it is as it was made. Its error is ErrRefused when it
// is not, that of a context, or the one that r failed with.
func Verify(r io.Reader, k *Key, o content.Options) (Receipt, error) {
	return read(r, k, nil, o)
}

// Extract writes the content of an archive to w, as a tar, while it reads. It fails with ErrRefused unless the archive is the
// very one that was verified before. What w got is worth nothing then.
func Extract(w io.Writer, r io.Reader, k *Key, verified Receipt, o content.Options) (Receipt, error) {
	out := tar.NewWriter(w)

	got, err := read(r, k, out, o)
	if err != nil {
		return got, err
	}
	if !got.SameAs(verified) {
		return got, refused("it is another one than was verified before")
	}
	if err := out.Close(); err != nil {
		return got, fmt.Errorf("write content of archive: %w", err)
	}

	return got, nil
}

// pass is one way through an archive.
type pass struct {
	source *source
	zstd   *zstd.Decoder
	in     *content.Reader
}

func openPass(r io.Reader, k *Key) (*pass, error) {
	p := &pass{source: &source{r: r, sum: sha256.New()}}

	// age reads small pieces of its header; the rest in pieces of its own.
	opened, err := age.Decrypt(bufio.NewReaderSize(p.source, 64<<10), k.identities...)
	if err != nil {
		if p.source.err == nil || errors.Is(p.source.err, io.EOF) {
			err = refused("the key does not open it, or it is no archive")
		}

		return nil, p.explain(err)
	}
	p.zstd, err = zstd.NewReader(opened, zstd.WithDecoderConcurrency(1), zstd.WithDecoderMaxWindow(maxWindow))
	if err != nil {
		return nil, p.explain(err)
	}
	p.in = content.NewReader(p.zstd)

	return p, nil
}

// read goes through an archive, and writes its content to out unless that is nil.
func read(r io.Reader, k *Key, out *tar.Writer, o content.Options) (Receipt, error) {
	p, err := openPass(r, k)
	if err != nil {
		return Receipt{}, err
	}
	defer p.zstd.Close()

	got, err := p.walk(k, out, o)
	if err != nil {
		return Receipt{}, p.explain(err)
	}
	// What age has not been asked for is not authenticated, and what follows its end belongs to the sum.
	if _, err := io.Copy(io.Discard, p.source); err != nil {
		return Receipt{}, p.explain(err)
	}
	got.Sum, got.Size = hex.EncodeToString(p.source.sum.Sum(nil)), p.source.size

	return got, nil
}

func (p *pass) walk(k *Key, out *tar.Writer, o content.Options) (Receipt, error) {
	raw, head, err := p.header()
	if err != nil {
		return Receipt{}, err
	}

	c := content.NewCopier(out, o)
	var h *tar.Header
	for {
		if h, err = p.in.Next(); err != nil {
			return Receipt{}, missing(err, manifestName)
		}
		if h.Name == manifestName {
			break
		}
		if err := c.Add(h, p.in); err != nil {
			return Receipt{}, err
		}
	}
	sum, err := c.End()
	if err != nil {
		return Receipt{}, err
	}

	var m manifest
	signed, err := p.authentic(k, h)
	if err != nil {
		return Receipt{}, err
	}
	if err := json.Unmarshal(signed, &m); err != nil {
		return Receipt{}, refused("its %s cannot be read", manifestName)
	}
	if m.Header != hexSum(raw) || m.Content != sum {
		return Receipt{}, refused("it does not hold what its manifest says")
	}
	if _, err := p.in.Next(); !errors.Is(err, io.EOF) {
		if err == nil {
			err = refused("something follows its manifest")
		}

		return Receipt{}, err
	}

	return Receipt{Origin: head.Origin, Content: sum}, nil
}

// header reads the first file.
func (p *pass) header() ([]byte, header, error) {
	h, err := p.in.Next()
	if err != nil {
		return nil, header{}, missing(err, headerName)
	}
	raw, err := p.file(h, headerName)
	if err != nil {
		return nil, header{}, err
	}
	head, err := readHeader(raw)

	return raw, head, err
}

// authentic reads the manifest, of which h is the header, and what authenticates it.
func (p *pass) authentic(k *Key, h *tar.Header) ([]byte, error) {
	raw, err := p.file(h, manifestName)
	if err != nil {
		return nil, err
	}
	if h, err = p.in.Next(); err != nil {
		return nil, missing(err, macName)
	}
	text, err := p.file(h, macName)
	if err != nil {
		return nil, err
	}
	if sum, err := hex.DecodeString(string(text)); err != nil || !k.signed(raw, sum) {
		return nil, refused("somebody made it who has none of the keys")
	}

	return raw, nil
}

func (p *pass) file(h *tar.Header, name string) ([]byte, error) {
	if h.Name != name || h.Typeflag != tar.TypeReg || h.Size > maxFile {
		return nil, refused("it has %.80q where it should have %s", h.Name, name)
	}

	return io.ReadAll(p.in)
}

func missing(err error, name string) error {
	if errors.Is(err, io.EOF) {
		return refused("it has no %s", name)
	}

	return err
}

// explain tells apart what a file is, and what kept it from being read.
func (p *pass) explain(err error) error {
	switch {
	case err == nil, errors.Is(err, ErrRefused), errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded):
		return err
	case p.source.err != nil && !errors.Is(p.source.err, io.EOF):
		return fmt.Errorf("read archive: %w", p.source.err)
	case errors.Is(err, content.ErrBroken):
		return refused("it was cut off or changed")
	case errors.Is(err, content.ErrRefused):
		return fmt.Errorf("%w: %w", ErrRefused, err)
	}

	return fmt.Errorf("pass on archive: %w", err)
}

// source digests what is read, and remembers how reading failed.
type source struct {
	r    io.Reader
	sum  hash.Hash
	size int64
	err  error
}

func (s *source) Read(p []byte) (int, error) {
	n, err := s.r.Read(p)
	s.sum.Write(p[:n])
	s.size += int64(n)
	if err != nil {
		s.err = err
	}

	return n, err
}
