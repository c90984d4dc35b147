package job_test

import (
	"context"
	"testing"
	"testing/synctest"

	"k8s.io/apimachinery/pkg/types"

	"github.com/dogker/dogker/reconciler/job"
)

var key = types.NamespacedName{Namespace: "acme", Name: "site"}

// returns is a job that ends at once.
func returns(v string) func(context.Context) string { return func(context.Context) string { return v } }

// lasts is a job that ends when it is cancelled, and says so to nobody.
func lasts(ctx context.Context) string {
	<-ctx.Done()

	return "cancelled"
}

func TestBook(t *testing.T) {
	for name, c := range map[string]struct {
		do      func(*job.Book[string])
		want    string
		ended   bool
		running bool
		wakes   int
		reason  string
	}{
		"nothing was started": {
			do:     func(*job.Book[string]) {},
			reason: "a book is empty after a restart",
		},
		"ended": {
			do:   func(b *job.Book[string]) { b.Start(key, returns("built")) },
			want: "built", ended: true, wakes: 1,
			reason: "what it came to is told",
		},
		"under way": {
			do:      func(b *job.Book[string]) { b.Start(key, lasts) },
			running: true,
			reason:  "who asks is not kept waiting",
		},
		"cancelled": {
			do:     func(b *job.Book[string]) { b.Start(key, lasts); b.Cancel(key) },
			reason: "what nobody wants to know wakes nobody",
		},
		"cancelled after it ended": {
			do:     func(b *job.Book[string]) { b.Start(key, returns("built")); synctest.Wait(); b.Cancel(key) },
			wakes:  1,
			reason: "what it came to is forgotten, though its wake is on its way",
		},
		"replaced": {
			do:   func(b *job.Book[string]) { b.Start(key, lasts); b.Start(key, returns("second")) },
			want: "second", ended: true, wakes: 1,
			reason: "the first one's end is for nobody",
		},
		"another object's": {
			do: func(b *job.Book[string]) {
				b.Start(types.NamespacedName{Namespace: "globex", Name: "site"}, returns("theirs"))
			},
			wakes:  1,
			reason: "jobs of objects have nothing to do with each other",
		},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				wakes := make(chan job.Wake, 8)
				b := job.NewBook[string](wakes)
				defer b.Stop()

				c.do(b)
				synctest.Wait()

				got, ended := b.Take(key)
				if got != c.want || ended != c.ended {
					t.Errorf("Take = %q, %v; want %q, %v: %s", got, ended, c.want, c.ended, c.reason)
				}
				if _, again := b.Take(key); again {
					t.Error("an end was told twice")
				}
				if got := b.Running(key); got != c.running {
					t.Errorf("Running = %v, want %v: %s", got, c.running, c.reason)
				}
				if got := len(wakes); got != c.wakes {
					t.Errorf("%d wakes, want %d: %s", got, c.wakes, c.reason)
				}
			})
		})
	}
}

// TestStopWaits holds a book to its promise that no job goes on after Stop.
func TestStopWaits(t *testing.T) {
	b := job.NewBook[string](nil)
	ended := false
	b.Start(key, func(ctx context.Context) string {
		<-ctx.Done()
		ended = true

		return ""
	})
	b.Stop()
	if !ended {
		t.Error("Stop returned while a job went on")
	}
}
