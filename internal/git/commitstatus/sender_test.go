package commitstatus

import (
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/client_golang/prometheus/testutil"
	"k8s.io/apimachinery/pkg/types"

	"github.com/dogker/dogker/reconciler/gitsync"
)

// try is a try that was made.
type try struct {
	At    time.Duration
	State string
}

// mailbox takes states in place of a server.
type mailbox struct {
	mu    sync.Mutex
	begun time.Time
	// posts of each sync, by the sync's context; errs are what the next tries of it fail with, takes how long each takes.
	posts  map[string][]try
	errs   map[string][]error
	takes  map[string]time.Duration
	failed []string
	// inside counts the tries that are being made, and most was the most of them, by tenant and in all.
	inside, most map[string]int
}

func (m *mailbox) post(ctx context.Context, s gitsync.CommitState) error {
	tenant, _, _ := strings.Cut(s.Context, "/")

	m.mu.Lock()
	m.posts[s.Context] = append(m.posts[s.Context], try{time.Since(m.begun), s.State + s.Description})

	var err error
	if errs := m.errs[s.Context]; len(errs) > 0 {
		err, m.errs[s.Context] = errs[0], errs[1:]
	}

	for _, of := range []string{tenant, ""} {
		m.inside[of]++
		m.most[of] = max(m.most[of], m.inside[of])
	}

	takes := m.takes[s.Context]
	m.mu.Unlock()

	defer func() {
		m.mu.Lock()
		defer m.mu.Unlock()

		m.inside[tenant]--
		m.inside[""]--
	}()

	select {
	case <-time.After(takes):
		return err
	case <-ctx.Done():
		return ctx.Err()
	}
}

// of are the tries that were made for a sync.
func (m *mailbox) of(name string) []try {
	m.mu.Lock()
	defer m.mu.Unlock()

	return slices.Clone(m.posts[name])
}

// slow has tries for a sync take so long, and fail has the next ones fail.
func (m *mailbox) slow(name string, takes time.Duration) {
	m.mu.Lock()
	defer m.mu.Unlock()

	m.takes[name] = takes
}

func (m *mailbox) fail(name string, errs ...error) {
	m.mu.Lock()
	defer m.mu.Unlock()

	m.errs[name] = errs
}

// refused is what was told of states that will not be sent.
func (m *mailbox) refused() []string {
	m.mu.Lock()
	defer m.mu.Unlock()

	return slices.Clone(m.failed)
}

// atMost is how many tries were made at once.
func (m *mailbox) atMost() map[string]int {
	m.mu.Lock()
	defer m.mu.Unlock()

	return maps.Clone(m.most)
}

// inBubble runs a Sender under fake time.
func inBubble(t *testing.T, f func(s *Sender, m *mailbox)) {
	t.Helper()

	var logged bytes.Buffer

	synctest.Test(t, func(t *testing.T) {
		m := &mailbox{
			begun: time.Now(), posts: map[string][]try{}, errs: map[string][]error{}, takes: map[string]time.Duration{},
			inside: map[string]int{}, most: map[string]int{},
		}

		s, err := New(Options{
			Log: slog.New(slog.NewTextHandler(&logged, nil)),
			Failed: func(key types.NamespacedName, why string) {
				m.mu.Lock()
				defer m.mu.Unlock()

				m.failed = append(m.failed, key.String()+": "+why)
			},
		})
		if err != nil {
			t.Fatal(err)
		}

		s.post = m.post

		ctx, cancel := context.WithCancel(context.Background())
		done := make(chan struct{})

		go func() {
			defer close(done)

			_ = s.Run(ctx)
		}()

		f(s, m)
		cancel()
		<-done
	})

	if strings.Contains(logged.String(), token) {
		t.Errorf("the token is logged:\n%s", logged.String())
	}
}

// tell says something of a commit of a sync, TENANT/NAME.
func tell(s *Sender, name, state string, edits ...func(*gitsync.CommitState)) {
	tenant, short, _ := strings.Cut(name, "/")
	said := gitsync.CommitState{Provider: "github", Context: name, Commit: commit, State: state, Token: token}

	for _, edit := range edits {
		edit(&said)
	}

	s.Tell(types.NamespacedName{Namespace: tenant, Name: short}, said)
}

// pass lets time pass, and all that happens then.
func pass(d time.Duration) {
	time.Sleep(d)
	synctest.Wait()
}

const web = "acme/web"

func TestSentAtOnceAndOnce(t *testing.T) {
	inBubble(t, func(s *Sender, m *mailbox) {
		for range 3 {
			tell(s, web, gitsync.CommitPending)
			pass(time.Minute)
		}

		tell(s, web, gitsync.CommitSuccess)
		pass(time.Hour)
		tell(s, web, gitsync.CommitSuccess)
		pass(time.Hour)

		want := []try{{0, gitsync.CommitPending}, {3 * time.Minute, gitsync.CommitSuccess}}
		if diff := cmp.Diff(want, m.of(web)); diff != "" || len(s.jobs) != 0 {
			t.Errorf("%d are left\n%s", len(s.jobs), diff)
		}

		if got := testutil.ToFloat64(s.tries.WithLabelValues("github", "sent")); got != 2 {
			t.Errorf("%v were counted", got)
		}
	})
}

// TestSaidAgain: whatever makes a difference to the server or to people is said again.
func TestSaidAgain(t *testing.T) {
	for name, edit := range map[string]func(*gitsync.CommitState){
		"Description": func(s *gitsync.CommitState) { s.Description = "another reason" },
		"Commit":      func(s *gitsync.CommitState) { s.Commit = strings.Repeat("0", 40) },
		"Token":       func(s *gitsync.CommitState) { s.Token = "a new one" },
		"Address":     func(s *gitsync.CommitState) { s.Address = "https://elsewhere.test" },
		"Repository":  func(s *gitsync.CommitState) { s.RepositoryURL = "https://git.test/acme/other" },
	} {
		inBubble(t, func(s *Sender, m *mailbox) {
			tell(s, web, gitsync.CommitFailure)
			synctest.Wait()
			tell(s, web, gitsync.CommitFailure, edit)
			synctest.Wait()

			if len(m.of(web)) != 2 {
				t.Errorf("%s: it was said %d times", name, len(m.of(web)))
			}
		})
	}
}

// TestNewestWins: what was overtaken before it could be sent is not sent.
func TestNewestWins(t *testing.T) {
	inBubble(t, func(s *Sender, m *mailbox) {
		m.slow(web, 10*time.Second)

		tell(s, web, gitsync.CommitPending)
		pass(time.Second)
		tell(s, web, gitsync.CommitFailure)
		tell(s, web, gitsync.CommitSuccess)
		pass(time.Hour)

		want := []try{{0, gitsync.CommitPending}, {10*time.Second + apart, gitsync.CommitSuccess}}
		if diff := cmp.Diff(want, m.of(web)); diff != "" {
			t.Error(diff)
		}
	})
}

// TestBackAgain: what the server heard last is what was told last, also when that is what it heard before.
func TestBackAgain(t *testing.T) {
	inBubble(t, func(s *Sender, m *mailbox) {
		tell(s, web, gitsync.CommitSuccess)
		synctest.Wait()

		m.slow(web, 10*time.Second)

		tell(s, web, gitsync.CommitFailure)
		pass(time.Second)
		tell(s, web, gitsync.CommitSuccess)
		pass(time.Hour)

		var said []string
		for _, p := range m.of(web) {
			said = append(said, p.State)
		}

		if diff := cmp.Diff([]string{gitsync.CommitSuccess, gitsync.CommitFailure, gitsync.CommitSuccess}, said); diff != "" {
			t.Error(diff)
		}
	})
}

// TestTriedAgain: ever later, and not for ever; what comes then is tried like the first.
func TestTriedAgain(t *testing.T) {
	inBubble(t, func(s *Sender, m *mailbox) {
		m.fail(web, slices.Repeat([]error{&later{why: "the server answers 502"}}, 100)...)

		tell(s, web, gitsync.CommitSuccess)
		pass(2 * patience)

		posts := m.of(web)
		for i := range posts[1:] {
			if gap := posts[i+1].At - posts[i].At; gap < firstPause || gap > longestPause*5/4 {
				t.Errorf("try %d is %s after the one before", i+1, gap)
			}
		}

		if last := posts[len(posts)-1].At; len(posts) < 10 || len(posts) > 30 || last < patience || last > patience+2*longestPause {
			t.Errorf("%d tries, the last after %s", len(posts), last)
		}

		if diff := cmp.Diff([]string{"acme/web: it was tried for 1h0m0s: the server answers 502"}, m.refused()); diff != "" || len(s.jobs) != 0 {
			t.Errorf("%d are left\n%s", len(s.jobs), diff)
		}

		m.fail(web)

		tell(s, web, gitsync.CommitSuccess)
		synctest.Wait()

		if len(m.of(web)) != len(posts)+1 || len(m.refused()) != 1 {
			t.Errorf("told again it was tried %d times", len(m.of(web))-len(posts))
		}
	})
}

// TestServerSaysWhen: a server that is asked too often is asked when it wants that.
func TestServerSaysWhen(t *testing.T) {
	inBubble(t, func(s *Sender, m *mailbox) {
		m.fail(web, &later{why: "too many requests", after: 10 * time.Minute})

		tell(s, web, gitsync.CommitSuccess)
		pass(time.Hour)

		if posts := m.of(web); len(posts) != 2 || posts[1].At < 10*time.Minute || posts[1].At > 15*time.Minute {
			t.Errorf("tries: %v", posts)
		}
	})
}

// TestRefused: what is refused is told once, and not tried again before something is different.
func TestRefused(t *testing.T) {
	inBubble(t, func(s *Sender, m *mailbox) {
		m.fail(web, &refusal{"the server answers 401: it does not know the token"})

		for range 3 {
			tell(s, web, gitsync.CommitSuccess)
			pass(time.Hour)
		}

		if len(m.of(web)) != 1 || len(m.refused()) != 1 {
			t.Errorf("tries %v, told %v", m.of(web), m.refused())
		}

		tell(s, web, gitsync.CommitSuccess, func(s *gitsync.CommitState) { s.Token = "the right one" })
		synctest.Wait()

		if len(m.of(web)) != 2 || len(m.refused()) != 1 {
			t.Errorf("with another token: tries %v, told %v", m.of(web), m.refused())
		}
	})
}

// TestNobodyWaitsForOthers: a tenant whose server is slow has that many tries at once, and others are sent at once.
func TestNobodyWaitsForOthers(t *testing.T) {
	inBubble(t, func(s *Sender, m *mailbox) {
		for i := range 50 {
			m.slow(fmt.Sprintf("slow/%d", i), postTimeout)
		}

		for i := range 50 {
			tell(s, fmt.Sprintf("slow/%d", i), gitsync.CommitSuccess)
		}

		pass(time.Second)

		for i := range 20 {
			tell(s, fmt.Sprintf("quick%d/web", i), gitsync.CommitSuccess)
		}

		synctest.Wait()

		for i := range 20 {
			if posts := m.of(fmt.Sprintf("quick%d/web", i)); len(posts) != 1 || posts[0].At != time.Second {
				t.Errorf("tenant %d: %v", i, posts)
			}
		}

		pass(time.Hour)

		if m.atMost()["slow"] != perTenant || m.atMost()[""] > atOnce {
			t.Errorf("at once there were %d of the slow one and %d in all", m.atMost()["slow"], m.atMost()[""])
		}

		if len(s.jobs) != 0 || len(s.busy) != 0 || s.all != 0 {
			t.Errorf("%d are left, busy: %v, %d", len(s.jobs), s.busy, s.all)
		}
	})
}

// TestMemoryIsBounded: syncs come and go, and what is remembered of them does not grow for ever.
func TestMemoryIsBounded(t *testing.T) {
	inBubble(t, func(s *Sender, _ *mailbox) {
		for i := range maxSyncs + 100 {
			s.remember(types.NamespacedName{Name: fmt.Sprint(i)}, print{})
		}

		if len(s.said) != maxSyncs {
			t.Errorf("%d are remembered", len(s.said))
		}

		s.post = func(ctx context.Context, _ gitsync.CommitState) error {
			<-ctx.Done()

			return ctx.Err()
		}

		for i := range maxSyncs + 100 {
			tell(s, fmt.Sprintf("acme/%d", i), gitsync.CommitFailure)
		}

		if dropped := testutil.ToFloat64(s.tries.WithLabelValues("github", "dropped")); len(s.jobs) != maxSyncs || dropped != 100 {
			t.Errorf("%d wait, %v were dropped", len(s.jobs), dropped)
		}
	})
}
