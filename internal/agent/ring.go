package agent

import (
	"bytes"
	"compress/gzip"
	"context"
	"encoding/json"
	"fmt"
	"sync"
	"time"

	"github.com/dogker/dogker/reconciler/telemetry"
)

const (
	// ringBytes bounds what is kept, compressed: two hours of about 200 containers, and less time of more of them.
	ringBytes = 12 << 20
	// chunkBytes bounds what one answer holds, compressed. Who is further behind asks again.
	chunkBytes = 1 << 20
)

// Ring keeps the reports of an agent for servers that were away. It keeps them compressed, as they are sent. It is safe for
// concurrent use.
type Ring struct {
	// limit and chunk are ringBytes and chunkBytes.
	limit, chunk int

	mu      sync.Mutex
	entries []entry
	size    int
	// news is closed when there is another report.
	news chan struct{}

	// packing is for who adds.
	packing sync.Mutex
	packed  bytes.Buffer
	gzip    *gzip.Writer
}

// entry is one report: a line of JSON, compressed so that entries in a row are a compressed file, too.
type entry struct {
	round int64
	ended time.Time
	data  []byte
}

// NewRing returns an empty ring.
func NewRing() *Ring {
	r := &Ring{limit: ringBytes, chunk: chunkBytes, news: make(chan struct{})}
	r.gzip, _ = gzip.NewWriterLevel(&r.packed, gzip.BestSpeed) // Only a level that there is not is an error.

	return r
}

// Add keeps a report, and tells those who wait. What is older than telemetry.Kept goes, and so does the oldest while there
// is too much.
func (r *Ring) Add(report telemetry.Report) error {
	data, err := r.pack(report)
	if err != nil {
		return err
	}

	r.mu.Lock()
	defer r.mu.Unlock()

	r.entries = append(r.entries, entry{round: report.Round, ended: report.Ended, data: data})
	r.size += len(data)

	gone := 0
	for ; gone < len(r.entries)-1; gone++ {
		if e := r.entries[gone]; r.size <= r.limit && report.Ended.Sub(e.ended) <= telemetry.Kept {
			break
		}
		r.size -= len(r.entries[gone].data)
		r.entries[gone] = entry{}
	}
	r.entries = r.entries[gone:]

	close(r.news)
	r.news = make(chan struct{})

	return nil
}

func (r *Ring) pack(report telemetry.Report) ([]byte, error) {
	r.packing.Lock()
	defer r.packing.Unlock()

	r.packed.Reset()
	r.gzip.Reset(&r.packed)

	err := json.NewEncoder(r.gzip).Encode(report)
	if err == nil {
		err = r.gzip.Close()
	}
	if err != nil {
		return nil, fmt.Errorf("pack report %d: %w", report.Round, err)
	}

	return bytes.Clone(r.packed.Bytes()), nil
}

// Last is the round of the last report; 0 for none.
func (r *Ring) Last() int64 {
	r.mu.Lock()
	defer r.mu.Unlock()

	return r.last()
}

func (r *Ring) last() int64 {
	if len(r.entries) == 0 {
		return 0
	}

	return r.entries[len(r.entries)-1].round
}

// After is what follows a round, oldest first, at most so much as fits one answer: compressed files in a row. It waits for
// the next report when there is nothing, until the context ends; then it returns nothing.
func (r *Ring) After(ctx context.Context, round int64) [][]byte {
	for {
		found, news := r.after(round)
		if len(found) > 0 {
			return found
		}

		select {
		case <-ctx.Done():
			return nil
		case <-news:
		}
	}
}

func (r *Ring) after(round int64) (found [][]byte, news <-chan struct{}) {
	r.mu.Lock()
	defer r.mu.Unlock()

	size := 0
	for _, e := range r.entries {
		if e.round <= round {
			continue
		}
		if size += len(e.data); len(found) > 0 && size > r.chunk {
			break
		}
		found = append(found, e.data)
	}

	return found, r.news
}
