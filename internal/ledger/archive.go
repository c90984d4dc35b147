package ledger

import (
	"bufio"
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"hash"
	"io"
	"os"
	"path/filepath"
	"time"

	clientv3 "go.etcd.io/etcd/client/v3"

	"github.com/dogker/dogker/reconciler/book"
)

// archiveFormat is the first thing in an archive.
const archiveFormat = "dogker-ledger-archive/1"

// maxArchiveLineBytes is the longest line that is read back: more than etcd stores under one key.
const maxArchiveLineBytes = 2 << 20

// An archive is a text of lines, each a letter, a blank and JSON: A for the header, E for an entry as it was stored, R for
// the record of the Usage entry right before it, Z for how the entries end.
type archiveHeader struct {
	Format string `json:"format"`
	Tenant string `json:"tenant"`
	// Head that the first entry follows.
	Head book.Head `json:"head"`
	// Previous is the SHA-256 of the archive before.
	Previous string `json:"previous,omitempty"`
}

// archiveEnd is the last line.
type archiveEnd struct {
	Head    book.Head   `json:"head"`
	Period  book.Period `json:"period"`
	Entries int64       `json:"entries"`
}

// Archive writes what a tenant's ledger says of the time before to a file in the directory, and then prunes it to a
// checkpoint. It archives whole stretches only: up to the first entry that belongs to a later time. It returns false when
// there is nothing to archive.
//
// The file is complete and on disk before anything is pruned. A crash in between leaves a file that the next try writes
// again with the same bytes.
func (l *Ledger) Archive(ctx context.Context, term book.Term, tenant string, before time.Time, dir string) (book.Checkpoint, bool, error) {
	fail := func(err error) (book.Checkpoint, bool, error) {
		return book.Checkpoint{}, false, fmt.Errorf("archive the ledger of %q: %w", tenant, err)
	}
	// What is pruned must not be the evidence of a fault that nobody has looked at.
	if _, err := l.Verify(ctx, tenant); err != nil {
		return fail(err)
	}
	last, err := l.checkpoint(ctx, tenant)
	if err != nil {
		return fail(err)
	}
	temporary, err := os.CreateTemp(dir, ".archive-*")
	if err != nil {
		return fail(err)
	}
	defer func() { _ = os.Remove(temporary.Name()) }()

	c, err := l.writeArchive(ctx, last, tenant, before, temporary)
	if err = errors.Join(err, temporary.Sync(), temporary.Close()); err != nil {
		return fail(err)
	}
	if c.Entries == 0 {
		return book.Checkpoint{}, false, nil
	}
	c.File = fmt.Sprintf("%s-%012d-%012d.ledger", tenant, last.Head.Seq+1, c.Head.Seq)
	if err := publish(temporary.Name(), filepath.Join(dir, c.File)); err != nil {
		return fail(err)
	}
	if _, err := l.Do(ctx, book.Request{Tenant: tenant, Op: book.Archive{Checkpoint: c}, Term: term}); err != nil {
		return fail(err)
	}

	return c, true, nil
}

// publish gives a file its name for good.
func publish(from, to string) error {
	if err := os.Rename(from, to); err != nil {
		return err
	}
	dir, err := os.Open(filepath.Dir(to))
	if err != nil {
		return err
	}

	return errors.Join(dir.Sync(), dir.Close())
}

// checkpoint reads the last one; it has no file if there is none.
func (l *Ledger) checkpoint(ctx context.Context, tenant string) (book.Checkpoint, error) {
	got, err := l.get(ctx, checkpointKey(tenant))
	if err != nil {
		return book.Checkpoint{}, err
	}
	if len(got.Kvs) == 0 {
		return book.Checkpoint{Tenant: tenant, Head: book.NewHead(tenant)}, nil
	}

	return book.DecodeCheckpoint(got.Kvs[0].Value)
}

// archiveWriter writes lines and counts and hashes them.
type archiveWriter struct {
	out   *bufio.Writer
	sum   hash.Hash
	bytes int64
}

func (w *archiveWriter) line(kind byte, data []byte) error {
	line := append(append([]byte{kind, ' '}, data...), '\n')
	w.bytes += int64(len(line))
	w.sum.Write(line)
	_, err := w.out.Write(line)

	return err
}

// writeArchive writes what belongs to the time before, and returns the checkpoint for it, without the name of a file.
func (l *Ledger) writeArchive(ctx context.Context, last book.Checkpoint, tenant string, before time.Time, file io.Writer) (book.Checkpoint, error) {
	w := &archiveWriter{out: bufio.NewWriter(file), sum: sha256.New()}
	if err := w.line('A', []byte(encode(archiveHeader{archiveFormat, tenant, last.Head, last.SHA256}))); err != nil {
		return book.Checkpoint{}, err
	}
	end := archiveEnd{Period: last.Period}
	replay := book.NewReplay(last.Head)
	for item, err := range l.Items(ctx, tenant, last.Head.Seq+1) {
		if err != nil {
			return book.Checkpoint{}, err
		}
		if item.Entry.Effective() >= before.Unix() {
			break
		}
		stored := item.Entry.Encode()
		if _, err := replay.Next(stored); err != nil {
			return book.Checkpoint{}, err
		}
		if err := w.line('E', stored); err != nil {
			return book.Checkpoint{}, err
		}
		end.Entries++
		if item.Record == nil {
			continue
		}
		end.Period = item.Record.Period
		if err := w.line('R', item.Record.Encode()); err != nil {
			return book.Checkpoint{}, err
		}
	}
	end.Head = replay.Head()
	if err := errors.Join(w.line('Z', []byte(encode(end))), w.out.Flush()); err != nil {
		return book.Checkpoint{}, err
	}

	return book.Checkpoint{
		Tenant: tenant, Head: end.Head, Period: end.Period, Entries: end.Entries, Previous: last.SHA256,
		SHA256: hex.EncodeToString(w.sum.Sum(nil)), Bytes: w.bytes,
	}, nil
}

// ReadArchive reads an archive, replays its entries as Verify does, and hands each to visit. It returns the head that the
// first entry follows, and the checkpoint that the ledger has of it, without the name of the file: one archive continues another if its Previous is the SHA256 of that.
func ReadArchive(file io.Reader, visit func(book.Item) error) (after book.Head, c book.Checkpoint, err error) {
	sum := sha256.New()
	lines := bufio.NewScanner(io.TeeReader(file, sum))
	lines.Buffer(make([]byte, 64<<10), maxArchiveLineBytes)
	r := &archiveReader{visit: visit}
	for n := 1; lines.Scan(); n++ {
		r.checkpoint.Bytes += int64(len(lines.Bytes())) + 1
		if err := r.line(lines.Bytes()); err != nil {
			return after, c, fmt.Errorf("read archive: line %d: %w", n, err)
		}
	}
	if err := lines.Err(); err != nil {
		return after, c, fmt.Errorf("read archive: %w", err)
	}
	if !r.ended {
		return after, c, fmt.Errorf("read archive: it ends too early: %w", book.ErrBroken)
	}
	r.checkpoint.SHA256 = hex.EncodeToString(sum.Sum(nil))

	return r.after, r.checkpoint, nil
}

// archiveReader takes lines.
type archiveReader struct {
	visit      func(book.Item) error
	after      book.Head
	replay     *book.Replay
	checkpoint book.Checkpoint
	// usage is the entry whose record must follow.
	usage *book.Entry
	ended bool
}

func (r *archiveReader) line(line []byte) error {
	if len(line) < 2 || line[1] != ' ' || r.ended {
		return fmt.Errorf("it is no line of an archive: %w", book.ErrBroken)
	}
	kind, data := line[0], line[2:]
	switch {
	case kind == 'A' && r.replay == nil:
		return r.header(data)
	case kind == 'E' && r.replay != nil && r.usage == nil:
		return r.entry(data)
	case kind == 'R' && r.usage != nil:
		return r.record(data)
	case kind == 'Z' && r.replay != nil && r.usage == nil:
		return r.end(data)
	default:
		return fmt.Errorf("a line %q does not belong here: %w", kind, book.ErrBroken)
	}
}

func (r *archiveReader) header(data []byte) error {
	var h archiveHeader
	if err := json.Unmarshal(data, &h); err != nil {
		return fmt.Errorf("decode header: %w: %w", book.ErrBroken, err)
	}
	if h.Format != archiveFormat {
		return fmt.Errorf("the format is %q: %w", h.Format, book.ErrNewer)
	}
	r.checkpoint.Tenant, r.checkpoint.Previous = h.Tenant, h.Previous
	r.after, r.replay = h.Head, book.NewReplay(h.Head)

	return nil
}

func (r *archiveReader) entry(data []byte) error {
	e, err := r.replay.Next(data)
	if err != nil {
		return err
	}
	r.checkpoint.Entries++
	if e.Type == book.TypeUsage {
		r.usage = &e
		return nil
	}

	return r.visit(book.Item{Entry: e})
}

func (r *archiveReader) record(data []byte) error {
	record, err := book.DecodeRecord(data)
	if err != nil {
		return err
	}
	e := *r.usage
	if _, err := record.Proves(e); err != nil {
		return err
	}
	r.usage, r.checkpoint.Period = nil, record.Period

	return r.visit(book.Item{Entry: e, Record: &record})
}

func (r *archiveReader) end(data []byte) error {
	var z archiveEnd
	if err := json.Unmarshal(data, &z); err != nil {
		return fmt.Errorf("decode end: %w: %w", book.ErrBroken, err)
	}
	head := r.replay.Head()
	if z.Entries != r.checkpoint.Entries || !bytes.Equal(z.Head.Encode(), head.Encode()) {
		return fmt.Errorf("the entries do not amount to what the end says: %w", book.ErrBroken)
	}
	if seen := r.checkpoint.Period; seen != (book.Period{}) && seen != z.Period {
		return fmt.Errorf("the last period is %s and not %s: %w", seen, z.Period, book.ErrBroken)
	}
	r.checkpoint.Head, r.checkpoint.Period, r.ended = head, z.Period, true

	return nil
}

var _ KV = (*clientv3.Client)(nil)
