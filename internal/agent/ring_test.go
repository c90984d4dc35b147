package agent

import (
	"bytes"
	"compress/gzip"
	"context"
	"encoding/json"
	"errors"
	"io"
	"math/rand/v2"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/dogker/dogker/reconciler/telemetry"
)

// rounds reads compressed files in a row as one.
func rounds(t *testing.T, files [][]byte) []int64 {
	t.Helper()

	if len(files) == 0 {
		return nil
	}
	plain, err := gzip.NewReader(bytes.NewReader(bytes.Join(files, nil)))
	if err != nil {
		t.Fatal(err)
	}
	var all []int64
	for d := json.NewDecoder(plain); ; {
		var r telemetry.Report
		if err := d.Decode(&r); errors.Is(err, io.EOF) {
			return all
		} else if err != nil {
			t.Fatal(err)
		}
		all = append(all, r.Round)
	}
}

func add(t *testing.T, r *Ring, report telemetry.Report) {
	t.Helper()

	if err := r.Add(report); err != nil {
		t.Fatal(err)
	}
}

func TestRingAfter(t *testing.T) {
	r := NewRing()
	now := time.Now()
	for i := range int64(5) {
		add(t, r, telemetry.Report{Round: i + 1, Ended: now.Add(time.Duration(i) * telemetry.Interval)})
	}

	for after, want := range map[int64][]int64{0: {1, 2, 3, 4, 5}, 3: {4, 5}} {
		if diff := cmp.Diff(want, rounds(t, r.After(t.Context(), after))); diff != "" {
			t.Errorf("after %d (-want +got):\n%s", after, diff)
		}
	}
	if r.Last() != 5 {
		t.Errorf("last: got %d, want 5", r.Last())
	}
}

func TestRingWaits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := NewRing()
		got := make(chan [][]byte, 2)
		for range 2 {
			go func() { got <- r.After(t.Context(), 1) }()
		}
		synctest.Wait()
		add(t, r, telemetry.Report{Round: 1})
		synctest.Wait()
		if len(got) != 0 {
			t.Fatal("what is known already is no news")
		}
		add(t, r, telemetry.Report{Round: 2})
		for range 2 {
			if diff := cmp.Diff([]int64{2}, rounds(t, <-got)); diff != "" {
				t.Errorf("each of two servers (-want +got):\n%s", diff)
			}
		}

		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if found := r.After(ctx, 2); found != nil {
			t.Errorf("got %d reports at the end of patience, want none", len(found))
		}
	})
}

func TestRingForgets(t *testing.T) {
	r := NewRing()
	now := time.Now()
	const all = 600 // Two and a half hours.
	for i := range int64(all) {
		add(t, r, telemetry.Report{Round: i + 1, Ended: now.Add(time.Duration(i) * telemetry.Interval)})
	}

	kept := rounds(t, r.After(t.Context(), 0))
	if want := int64(telemetry.Kept/telemetry.Interval) + 1; int64(len(kept)) != want || kept[0] != all-want+1 {
		t.Errorf("got %d reports from round %d on, want those of %v: %d", len(kept), kept[0], telemetry.Kept, want)
	}
}

// TestRingIsBounded: reports of very many containers are kept for less time, and fetched in parts.
func TestRingIsBounded(t *testing.T) {
	r := NewRing()
	r.limit, r.chunk = r.limit>>10, r.chunk>>10
	// Noise that can hardly be compressed.
	noise := make([]byte, 600)
	for i := range noise {
		noise[i] = byte('!' + rand.IntN(90))
	}
	large := telemetry.Report{Agent: string(noise)}
	const all = 40
	for i := range int64(all) {
		large.Round = i + 1
		add(t, r, large)
	}

	if r.size > r.limit || r.size < r.limit/2 {
		t.Errorf("the ring holds %d bytes, want at most %d and not much less", r.size, r.limit)
	}
	after, answers := int64(0), 0
	for after < all {
		found := r.After(t.Context(), after)
		if size := len(bytes.Join(found, nil)); size > r.chunk {
			t.Fatalf("one answer holds %d bytes, want at most %d", size, r.chunk)
		}
		got := rounds(t, found)
		if answers > 0 && got[0] != after+1 {
			t.Fatalf("after %d came %d", after, got[0])
		}
		after = got[len(got)-1]
		answers++
	}
	if answers < 5 {
		t.Errorf("got everything in %d answers, want parts", answers)
	}
}
