package usage

import (
	"fmt"
	"testing"
	"time"

	"github.com/docker/docker/api/types/swarm"
	"github.com/google/go-cmp/cmp"

	"github.com/dogker/dogker/reconciler/swarmobj"
)

// epoch is when the stories of the tests begin: a whole hour.
const epoch = 1_800_000_000 - 1_800_000_000%3600

// at is a moment so many seconds into the story.
func at(seconds float64) time.Time {
	return time.Unix(epoch, 0).Add(time.Duration(seconds * float64(time.Second))).UTC()
}

// look is one sample of a story.
type look struct {
	at    float64
	tasks []Task
	// nodes that are not as usual; "n" is ready and was last changed long ago.
	nodes   map[string]Node
	volumes []Volume
	skips   []Skip
	catchUp time.Duration
}

// task is one of acme's, on node n.
func task(id string, state swarm.TaskState, since float64) Task {
	return Task{
		ID: id, NodeID: "n", Owner: swarmobj.Owner{Tenant: "acme", Kind: "TenantContainer", Name: "web", UID: "u1"},
		State: state, Since: at(since), Created: at(-1000), Updated: at(1e6), NanoCPUs: 250_000_000, MemoryBytes: 1 << 20,
	}
}

func ran(id string, since float64) Task { return task(id, swarm.TaskStateRunning, since) }

func failed(id string, since float64) Task { return task(id, swarm.TaskStateFailed, since) }

func with(t Task, change func(*Task)) Task {
	change(&t)

	return t
}

func volume(bytes int64, created float64) Volume {
	return Volume{Owner: swarmobj.Owner{Tenant: "acme", Kind: "Volume", Name: "data", UID: "v1"}, Bytes: bytes, Created: at(created)}
}

func nodes(state swarm.NodeState, updated float64) map[string]Node {
	return map[string]Node{"n": {State: state, Updated: at(updated)}}
}

func (l look) frame() *Frame {
	s := Sample{Tasks: l.tasks, Volumes: l.volumes, Nodes: map[string]Node{"n": {State: swarm.NodeStateReady, Updated: at(-1e6)}}}
	if l.nodes != nil {
		s.Nodes = l.nodes
	}

	return NewFrame(s, FrameOptions{Begun: at(l.at), Done: at(l.at), MaxCatchUp: l.catchUp, Skips: l.skips})
}

// tell plays a story and writes down the runs and gaps it comes to, in seconds of the story.
func tell(looks []look) []string {
	a := NewAccount("acme", epoch)
	for _, l := range looks {
		a, _ = a.Observe(l.frame())
	}

	var out []string
	for _, r := range a.runs {
		text := fmt.Sprintf("%s %d..", r.id, r.from-epoch)
		if !r.open() {
			text += fmt.Sprint(r.to - epoch)
		}
		if r.sure != 0 {
			text += fmt.Sprintf(" sure %d", r.sure-epoch)
		}
		if r.shape.StorageBytes != 0 {
			text += fmt.Sprintf(" of %d", r.shape.StorageBytes)
		}
		out = append(out, text)
	}
	for _, g := range a.gaps {
		out = append(out, fmt.Sprintf("%s %d..%d: %d", g.Cause, g.From-epoch, g.To-epoch, g.Seconds))
	}

	return out
}

func TestObserve(t *testing.T) {
	ready, down, unknown := swarm.NodeStateReady, swarm.NodeStateDown, swarm.NodeStateUnknown

	cases := map[string]struct {
		reason string
		looks  []look
		want   []string
	}{
		"BeginsWhenItSays": {
			reason: "Its status says when, and it lies between two samples.",
			looks:  []look{{at: 15, tasks: []Task{ran("a", 7)}}},
			want:   []string{"a 7.."},
		},
		"BeginsWithAWholeSecond": {
			reason: "A second that it did not run from its beginning is not charged.",
			looks:  []look{{at: 15, tasks: []Task{ran("a", 7.25)}}},
			want:   []string{"a 8.."},
		},
		"BeganBeforeTheLastSample": {
			reason: "It was not RUNNING then, so its node's clock is wrong, or it was on a node that was not ready.",
			looks:  []look{{at: 15}, {at: 30, tasks: []Task{ran("a", 7)}}},
			want:   []string{"a 30.."},
		},
		"BeginsInTheFuture": {
			reason: "A timestamp that cannot be is not used.",
			looks:  []look{{at: 15, tasks: []Task{ran("a", 500)}}},
			want:   []string{"a 15.."},
		},
		"BeginsInYearZero": {
			reason: "An engine that has no timestamp shows the zero time.",
			looks:  []look{{at: 15, tasks: []Task{with(ran("a", 0), func(t *Task) { t.Since, t.Created = time.Time{}, time.Time{} })}}},
			want:   []string{"a 15.."},
		},
		"BeginsBeforeItWasMade": {
			reason: "The managers made it later than its node says it ran: the node's clock is behind.",
			looks:  []look{{at: 15, tasks: []Task{with(ran("a", 2), func(t *Task) { t.Created = at(9) })}}},
			want:   []string{"a 9.."},
		},
		"NotYetRunning": {
			reason: "Pulling the image takes as long as it takes, and costs nothing.",
			looks:  []look{{at: 15, tasks: []Task{task("a", swarm.TaskStatePreparing, 1)}}},
		},
		"NeverSeenRunning": {
			reason: "What came and went between two samples is not charged: nobody knows when it began.",
			looks:  []look{{at: 15, tasks: []Task{failed("a", 9)}}},
		},
		"NotOurs": {
			reason: "A task without an owner is nobody's.",
			looks:  []look{{at: 15, tasks: []Task{with(ran("a", 7), func(t *Task) { t.Owner = swarmobj.Owner{} })}}},
		},
		"GoesOn": {
			reason: "RUNNING at both samples is RUNNING in between, and nothing needs to be noted.",
			looks:  []look{{at: 15, tasks: []Task{ran("a", 7)}}, {at: 30, tasks: []Task{ran("a", 7)}}},
			want:   []string{"a 7.."},
		},
		"GoesOnThroughAGap": {
			reason: "However long nobody looked: a task never runs twice.",
			looks:  []look{{at: 15, tasks: []Task{ran("a", 7)}}, {at: 7200, tasks: []Task{ran("a", 7)}}},
			want:   []string{"a 7.."},
		},
		"GoesOnWhileStopping": {
			reason: "A task that was told to stop runs until it has.",
			looks: []look{
				{at: 15, tasks: []Task{ran("a", 7)}},
				{at: 30, tasks: []Task{with(ran("a", 7), func(t *Task) { t.Owner = swarmobj.Owner{} })}},
				{at: 45, tasks: []Task{with(failed("a", 40), func(t *Task) { t.Owner = swarmobj.Owner{} })}},
			},
			want: []string{"a 7..40"},
		},
		"EndsWhenItSays": {
			reason: "Its status says when, and that can be.",
			looks:  []look{{at: 15, tasks: []Task{ran("a", 7)}}, {at: 30, tasks: []Task{failed("a", 21.9)}}},
			want:   []string{"a 7..21"},
		},
		"EndsInAGap": {
			reason: "The engine keeps the last tasks of a slot, so even after hours it can be known.",
			looks:  []look{{at: 15, tasks: []Task{ran("a", 7)}}, {at: 7200, tasks: []Task{failed("a", 3600)}}},
			want:   []string{"a 7..3600"},
		},
		"EndedBeforeItWasLastSeen": {
			reason: "The news of its end came late.",
			looks:  []look{{at: 30, tasks: []Task{ran("a", 7)}}, {at: 45, tasks: []Task{failed("a", 28)}}},
			want:   []string{"a 7..28"},
		},
		"EndsLongBeforeItWasLastSeen": {
			reason: "That is not news that came late but a clock that is behind.",
			looks:  []look{{at: 60, tasks: []Task{ran("a", 7)}}, {at: 75, tasks: []Task{failed("a", 20)}}},
			want:   []string{"a 7..60"},
		},
		"EndsInTheFuture": {
			reason: "A clock that is ahead charges for nothing that was not seen.",
			looks:  []look{{at: 15, tasks: []Task{ran("a", 7)}}, {at: 7200, tasks: []Task{failed("a", 9000)}}},
			want:   []string{"a 7..15"},
		},
		"EndsInYearZero": {
			reason: "An engine that has no timestamp shows the zero time.",
			looks:  []look{{at: 15, tasks: []Task{ran("a", 7)}}, {at: 30, tasks: []Task{with(failed("a", 0), func(t *Task) { t.Since = time.Time{} })}}},
			want:   []string{"a 7..15"},
		},
		"EndsAfterTheManagersKnew": {
			reason: "They knew of its end before it came, by the clock of its node: that is ahead.",
			looks:  []look{{at: 15, tasks: []Task{ran("a", 7)}}, {at: 30, tasks: []Task{with(failed("a", 29), func(t *Task) { t.Updated = at(22) })}}},
			want:   []string{"a 7..22"},
		},
		"Vanishes": {
			reason: "Tasks of a service that was scaled down or removed are not kept.",
			looks:  []look{{at: 15, tasks: []Task{ran("a", 7)}}, {at: 30, tasks: []Task{ran("a", 7)}}, {at: 45}},
			want:   []string{"a 7..30"},
		},
		"VanishesAtOnce": {
			reason: "Seen once, nothing is known of how long it ran after.",
			looks:  []look{{at: 15, tasks: []Task{ran("a", 100)}}, {at: 30}},
		},
		"CrashLoop": {
			reason: "Only RUNNING counts, not the time between two tries.",
			looks: []look{
				{at: 15, tasks: []Task{ran("a", 12)}},
				{at: 30, tasks: []Task{failed("a", 20), ran("b", 28)}},
				{at: 45, tasks: []Task{failed("a", 20), failed("b", 31), task("c", swarm.TaskStateStarting, 44)}},
			},
			want: []string{"a 12..20", "b 28..31"},
		},
		"Overlap": {
			reason: "An update that starts the new task first reserves for both.",
			looks: []look{
				{at: 15, tasks: []Task{ran("a", 7)}},
				{at: 30, tasks: []Task{ran("a", 7), ran("b", 20)}},
				{at: 45, tasks: []Task{failed("a", 33), ran("b", 20)}},
			},
			want: []string{"a 7..33", "b 20.."},
		},
		"NodeDies": {
			reason: "Swarm shows its tasks RUNNING for a day. It may have been silent for a while before anybody noticed.",
			looks: []look{
				{at: 15, tasks: []Task{ran("a", 7)}},
				{at: 60, tasks: []Task{ran("a", 7)}},
				{at: 75, tasks: []Task{ran("a", 7)}, nodes: nodes(down, 70)},
				{at: 90, tasks: []Task{ran("a", 7)}, nodes: nodes(down, 70)},
			},
			want: []string{"a 7..43"},
		},
		"NodeIsGone": {
			reason: "A node that was removed is not ready.",
			looks:  []look{{at: 60, tasks: []Task{ran("a", 7)}}, {at: 75, tasks: []Task{ran("a", 7)}, nodes: map[string]Node{}}},
			want:   []string{"a 7..43"},
		},
		"NodeComesBackAndTellsLate": {
			reason: "It says when it came back, hours after the task died with it.",
			looks:  []look{{at: 60, tasks: []Task{ran("a", 7)}}, {at: 7200, tasks: []Task{failed("a", 7000)}, nodes: nodes(ready, 6990)}},
			want:   []string{"a 7..43"},
		},
		"NodeComesBackAndForgot": {
			reason: "The task vanished, and may have died with its node before it was last seen.",
			looks:  []look{{at: 60, tasks: []Task{ran("a", 7)}}, {at: 75, nodes: nodes(ready, 74)}},
			want:   []string{"a 7..43"},
		},
		"NodeComesBackWithIt": {
			reason: "It was cut off and went on. What it ran while it could not be reached is not charged.",
			looks: []look{
				{at: 60, tasks: []Task{ran("a", 7)}},
				{at: 75, tasks: []Task{ran("a", 7)}, nodes: nodes(down, 70)},
				{at: 90, tasks: []Task{ran("a", 7)}, nodes: nodes(ready, 88)},
			},
			want: []string{"a 7..43", "a 90.."},
		},
		"NodeWasAwayUnseen": {
			reason: "RUNNING before and after is RUNNING in between, wherever the node was.",
			looks:  []look{{at: 60, tasks: []Task{ran("a", 7)}}, {at: 7200, tasks: []Task{ran("a", 7)}, nodes: nodes(ready, 6990)}},
			want:   []string{"a 7.."},
		},
		"NewOnANodeThatIsDown": {
			reason: "Nothing begins there.",
			looks:  []look{{at: 15, tasks: []Task{ran("a", 7)}, nodes: nodes(down, 10)}},
		},
		"NodeUnknown": {
			reason: "After an election the managers do not know. That is no news of the task.",
			looks: []look{
				{at: 60, tasks: []Task{ran("a", 7)}},
				{at: 75, tasks: []Task{ran("a", 7)}, nodes: nodes(unknown, 70)},
				{at: 90, tasks: []Task{ran("a", 7)}, nodes: nodes(unknown, 70)},
			},
			want: []string{"a 7.. sure 60"},
		},
		"NodeKnownAgain": {
			reason: "It was there all the time.",
			looks: []look{
				{at: 60, tasks: []Task{ran("a", 7)}},
				{at: 75, tasks: []Task{ran("a", 7)}, nodes: nodes(unknown, 70)},
				{at: 105, tasks: []Task{ran("a", 7)}, nodes: nodes(ready, 80)},
			},
			want: []string{"a 7.."},
		},
		"NodeJustBack": {
			reason: "It has registered, and may not have told yet that its tasks died with it.",
			looks:  []look{{at: 60, tasks: []Task{ran("a", 7)}}, {at: 7200, tasks: []Task{ran("a", 7)}, nodes: nodes(ready, 7199)}},
			want:   []string{"a 7.. sure 60"},
		},
		"NodeJustBackWithoutIt": {
			reason: "A moment later it has.",
			looks: []look{
				{at: 60, tasks: []Task{ran("a", 7)}},
				{at: 7200, tasks: []Task{ran("a", 7)}, nodes: nodes(ready, 7199)},
				{at: 7215, tasks: []Task{failed("a", 7199)}, nodes: nodes(ready, 7199)},
			},
			want: []string{"a 7..43"},
		},
		"ManagersAreAhead": {
			reason: "A change of the node that is to come by our clock says nothing about now.",
			looks:  []look{{at: 60, tasks: []Task{ran("a", 7)}}, {at: 75, tasks: []Task{ran("a", 7)}, nodes: nodes(ready, 3600)}},
			want:   []string{"a 7.."},
		},
		"NodeUnknownThenDown": {
			reason: "It was not.",
			looks: []look{
				{at: 60, tasks: []Task{ran("a", 7)}},
				{at: 75, tasks: []Task{ran("a", 7)}, nodes: nodes(unknown, 70)},
				{at: 90, tasks: []Task{ran("a", 7)}, nodes: nodes(down, 80)},
			},
			want: []string{"a 7..43"},
		},
		"Orphaned": {
			reason: "After a day the managers give up a task of a node that is down. It ended long before.",
			looks: []look{
				{at: 60, tasks: []Task{ran("a", 7)}},
				{at: 90000, tasks: []Task{task("a", swarm.TaskStateOrphaned, 89000)}, nodes: nodes(down, 70)},
			},
			want: []string{"a 7..43"},
		},
		"NobodyLookedForTooLong": {
			reason: "What is caught up with is bounded; the rest is our loss, and said so.",
			looks: []look{
				{at: 15, tasks: []Task{ran("a", 7), ran("b", 7)}},
				{at: 10000, tasks: []Task{ran("a", 7), failed("b", 5000), ran("c", 9000)}, catchUp: time.Hour},
			},
			want: []string{"a 7..3615", "a 10000..", "b 7..3615", "c 10000..", "CatchUpLimit 3615..10000: 8770"},
		},
		"ClockJumpsForward": {
			reason: "The hour on the clock did not pass, so it is cut out of what went on.",
			looks: []look{
				{at: 15, tasks: []Task{ran("a", 7)}},
				{at: 3750, tasks: []Task{ran("a", 7)}, skips: []Skip{{Cause: CauseClockForward, From: epoch + 15, To: epoch + 3615}}},
			},
			want: []string{"a 7..15", "a 3615..", "ClockForward 15..3615: 3600"},
		},
		"BeganOrEndedWhileTheClockWasSet": {
			reason: "Whether its timestamp is of the time before or after, nobody can say.",
			looks: []look{
				{at: 15, tasks: []Task{ran("a", 7)}},
				{at: 3750, tasks: []Task{failed("a", 3700), ran("b", 60)}, skips: []Skip{{Cause: CauseClockForward, From: epoch + 15, To: epoch + 3615}}},
			},
			want: []string{"a 7..15", "b 3750.."},
		},
		"ClockJumpsBackward": {
			reason: "The clock shows some time twice; it is charged once.",
			looks: []look{
				{at: 15, tasks: []Task{ran("a", 7)}},
				{at: 30, tasks: []Task{ran("a", 7), ran("b", 20)}, skips: []Skip{{Cause: CauseClockBackward, From: epoch + 15, To: epoch + 15, Seconds: 100}}},
			},
			want: []string{"a 7..", "b 30..", "ClockBackward 15..15: 100"},
		},
		"SampleOfThePast": {
			reason: "What is older than what is known teaches nothing.",
			looks:  []look{{at: 30, tasks: []Task{ran("a", 7)}}, {at: 15}, {at: 30}},
			want:   []string{"a 7.."},
		},
		"VolumeExists": {
			reason: "Whatever becomes of the containers.",
			looks:  []look{{at: 15, volumes: []Volume{volume(10, 4)}}, {at: 30, volumes: []Volume{volume(10, 4)}}},
			want:   []string{"volume/v1 4.. of 10"},
		},
		"VolumeDeleted": {
			reason: "When is known to a sample.",
			looks:  []look{{at: 15, volumes: []Volume{volume(10, 4)}}, {at: 30}},
			want:   []string{"volume/v1 4..15 of 10"},
		},
		"VolumeGrows": {
			reason: "At some moment since the last sample: until now it counts as small.",
			looks:  []look{{at: 15, volumes: []Volume{volume(10, 4)}}, {at: 30, volumes: []Volume{volume(20, 4)}}},
			want:   []string{"volume/v1 4..30 of 10", "volume/v1 30.. of 20"},
		},
		"VolumeShrinks": {
			reason: "At some moment since the last sample: from then on it counts as small.",
			looks:  []look{{at: 15, volumes: []Volume{volume(20, 4)}}, {at: 30, volumes: []Volume{volume(10, 4)}}},
			want:   []string{"volume/v1 15.. of 10", "volume/v1 4..15 of 20"},
		},
		"VolumeOfNothing": {
			reason: "There is nothing to charge for.",
			looks:  []look{{at: 15, volumes: []Volume{volume(0, 4)}}},
		},
	}

	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			if diff := cmp.Diff(tc.want, tell(tc.looks)); diff != "" {
				t.Errorf("%s\n(-want +got):\n%s", tc.reason, diff)
			}
		})
	}
}

// TestFirstSampleEver: what ran before anybody looked is not charged, and nothing is believed about when it began.
func TestFirstSampleEver(t *testing.T) {
	a, changed := NewAccount("acme", 0).Observe(look{at: 15, tasks: []Task{ran("a", 7)}}.frame())
	if !changed || len(a.runs) != 1 || a.runs[0].from != epoch+15 {
		t.Errorf("got %+v, want one run from the sample on", a.runs)
	}
}

// TestObserveStoresNothingWithoutNews: a quiet minute costs no write.
func TestObserveStoresNothingWithoutNews(t *testing.T) {
	a, _ := NewAccount("acme", epoch).Observe(look{at: 15, tasks: []Task{ran("a", 7)}}.frame())
	next, changed := a.Observe(look{at: 30, tasks: []Task{ran("a", 7), failed("old", 1)}}.frame())
	if changed || next.At != epoch+30 {
		t.Errorf("changed %v, at %d; want the same account, only older", changed, next.At-epoch)
	}
}
