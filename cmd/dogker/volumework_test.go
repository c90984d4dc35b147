package main

import (
	"context"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

// TestOutlasting wants connections to nodes to be there until containers that were frozen run again, and not for ever.
func TestOutlasting(t *testing.T) {
	for name, c := range map[string]struct{ settles, want time.Duration }{
		"AtOnce":    {0, 0},
		"SoonAfter": {time.Second, time.Second},
		"Never":     {time.Hour, letGo},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var settled atomic.Bool
				ctx, cancel := context.WithCancel(t.Context())
				lasting := outlasting(ctx, settled.Load, letGo)
				time.Sleep(time.Minute)
				if lasting.Err() != nil {
					t.Fatal("it has ended before the other one")
				}

				began := time.Now()
				time.AfterFunc(c.settles, func() { settled.Store(true) })
				synctest.Wait()
				cancel()
				<-lasting.Done()
				if took := time.Since(began); took < c.want || took > c.want+100*time.Millisecond {
					t.Errorf("it has ended %v after the other one, want %v", took, c.want)
				}
			})
		})
	}
}
