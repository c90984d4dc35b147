package metering

import (
	"testing"
	"time"
)

// TestFaultStopChargedAgain: platforms of this kind charged all use since the creation once more when a container was
// stopped, again when it was deleted, and anew with every message that told of it. A task that has ended is shown here for two
// hours, to one process after the other, and costs what it ran.
func TestFaultStopChargedAgain(t *testing.T) {
	ran := span{time.Minute, 11 * time.Minute}
	r := newRun(&world{nodes: []string{"n1"}, tasks: []life{
		{id: "a", node: "n1", tenant: "acme", running: ran, forgotten: 2 * time.Hour},
	}})
	for part := range 4 {
		from := time.Duration(part) * 40 * time.Minute
		if err := r.ticks(t, from, from+35*time.Minute); err != nil {
			t.Fatal(err)
		}
		if got, want := r.store.seconds()["a"], int64((ran.to-ran.from)/time.Second); got != want {
			t.Errorf("after %s it was charged for %d s, want %d", r.now, got, want)
		}
		r.elect()
	}
}
