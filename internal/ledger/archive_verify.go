package ledger

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"slices"

	"github.com/dogker/dogker/reconciler/book"
)

// ArchiveReport is what an archive was found to be.
type ArchiveReport struct {
	// File is how it was named.
	File string
	// Checkpoint is what the ledger has of it, without the name; only of one that could be read.
	Checkpoint book.Checkpoint
	// Record is what the Checkpoint entry of the ledger has for it, in hexadecimal, if the file still has its name.
	Record string
	// First is the number of its first entry, and Gap true when the archive that it continues is not among those that were read.
	First int64
	Gap   bool
	// Err is why it does not hold, which is book.ErrBroken, or why it could not be read.
	Err error

	// after is the head that it continues.
	after book.Head
}

// VerifyArchives reads archives, replays each by itself, and holds those of a tenant against each other: one goes on where the one before
// it ended, and names its hash. They come back by tenant and number, those that do not hold by themselves first. That the last one is the
// last that was written only the ledger knows, which has Record in its last Checkpoint entry.
func VerifyArchives(files []string, open func(file string) (io.ReadCloser, error)) []ArchiveReport {
	out := make([]ArchiveReport, 0, len(files))
	for _, file := range files {
		out = append(out, reportOf(file, open))
	}
	slices.SortStableFunc(out, func(a, b ArchiveReport) int {
		return cmp.Or(cmp.Compare(a.Checkpoint.Tenant, b.Checkpoint.Tenant), cmp.Compare(a.First, b.First))
	})

	var last *ArchiveReport
	for i := range out {
		r := &out[i]
		if r.Err != nil {
			continue
		}
		if last != nil && last.Checkpoint.Tenant != r.Checkpoint.Tenant {
			last = nil
		}
		r.continues(last)
		if last == nil || r.First > last.Checkpoint.Head.Seq {
			last = r
		}
	}

	return out
}

func reportOf(file string, open func(string) (io.ReadCloser, error)) ArchiveReport {
	report := ArchiveReport{File: file}
	content, err := open(file)
	if err != nil {
		report.Err = err
		return report
	}
	after, c, err := ReadArchive(content, func(book.Item) error { return nil })
	if report.Err = errors.Join(err, content.Close()); report.Err == nil {
		report.Checkpoint, report.First, report.after = c, after.Seq+1, after
		c.File = filepath.Base(file)
		report.Record = c.Digest()
	}

	return report
}

// continues holds an archive against the one before it; nil when there is none of that tenant.
func (r *ArchiveReport) continues(last *ArchiveReport) {
	c := &r.Checkpoint
	switch {
	case last != nil && last.Checkpoint.SHA256 == c.SHA256:
		// A copy of it.
	case r.First == 1 && (c.Previous != "" || !bytes.Equal(r.after.Encode(), book.NewHead(c.Tenant).Encode())):
		r.Err = fmt.Errorf("it does not begin with an empty ledger: %w", book.ErrBroken)
	case last == nil && r.First == 1:
	case last == nil, last.Checkpoint.Head.Seq+1 < r.First:
		r.Gap = true
	case last.Checkpoint.Head.Seq+1 > r.First:
		r.Err = fmt.Errorf("entry %d is in %q, too: %w", r.First, last.File, book.ErrBroken)
	case c.Previous != last.Checkpoint.SHA256:
		r.Err = fmt.Errorf("it continues an archive with the hash %s, and that of %q is %s: %w", c.Previous, last.File, last.Checkpoint.SHA256, book.ErrBroken)
	case !bytes.Equal(r.after.Encode(), last.Checkpoint.Head.Encode()):
		r.Err = fmt.Errorf("it does not begin with what %q ends with: %w", last.File, book.ErrBroken)
	}
}
