//go:build e2e

package e2e

import (
	"fmt"
	"testing"
	"time"
)

// glance is how often a test looks again at what it waits for. It looks more often at first, so that what comes soon is
// measured well.
const glance = 50 * time.Millisecond

// await looks until there is nothing wrong any more, and returns how long that took. It ends the test with the last
// thing that was wrong when time is up.
func await(t *testing.T, within time.Duration, what string, look func() error) time.Duration {
	t.Helper()

	took, err := poll(within, look)
	if err != nil {
		t.Fatalf("%s: not within %v: %v", what, within, err)
	}

	return took
}

func poll(within time.Duration, look func() error) (time.Duration, error) {
	start := time.Now()
	for {
		err := look()
		took := time.Since(start)
		if err == nil || took > within {
			return took, err
		}
		time.Sleep(min(glance, max(took/10, 2*time.Millisecond)))
	}
}

// stays looks for as long as it is told and ends the test at the first thing that is wrong.
func stays(t *testing.T, during time.Duration, what string, look func() error) {
	t.Helper()

	for end := time.Now().Add(during); time.Now().Before(end); time.Sleep(4 * glance) {
		if err := look(); err != nil {
			t.Fatalf("%s: %v", what, err)
		}
	}
}

// wantf is an error when got is not want.
func wantf[T comparable](got, want T, format string, args ...any) error {
	if got == want {
		return nil
	}

	return fmt.Errorf("%s: got %v, want %v", fmt.Sprintf(format, args...), got, want)
}
