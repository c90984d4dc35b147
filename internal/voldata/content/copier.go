package content

import (
	"archive/tar"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"io"
)

// Summary says what a content is.
type Summary struct {
	// Digest is equal for equal contents, wherever they are: volume1: and a SHA-256 in hexadecimal.
	Digest string `json:"digest"`
	// Entries is the number of files, directories and links, with the volume itself.
	Entries int64 `json:"entries"`
	// Bytes is how much data is in the files.
	Bytes int64 `json:"bytes"`
}

// digestPrefix names the form that is digested. Whoever changes record changes it.
const digestPrefix = "volume1:"

// Options of a copy. The zero value bounds nothing.
type Options struct {
	// MaxEntries and MaxBytes are what a content may have at most; 0 means any.
	MaxEntries, MaxBytes int64
	// Progress is told of data that was read, in bytes, as it comes; it must not block. Nil means nobody.
	Progress func(bytes int)
}

// Copier takes entries one after the other, holds them against the rules, writes them anew, and digests them.
type Copier struct {
	out   *tar.Writer
	o     Options
	order order
	all   hash.Hash
	data  hash.Hash
	buf   []byte
	sum   Summary
}

// NewCopier writes to out; nil writes nowhere.
func NewCopier(out *tar.Writer, o Options) *Copier {
	c := &Copier{out: out, o: o, all: sha256.New(), data: sha256.New(), buf: make([]byte, 256<<10)}
	c.all.Write([]byte(digestPrefix))

	return c
}

// Add takes the next entry, with its data. Its errors are ErrRefused, ErrBroken, or those of the writer.
func (c *Copier) Add(h *tar.Header, data io.Reader) error {
	e, err := understand(h)
	if err != nil {
		return err
	}
	if err := c.order.take(&e); err != nil {
		return err
	}

	c.sum.Entries++
	if c.o.MaxEntries > 0 && c.sum.Entries > c.o.MaxEntries {
		return fmt.Errorf("it has more than %d entries: %w", c.o.MaxEntries, ErrRefused)
	}
	if c.o.MaxBytes > 0 && e.size > c.o.MaxBytes-c.sum.Bytes {
		return fmt.Errorf("it has more than %d bytes: %w", c.o.MaxBytes, ErrRefused)
	}
	c.sum.Bytes += e.size

	if c.out != nil {
		if err := c.out.WriteHeader(e.header()); err != nil {
			return fmt.Errorf("write entry %s: %w", printable(e.path), err)
		}
	}
	c.data.Reset()
	if err := c.copy(&e, data); err != nil {
		return err
	}
	c.record(&e)

	return nil
}

// copy passes on the data of an entry.
func (c *Copier) copy(e *entry, data io.Reader) error {
	for left := e.size; left > 0; {
		n, err := data.Read(c.buf[:min(left, int64(len(c.buf)))])
		left -= int64(n)
		c.data.Write(c.buf[:n])
		if c.o.Progress != nil && n > 0 {
			c.o.Progress(n)
		}
		if c.out != nil {
			if _, err := c.out.Write(c.buf[:n]); err != nil {
				return fmt.Errorf("write entry %s: %w", printable(e.path), err)
			}
		}
		if left > 0 && err != nil {
			if errors.Is(err, io.EOF) {
				err = fmt.Errorf("%w: %d bytes are missing", ErrBroken, left)
			}

			return fmt.Errorf("read entry %s: %w", printable(e.path), err)
		}
	}

	return nil
}

// record digests an entry. Every part has its length before it or a length of its own, so that no two entries are alike.
// Of a hard link only its target counts: all else is said where the file itself is.
func (c *Copier) record(e *entry) {
	if e.kind == tar.TypeLink {
		c.text(string(e.kind), e.path, e.link)
		return
	}

	c.text(string(e.kind), e.path, e.link, e.attributes[capability])
	for _, n := range []int64{e.mode, int64(e.uid), int64(e.gid), e.time, e.size, e.device.major, e.device.minor} {
		c.number(n)
	}
	c.all.Write(c.data.Sum(nil))
}

func (c *Copier) text(parts ...string) {
	for _, s := range parts {
		c.number(int64(len(s)))
		c.all.Write([]byte(s))
	}
}

func (c *Copier) number(n int64) {
	var b [8]byte
	binary.BigEndian.PutUint64(b[:], uint64(n)) //nolint:gosec // The bits are what counts.
	c.all.Write(b[:])
}

// End says what it was, when there was something.
func (c *Copier) End() (Summary, error) {
	if c.sum.Entries == 0 {
		return Summary{}, fmt.Errorf("the volume itself is missing: %w", ErrRefused)
	}
	c.sum.Digest = digestPrefix + hex.EncodeToString(c.all.Sum(nil))

	return c.sum, nil
}

// Copy passes a content from r to w, as a tar of its own; a nil w takes nothing. What w got is worth nothing when it fails.
func Copy(w io.Writer, r io.Reader, o Options) (Summary, error) {
	var out *tar.Writer
	if w != nil {
		out = tar.NewWriter(w)
	}

	in, c := NewReader(r), NewCopier(out, o)
	for {
		h, err := in.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return Summary{}, err
		}
		if err := c.Add(h, in); err != nil {
			return Summary{}, err
		}
	}

	sum, err := c.End()
	if err != nil || out == nil {
		return sum, err
	}
	if err := out.Close(); err != nil {
		return Summary{}, fmt.Errorf("end tar: %w", err)
	}

	return sum, nil
}
