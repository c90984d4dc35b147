package archive

import (
	"archive/tar"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"hash"
	"io"
	"time"

	"filippo.io/age"
	"github.com/klauspost/compress/zstd"

	"github.com/dogker/dogker/internal/voldata/content"
)

// Write makes an archive of a content, which r is the tar of, on w. What w got is worth nothing when it fails: whoever passes
// it on must not take the end of w for the end of an archive.
func Write(w io.Writer, from Origin, k *Key, r io.Reader, o content.Options) (Receipt, error) {
	from.Time = from.Time.UTC().Truncate(time.Second)
	out := &meter{w: w, sum: sha256.New()}

	sealed, err := age.Encrypt(out, k.recipients...)
	if err != nil {
		return Receipt{}, fmt.Errorf("encrypt archive: %w", err)
	}
	zipped, err := zstd.NewWriter(sealed, zstd.WithEncoderLevel(zstd.SpeedFastest), zstd.WithEncoderConcurrency(workers), zstd.WithEncoderCRC(false))
	if err != nil {
		return Receipt{}, fmt.Errorf("compress archive: %w", err)
	}

	sum, err := writeFiles(zipped, from, k, r, o)
	// The compressor has goroutines, which end with it.
	err = errors.Join(err, zipped.Close())
	if err != nil {
		return Receipt{}, fmt.Errorf("write archive: %w", err)
	}
	if err := sealed.Close(); err != nil {
		return Receipt{}, fmt.Errorf("write archive: %w", err)
	}

	return Receipt{Origin: from, Content: sum, Sum: hex.EncodeToString(out.sum.Sum(nil)), Size: out.size}, nil
}

// workers compress at the same time. The checksums of zstd are left out, because age authenticates every byte.
const workers = 2

func writeFiles(w io.Writer, from Origin, k *Key, r io.Reader, o content.Options) (content.Summary, error) {
	head, err := json.Marshal(header{Format: Format, Origin: from})
	if err != nil {
		return content.Summary{}, err
	}
	out := tar.NewWriter(w)
	if err := writeFile(out, headerName, from.Time, head); err != nil {
		return content.Summary{}, err
	}

	in, c := content.NewReader(r), content.NewCopier(out, o)
	for {
		h, err := in.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return content.Summary{}, err
		}
		if err := c.Add(h, in); err != nil {
			return content.Summary{}, err
		}
	}
	sum, err := c.End()
	if err != nil {
		return sum, err
	}

	raw, err := json.Marshal(manifest{Header: hexSum(head), Content: sum})
	if err != nil {
		return sum, err
	}
	if err := writeFile(out, manifestName, from.Time, raw); err != nil {
		return sum, err
	}
	if err := writeFile(out, macName, from.Time, []byte(hex.EncodeToString(k.sign(raw)))); err != nil {
		return sum, err
	}

	return sum, out.Close()
}

func writeFile(w *tar.Writer, name string, at time.Time, data []byte) error {
	if err := w.WriteHeader(&tar.Header{Typeflag: tar.TypeReg, Name: name, Mode: 0o600, Size: int64(len(data)), ModTime: at, Format: tar.FormatPAX}); err != nil {
		return err
	}
	_, err := w.Write(data)

	return err
}

// meter digests what is written.
type meter struct {
	w    io.Writer
	sum  hash.Hash
	size int64
}

func (m *meter) Write(p []byte) (int, error) {
	n, err := m.w.Write(p)
	m.sum.Write(p[:n])
	m.size += int64(n)

	return n, err
}
