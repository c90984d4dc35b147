package outbox

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/client_golang/prometheus/testutil"

	"github.com/dogker/dogker/reconciler/alert"
)

var (
	chat    = alert.ReceiverRef{Namespace: "acme", Name: "chat"}
	errBoom = errors.New("boom")
)

// TestDown: an endpoint that is down for an hour is asked a few times, by one for all, and gets all of it when it is back, once.
func TestDown(t *testing.T) {
	h := newHouse(t, Limits{})
	h.answer = func(string, string) error { return Failed(ErrUnreachable, "It is down.", errBoom) }
	for _, id := range ids("n", 20) {
		h.put(note("acme", id))
	}
	if got := h.after(0); len(got) > maxPerTenant {
		t.Errorf("at first it was asked %d times: %v", len(got), got)
	}
	tries := 0
	for range 60 {
		tries += len(h.after(time.Minute))
	}
	if tries < 3 || tries > 20 {
		t.Errorf("it was asked %d times in an hour", tries)
	}
	if age := testutil.ToFloat64(h.queue.metrics.oldest); age < 3600 || testutil.ToFloat64(h.queue.metrics.waiting) != 20 {
		t.Errorf("the oldest of %v is shown to be %v s old", testutil.ToFloat64(h.queue.metrics.waiting), age)
	}
	s := h.State(chat)
	if s.Reason != ReasonUnreachable || s.Message != "It is down." || s.Waiting != 20 || !s.Delivered.IsZero() {
		t.Errorf("state: %+v", s)
	}

	h.answer = nil
	got := h.after(2 * maxPause)
	slices.Sort(got)
	var want []string
	for _, id := range ids("n", 20) {
		want = append(want, "acme "+id)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("when it is back (-want +got):\n%s", diff)
	}
	if s := h.State(chat); s.Waiting != 0 || !s.Delivered.After(s.Failed) {
		t.Errorf("state: %+v", s)
	}
}

// TestFanOut: each target of a notice gets it once, whatever becomes of the others.
func TestFanOut(t *testing.T) {
	h := newHouse(t, Limits{})
	h.route = func(alert.Notification) (Route, error) {
		return Route{Targets: []Target{h.target("good"), h.target("down"), h.target("refuses"), h.target("gone")}}, nil
	}
	h.answer = func(target, _ string) error {
		return map[string]error{"down": ErrUnreachable, "refuses": ErrRefused, "gone": ErrFinal}[target]
	}
	h.put(note("acme", "a"))
	got := h.after(0)
	slices.Sort(got)
	if diff := cmp.Diff([]string{"down a", "gone a", "good a", "refuses a"}, got); diff != "" {
		t.Fatalf("at first (-want +got):\n%s", diff)
	}
	h.answer = nil
	got = h.after(time.Hour)
	slices.Sort(got)
	if diff := cmp.Diff([]string{"down a", "refuses a"}, got); diff != "" {
		t.Errorf("later (-want +got):\n%s", diff)
	}
	if h.count() != 0 {
		t.Error("it still waits")
	}
}

// TestRefused: what is refused waits alone for about two hours, and is given up then; what is not taken now, for a week.
func TestRefused(t *testing.T) {
	h := newHouse(t, Limits{})
	h.answer = func(_, id string) error {
		return map[string]error{"refused": ErrRefused, "later": ErrLater, "never": Failed(ErrFinal, "No such address.", errBoom)}[id]
	}
	h.put(note("acme", "refused"), note("acme", "later"), note("acme", "never"), note("acme", "good"))
	if got := h.after(0); len(got) != 4 {
		t.Fatalf("at first: %v", got)
	}
	if s := h.State(chat); s.Waiting != 2 {
		t.Errorf("state: %+v", s)
	}
	tries, given := map[string]int{}, time.Duration(0)
	for at := time.Duration(0); at < stale+time.Hour; at += 10 * time.Minute {
		for _, s := range h.after(10 * time.Minute) {
			tries[strings.TrimPrefix(s, "acme ")]++
		}
		if given == 0 && h.counted(outcomeGivenUp) == 2 {
			given = at
		}
	}
	if tries["refused"] != maxRefusals-1 || tries["later"] < 500 || tries["never"]+tries["good"] != 0 {
		t.Errorf("tries: %v", tries)
	}
	if given < time.Hour || given > 4*time.Hour {
		t.Errorf("what is refused is given up after %s", given)
	}
	if h.counted(outcomeGivenUp) != 3 || h.count() != 0 {
		t.Errorf("%v are given up, %d wait", h.counted(outcomeGivenUp), h.count())
	}
	if s := h.State(chat); s.Reason != ReasonGivenUp {
		t.Errorf("state: %+v", s)
	}
}

// TestTenantsTakeTurns: who has one notice does not wait for all that another has, and an endpoint that hangs holds up its own.
func TestTenantsTakeTurns(t *testing.T) {
	h := newHouse(t, Limits{})
	release := make(chan struct{})
	h.answer = func(target, _ string) error {
		if target == "noisy" {
			<-release
		}
		return nil
	}
	for _, id := range ids("n", 100) {
		h.put(note("noisy", id))
	}
	h.put(note("acme", "a"), note("zoo", "a"))
	for deadline := time.Now().Add(10 * time.Second); ; time.Sleep(5 * time.Millisecond) {
		h.pass(t.Context(), h.group)
		h.mu.Lock()
		sent := slices.Clone(h.sent)
		h.mu.Unlock()
		if slices.Contains(sent, "acme a") && slices.Contains(sent, "zoo a") {
			if n := len(sent) - 2; n > maxPerTenant {
				t.Errorf("%d are on their way to one who answers nothing", n)
			}
			break
		}
		if time.Now().After(deadline) {
			t.Fatalf("the others wait; sent were %v", sent)
		}
	}
	close(release)
	h.after(0)
	if h.count() != 0 {
		t.Errorf("%d wait", h.count())
	}
}

// TestKilled: a server that dies between the delivery and its record has its successor deliver it again, under the same ID,
// and nothing else.
func TestKilled(t *testing.T) {
	h := newHouse(t, Limits{})
	h.route = func(alert.Notification) (Route, error) {
		return Route{Targets: []Target{h.target("first"), h.target("second")}}, nil
	}
	h.put(note("acme", "a"))
	h.known()
	// It has delivered to both and recorded the first when it dies.
	r := h.waiting[waitKey("acme", "a")]
	saved := r.with("first", attempt{Tries: 1, Outcome: outcomeDelivered})
	if found, err := h.queue.save(t.Context(), saved, false, alert.DeliveryState{Delivered: start}); !found || err != nil {
		t.Fatal(found, err)
	}
	h.stop()
	h.lead()
	if diff := cmp.Diff([]string{"second a"}, h.after(time.Minute)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if s := h.State(chat); s.Delivered.IsZero() {
		t.Errorf("the new leader does not know how delivery stood: %+v", s)
	}
}

// TestTwoLeaders: a leader that was replaced and does not know writes nothing over what its successor has written.
func TestTwoLeaders(t *testing.T) {
	h := newHouse(t, Limits{})
	h.put(note("acme", "a"))
	h.known()
	old := h.waiting[waitKey("acme", "a")]
	h.after(0)
	found, err := h.queue.save(t.Context(), old.with("acme", attempt{Tries: 1}), false, alert.DeliveryState{})
	if found || err != nil || h.count() != 0 {
		t.Errorf("found %t, %v; %d wait", found, err, h.count())
	}
}

// TestNobody: what nobody is told of leaves at once, and so does what was for a Receiver that is gone. What is not known waits.
func TestNobody(t *testing.T) {
	h := newHouse(t, Limits{})
	h.route = func(n alert.Notification) (Route, error) {
		switch n.ID {
		case "gone":
			return Route{}, ErrGone
		case "unknown":
			return Route{}, errBoom
		default:
			return Route{}, nil
		}
	}
	for _, id := range []string{"gone", "nobody", "unknown"} {
		n := note("acme", id)
		n.Receiver.Name = id
		h.put(n)
	}
	h.after(0)
	if diff := cmp.Diff([]string{"unknown"}, h.left("acme")); diff != "" {
		t.Errorf("what waits (-want +got):\n%s", diff)
	}
	h.route = nil
	if got := h.after(time.Hour); len(got) != 1 {
		t.Errorf("sent %v", got)
	}
}

// TestRateLimit: what is over the limit of a Receiver waits for the next hour, and is not lost.
func TestRateLimit(t *testing.T) {
	h := newHouse(t, Limits{})
	h.route = func(n alert.Notification) (Route, error) {
		return Route{Targets: []Target{h.target("acme")}, PerHour: 10}, nil
	}
	for _, id := range ids("n", 25) {
		h.put(note("acme", id))
	}
	if got := h.after(0); len(got) != 10 {
		t.Errorf("at first %d are sent", len(got))
	}
	if got := h.after(30 * time.Minute); len(got) != 5 {
		t.Errorf("after half an hour %d are sent", len(got))
	}
	if got := h.after(time.Hour); len(got) != 10 || h.count() != 0 {
		t.Errorf("then %d are sent, %d wait", len(got), h.count())
	}
}

// TestPanic: a notice that breaks a target is refused, and everything else goes on.
func TestPanic(t *testing.T) {
	h := newHouse(t, Limits{})
	h.answer = func(_, id string) error {
		if id == "bad" {
			panic("boom")
		}
		return nil
	}
	h.put(note("acme", "bad"), note("acme", "good"))
	if got := h.after(0); len(got) != 2 || h.counted(outcomeRefused) != 1 || h.counted(outcomeDelivered) != 1 {
		t.Errorf("sent %v, %v are refused", got, h.counted(outcomeRefused))
	}
}

// TestStart: what is put in while it runs is delivered at once, and it ends with its context.
func TestStart(t *testing.T) {
	h := newHouse(t, Limits{})
	h.stop()
	ctx, cancel := context.WithCancel(t.Context())
	d := New(Options{Queue: h.queue, Directory: h})
	ended := make(chan error, 1)
	go func() { ended <- d.Start(ctx) }()
	for i := range 3 {
		h.put(note("acme", fmt.Sprint(i)))
		for deadline := time.Now().Add(10 * time.Second); h.count() > 0; time.Sleep(5 * time.Millisecond) {
			if time.Now().After(deadline) {
				t.Fatal("it is not delivered")
			}
		}
	}
	cancel()
	if err := <-ended; err != nil {
		t.Error(err)
	}
	h.stop = func() {}
}
