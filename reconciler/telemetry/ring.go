package telemetry

import (
	"cmp"
	"slices"
	"sync"
	"time"

	"github.com/dogker/dogker/reconciler/swarmobj"
)

// Limits of a Store. They are far beyond what a swarm has; they are there for an agent that makes things up.
const (
	maxSeries = 50_000
	// maxUnknown is how many tasks one node may tell of that nobody knows to be there: it takes no more room than those,
	// and leaves to the other nodes what they need. Of each of them a chunk is kept.
	maxUnknown = 1_000
	// closest is how close two samples of a container may be. One that was started anew may be looked at sooner.
	closest = Interval / 4
	// maxID is the length of what may be the ID of anything, in bytes; those of the engine have 64 at most.
	maxID       = 128
	maxAccounts = 50_000
	// maxAgents is how many starts of the agent of a node are remembered, so that a late report of one is known for one.
	maxAgents = 8
	// ahead is how far in the future a sample may be: the skew of a clock is measured, and a measurement is not exact.
	ahead = 2 * time.Second
	// sweepEvery is how often what is old is thinned and dropped.
	sweepEvery = time.Minute
)

// Resolver says whose task it is. It is false while that is not known yet; for the task of a service that is not ours it is
// true with the zero Owner. It must not block.
type Resolver func(service, task string) (Subject, bool)

// Reasons for which samples are not taken in.
const (
	// DropDuplicate: the report had been taken in already, or is one of an agent that has been replaced since.
	DropDuplicate = "duplicate"
	// DropLate: the sample is of an earlier life of its container than one that is known.
	DropLate = "late"
	// DropFuture: the sample has a time to come, so that the clock of its node is not known.
	DropFuture = "future"
	// DropElsewhere: the task is on another node than the one that reports it.
	DropElsewhere = "elsewhere"
	// DropLimit: there is no room.
	DropLimit = "limit"
	// DropUnknown: the node tells of too many tasks that nobody knows to be there.
	DropUnknown = "unknown"
	// DropClose: the sample follows the one before it more closely than agents sample.
	DropClose = "close"
	// DropOld: the sample is older than any that is kept.
	DropOld = "old"
	// DropMalformed: the sample has an ID that no engine gives.
	DropMalformed = "malformed"
)

var dropReasons = []string{
	DropDuplicate, DropLate, DropFuture, DropElsewhere, DropLimit, DropUnknown, DropClose, DropOld, DropMalformed,
}

// Stats say what a Store holds.
type Stats struct {
	// Tasks and Samples are how many are kept, and Bytes is about how much memory they take.
	Tasks, Samples, Bytes int
	// Dropped counts samples that were not taken in, by reason.
	Dropped map[string]uint64
}

// Store is what agents have told, and answers as a Reader. It has no goroutine: what is old goes when something new comes.
//
// It holds about 4 KB for a task that idles, and 20 KB for one that is busy in every respect, so that 5,000 tasks take 20 to
// 100 MB: the last quarter of an hour whole, and before that a sample for each minute.
type Store struct {
	resolve Resolver
	now     func() time.Time
	began   time.Time

	mu       sync.RWMutex
	tasks    map[string]*series
	machines map[string]*machine
	accounts map[swarmobj.Owner]*account
	// unknown counts the tasks among those that nobody knows yet, by the node that tells of them.
	unknown map[string]int
	dropped map[string]uint64
	swept   time.Time
}

var _ Reader = (*Store)(nil)

// machine is what is known of a node.
type machine struct {
	// agent and round are those of the last report, and past the agents before it.
	agent string
	round int64
	past  []string

	last, before Machine
	at, atBefore time.Time // When those were seen, by the reader's clock.
}

// NewStore returns an empty one. The clock is time.Now if it is nil.
func NewStore(resolve Resolver, now func() time.Time) *Store {
	if now == nil {
		now = time.Now
	}

	return &Store{
		resolve: resolve, now: now, began: now(),
		tasks:    map[string]*series{},
		machines: map[string]*machine{},
		accounts: map[swarmobj.Owner]*account{},
		unknown:  map[string]int{},
		dropped:  map[string]uint64{},
	}
}

// Add takes in a report of a node whose clock is ahead of ours by skew. Reports may come twice, late, and in any order:
// those that are not newer than what is known change nothing. It returns a reason for which something was left out that no
// agent of ours tells; none when all may be true.
func (s *Store) Add(r Report, skew time.Duration) (odd string) {
	s.mu.Lock()
	defer s.mu.Unlock()

	if len(r.Agent) > maxID || len(r.Node) > maxID {
		s.dropped[DropMalformed] += uint64(len(r.Samples))
		return DropMalformed
	}

	now := s.now()
	if now.Before(s.began) {
		s.began = now // The clock was set back.
	}
	if !s.takeMachine(&r, skew, now) {
		s.dropped[DropDuplicate] += uint64(len(r.Samples))
		return ""
	}
	for i := range r.Samples {
		x := &r.Samples[i]
		reason := s.take(x, r.Node, skew, now)
		if reason == "" {
			continue
		}
		s.dropped[reason]++
		if s.isOdd(reason, x, skew, now) {
			odd = reason
		}
	}
	if now.Sub(s.swept) >= sweepEvery || now.Before(s.swept) {
		s.sweep(now)
	}

	return odd
}

// takeMachine takes in what a report says of its node. It is false for one that is not news.
func (s *Store) takeMachine(r *Report, skew time.Duration, now time.Time) bool {
	at := r.Began.Add(-skew)
	m := s.machines[r.Node]
	switch {
	case m == nil:
		m = &machine{agent: r.Agent}
		s.machines[r.Node] = m
	case r.Agent == m.agent:
		if r.Round <= m.round {
			return false
		}
	case slices.Contains(m.past, r.Agent), !at.After(m.at) && !now.Before(m.at):
		return false // Of an agent from before the one that we know, unless our clock was set back.
	default:
		m.past = append(m.past, m.agent)
		m.past = m.past[max(0, len(m.past)-maxAgents):]
		m.agent = r.Agent
	}
	m.round = r.Round
	m.before, m.atBefore = m.last, m.at
	m.last, m.at = r.Machine, at

	return true
}

// take takes in a sample. It returns the reason if it does not.
func (s *Store) take(sample *Sample, node string, skew time.Duration, now time.Time) (dropped string) {
	at := sample.At.Add(-skew)
	switch {
	case max(len(sample.Task), len(sample.Service), len(sample.Container)) > maxID:
		return DropMalformed
	case at.After(now.Add(ahead)):
		return DropFuture
	case at.Before(now.Add(-Kept)):
		return DropOld
	}

	t, known := s.tasks[sample.Task]
	if !known {
		if len(s.tasks) >= maxSeries {
			return DropLimit
		}
		t = &series{task: sample.Task, service: sample.Service, node: node}
	}
	if !s.identify(t, known) {
		return "" // Nobody asks for those.
	}
	if t.node != node {
		return DropElsewhere
	}
	if !known && !s.hold(t) {
		return DropUnknown
	}

	return s.extend(t, sample, rowOf(sample, at), skew)
}

// extend appends a row, and charges what was used since the last one.
func (s *Store) extend(t *series, sample *Sample, r row, skew time.Duration) (dropped string) {
	base := t.last
	switch {
	case t.container == "":
		t.begin(sample)
		if base = r; s.unseen(sample.Started.Add(-skew)) {
			base = row{}
		}
	case t.same(sample) && r[colAt] <= t.last[colAt]:
		// The report is new and its time is not: a clock was set back. Its counters go on, its times do not.
		t.chunks = nil
	case t.same(sample) && r[colAt]-t.last[colAt] < closest.Microseconds():
		return DropClose // What it has used comes with the next one.
	case t.same(sample):
	case sample.Started.Before(t.started):
		return DropLate
	default:
		t.begin(sample)
		base = row{}
	}

	t.append(r)
	// Agents tell also of the time before this server was started. It is shown, and it is not counted: what others make of
	// a sum would take it for used in the moment in which it was told.
	if !r.at().Before(s.began) {
		s.charge(t, &base, &r)
	}

	return ""
}

// unseen tells whether nothing of a container that was started then can have been counted: it was started since anybody
// counts, and so lately that it would not have been forgotten. All that it has used is news then. Of any other one that is
// seen for the first time only that is counted which is seen.
func (s *Store) unseen(started time.Time) bool {
	return started.After(s.began) && started.After(s.now().Add(-Kept))
}

// charge adds what was used to the account of whom it belongs to, or to what is owed while that is not known.
func (s *Store) charge(t *series, before, after *row) {
	if t.subject.Owner == (swarmobj.Owner{}) {
		t.owed.add(before, after)
		return
	}

	a := s.account(t.subject.Owner)
	a.used = s.now()
	a.totals.plus(t.owed)
	a.totals.add(before, after)
	t.owed = Totals{}
}

func (s *Store) account(o swarmobj.Owner) *account {
	a := s.accounts[o]
	if a == nil {
		if len(s.accounts) >= maxAccounts {
			s.giveUpAccounts()
		}
		a = &account{since: s.now()}
		s.accounts[o] = a
	}

	return a
}

// giveUpAccounts drops the tenth that have been quiet the longest. They begin again at nothing, and say so.
func (s *Store) giveUpAccounts() {
	type quiet struct {
		owner swarmobj.Owner
		since time.Time
	}
	all := make([]quiet, 0, len(s.accounts))
	for o, a := range s.accounts {
		all = append(all, quiet{o, a.used})
	}
	slices.SortFunc(all, func(a, b quiet) int { return a.since.Compare(b.since) })
	for _, q := range all[:cmp.Or(len(all)/10, 1)] {
		delete(s.accounts, q.owner)
	}
}

// sweep drops what is no longer kept, and thins what is old.
func (s *Store) sweep(now time.Time) {
	s.swept = now
	for _, t := range s.tasks {
		// What is owed for a task that nobody ever knew is nobody's.
		if t.age(now); len(t.chunks) == 0 {
			s.forget(t)
		}
	}
	for id, m := range s.machines {
		if now.Sub(m.at) > Kept {
			delete(s.machines, id)
		}
	}
}

// Stats counts what is held.
func (s *Store) Stats() Stats {
	s.mu.RLock()
	defer s.mu.RUnlock()

	out := Stats{Tasks: len(s.tasks), Dropped: map[string]uint64{}}
	for _, reason := range dropReasons {
		out.Dropped[reason] = s.dropped[reason]
	}
	for _, t := range s.tasks {
		out.Samples += t.rows()
		out.Bytes += t.size()
	}

	return out
}
