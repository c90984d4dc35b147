package volume

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/docker/docker/api/types/swarm"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/util/validation"
	"pgregory.net/rapid"

	"github.com/dogker/dogker/api/dogker/v1alpha1"
	"github.com/dogker/dogker/reconciler/swarmobj"
)

func TestJudge(t *testing.T) {
	abc := []swarm.Node{node("a"), node("b"), node("c")}
	everyone := func(string) bool { return true }
	nobody := func(string) bool { return false }
	later := time.Unix(1, 0).Add(24 * time.Hour)

	cases := map[string]struct {
		why    string
		view   View
		reason string
		// ready is the condition; at the node that is written down, says a part of the message.
		ready   corev1.ConditionStatus
		at      string
		says    string
		stalled bool
		missing bool
	}{
		"NothingMountsIt": {
			why:  "Where it goes is for its first container to say; nothing is wrong meanwhile.",
			view: View{Volume: data(), Class: local(), Nodes: abc, Told: everyone}, reason: "WaitForFirstConsumer", ready: "True",
		},
		"Wished": {
			why:  "Who names a node needs no container for it.",
			view: View{Volume: data(wish("host-b")), Class: local(), Nodes: abc, Told: everyone}, reason: "Bound", ready: "True", at: "b",
		},
		"WishedNobody": {
			why:  "A name that nobody has is told with those that there are.",
			view: View{Volume: data(wish("host-x")), Class: local(), Nodes: abc, Told: everyone}, reason: "NoSuitableNode", ready: "False", says: "host-a, host-b, host-c",
		},
		"First": {
			why:  "The first container decides.",
			view: View{Volume: data(), Class: local(), Nodes: abc, Told: everyone, Counts: map[string]int{"a": 2, "c": 1}, Consumers: []Consumer{web()}}, reason: "Bound", ready: "True", at: "b",
		},
		"Stays": {
			why: "What was chosen stays, however full the node has become.",
			view: View{
				Volume: data(on("a")), Class: local(), Nodes: abc, Told: everyone, Counts: map[string]int{"a": 9}, Consumers: []Consumer{web()},
			}, reason: "Bound", ready: "True", at: "a",
		},
		"StaysUnseen": {
			why:  "Its container has come and gone between two lists, and has left data that none of them shows.",
			view: View{Volume: data(on("a")), Class: local(), Nodes: abc, Told: everyone}, reason: "Bound", ready: "True", at: "a",
		},
		"GoneBeforeData": {
			why:  "Nothing is lost by another choice.",
			view: View{Volume: data(on("x")), Class: local(), Nodes: abc[:1], Told: everyone, Consumers: []Consumer{web()}}, reason: "Bound", ready: "True", at: "a",
		},
		"GoneBeforeDataUntold": {
			why:  "Nor when nodes never tell, as long as the record is whole and nothing has run.",
			view: View{Volume: data(on("x"), followed), Class: local(), Nodes: abc[:1], Told: nobody, Consumers: []Consumer{web()}}, reason: "Bound", ready: "True", at: "a",
		},
		"GoneAfterMount": {
			why:  "A node that never told takes along what a task has written.",
			view: View{Volume: data(on("x"), followed, mounted), Class: local(), Nodes: abc, Told: nobody, Consumers: []Consumer{web()}}, reason: "NodeGone", ready: "False", at: "x", stalled: true,
		},
		"GoneWhileMounted": {
			why:  "So it is before that is on record: Swarm has a service for it.",
			view: View{Volume: data(on("x"), followed), Class: local(), Nodes: abc, Told: everyone, Mounting: []Mounting{{Node: "x"}}}, reason: "NodeGone", ready: "False", at: "x", stalled: true,
		},
		"GoneAfterRun": {
			why: "And when the service of a run of a job is gone again.",
			view: View{
				Volume: data(on("x"), followed), Class: local(), Nodes: abc, Told: nobody, Consumers: []Consumer{{Kind: "TenantJob", Name: "load", Began: true}},
			}, reason: "NodeGone", ready: "False", at: "x", stalled: true,
		},
		"NewUntold": {
			why:  "A new Volume is nowhere: no node has to tell.",
			view: View{Volume: data(born), Class: local(), Nodes: abc[:1], Told: nobody, Consumers: []Consumer{web()}, Now: time.Unix(2, 0)}, reason: "Bound", ready: "True", at: "a",
		},
		"FollowedUntold": {
			why:  "So is an old one that was never out of sight.",
			view: View{Volume: data(born, followed), Class: local(), Nodes: abc[:1], Told: nobody, Consumers: []Consumer{web()}, Now: later}, reason: "Bound", ready: "True", at: "a",
		},
		"StatusLostUntold": {
			why:  "Of an old one without a status a silent node may have the data: it must not become an empty one elsewhere.",
			view: View{Volume: data(born), Class: local(), Nodes: abc, Told: func(n string) bool { return n != "b" }, Consumers: []Consumer{web()}, Now: later}, reason: "NodeUnreachable", ready: "Unknown", says: "host-b",
		},
		"StatusRestored": {
			why:  "So it may of one whose status is from before a restore.",
			view: View{Volume: data(born, followed), Restores: 1, Class: local(), Nodes: abc, Told: func(n string) bool { return n != "b" }, Consumers: []Consumer{web()}, Now: later}, reason: "NodeUnreachable", ready: "Unknown", says: "host-b",
		},
		"GoneAndRestored": {
			why:  "The same goes for one whose node in that status is gone.",
			view: View{Volume: data(on("x"), followed), Restores: 1, Class: local(), Nodes: abc, Told: nobody, Consumers: []Consumer{web()}, Now: later}, reason: "NodeUnreachable", ready: "Unknown", says: "host-a",
		},
		"StatusLostWished": {
			why:  "Who names the node has decided.",
			view: View{Volume: data(born, wish("b")), Class: local(), Nodes: abc, Told: nobody, Consumers: []Consumer{web()}, Now: later}, reason: "Bound", ready: "True", at: "b",
		},
		"StatusLostPinned": {
			why:  "Swarm knows where its service runs, though no node tells.",
			view: View{Volume: data(born), Class: local(), Nodes: abc, Told: nobody, Consumers: []Consumer{web()}, Mounting: []Mounting{{Node: "c"}}, Now: later}, reason: "Bound", ready: "True", at: "c",
		},
		"StatusLostPinnedGone": {
			why:  "Also when that node is gone.",
			view: View{Volume: data(born), Class: local(), Nodes: abc, Told: everyone, Consumers: []Consumer{web()}, Mounting: []Mounting{{Node: "x"}}, Now: later}, reason: "NodeGone", ready: "False", at: "x", stalled: true,
		},
		"PinBeatsOldStatus": {
			why:  "A status from before anything ran is older than the service.",
			view: View{Volume: data(on("a")), Class: local(), Nodes: abc, Told: nobody, Mounting: []Mounting{{Node: "c"}}}, reason: "Bound", ready: "True", at: "c",
		},
		"PinnedAndSilent": {
			why:  "A stray copy elsewhere is not taken for the data while the node of its service has not told.",
			view: View{Volume: data(), Class: local(), Nodes: abc, Told: func(n string) bool { return n != "a" }, Mounting: []Mounting{{Node: "a"}}, Held: []Held{held("c", data())}}, reason: "Bound", ready: "True", at: "a",
		},
		"GoneWithData": {
			why:  "A node that left took the data along.",
			view: View{Volume: data(on("x"), provisioned), Class: local(), Nodes: abc, Told: everyone, Consumers: []Consumer{web()}}, reason: "NodeGone", ready: "False", at: "x", stalled: true,
		},
		"Down": {
			why:  "A node that is down is a condition, never an empty volume elsewhere.",
			view: View{Volume: data(on("a"), provisioned), Class: local(), Nodes: []swarm.Node{node("a", down), node("b")}, Told: nobody, Consumers: []Consumer{web()}}, reason: "NodeDown", ready: "False", at: "a",
		},
		"Lost": {
			why:  "Data that was there and is not is lost, when the node says so.",
			view: View{Volume: data(on("a"), provisioned), Class: local(), Nodes: abc, Told: everyone}, reason: "Lost", ready: "False", at: "a", stalled: true, missing: true,
		},
		"NotToldYet": {
			why:  "What a node has not told is not known.",
			view: View{Volume: data(on("a"), provisioned), Class: local(), Nodes: abc, Told: nobody}, reason: "Bound", ready: "True", at: "a",
		},
		"StatusLost": {
			why:  "Where the data is tell the nodes.",
			view: View{Volume: data(), Class: local(), Nodes: abc, Told: everyone, Held: []Held{held("c", data())}, Consumers: []Consumer{web()}}, reason: "Bound", ready: "True", at: "c",
		},
		"NodesBeatStatus": {
			why:  "Also when the status says another node that has told that it has none.",
			view: View{Volume: data(on("a")), Class: local(), Nodes: abc, Told: everyone, Held: []Held{held("c", data())}}, reason: "Bound", ready: "True", at: "c",
		},
		"SilentNodeKeepsIt": {
			why: "But not while that node has not told: a stray copy elsewhere is not taken for the data.",
			view: View{
				Volume: data(on("a"), provisioned), Class: local(), Nodes: abc, Told: func(n string) bool { return n != "a" }, Held: []Held{held("c", data())},
			}, reason: "Bound", ready: "True", at: "a",
		},
		"Ambiguous": {
			why:  "Of two copies nobody knows which counts.",
			view: View{Volume: data(), Class: local(), Nodes: abc, Told: everyone, Held: []Held{held("a", data()), held("b", data())}}, reason: "Ambiguous", ready: "False", stalled: true, says: "host-a, host-b",
		},
		"WishedElsewhere": {
			why:  "A wish for another node takes nothing away from who uses it where it is.",
			view: View{Volume: data(on("a"), provisioned, wish("host-b")), Class: local(), Nodes: abc, Told: everyone, Held: []Held{held("a", data())}}, reason: "Bound", ready: "True", at: "a",
		},
		"MovedButUnlisted": {
			why:  "While a move is on record both nodes have data, and lists are older than the record.",
			view: View{Volume: data(on("b"), provisioned, moving(v1alpha1.MoveMoved)), Class: local(), Nodes: abc, Told: everyone, Held: []Held{held("a", data())}}, reason: "Lost", ready: "False", at: "b", stalled: true, missing: true,
		},
		"MovingWithCopy": {
			why:  "A copy that is being made counts for nothing.",
			view: View{Volume: data(on("a"), provisioned, moving(v1alpha1.MoveCopying)), Class: local(), Nodes: abc, Told: func(n string) bool { return n != "a" }, Held: []Held{held("b", data())}}, reason: "Bound", ready: "True", at: "a",
		},
		"PutBackPinned": {
			why:  "A record from before a move is older than the services: it must not become an empty volume where the data was, which nobody has told of yet.",
			view: View{Volume: data(on("a"), provisioned, followed), Restores: 1, Class: local(), Nodes: abc, Told: nobody, Mounting: []Mounting{{Node: "b"}}}, reason: "Bound", ready: "True", at: "b",
		},
		"PutBackUnmounted": {
			why:  "Without a service it is all that is known.",
			view: View{Volume: data(on("a"), provisioned, followed), Restores: 1, Class: local(), Nodes: abc, Told: nobody, Held: []Held{held("b", data())}}, reason: "Bound", ready: "True", at: "a",
		},
		"KeptIsOlder": {
			why:  "What a move has kept where it came from is not the data, also when the node that has it is gone.",
			view: View{Volume: data(on("x"), provisioned, moving(v1alpha1.MoveKept)), Class: local(), Nodes: abc, Told: everyone, Held: []Held{held("a", data())}}, reason: "NodeGone", ready: "False", at: "x", stalled: true,
		},
		"KeptIsNotFound": {
			why:  "Nor when it is gone from a node that is there.",
			view: View{Volume: data(on("b"), provisioned, moving(v1alpha1.MoveKept)), Class: local(), Nodes: abc, Told: everyone, Held: []Held{held("a", data())}}, reason: "Lost", ready: "False", at: "b", stalled: true, missing: true,
		},
		"KeptAndJoinedAgain": {
			why:  "A node that joins again with another ID has the data, whatever is kept elsewhere.",
			view: View{Volume: data(on("x"), provisioned, moving(v1alpha1.MoveKept)), Class: local(), Nodes: abc, Told: everyone, Held: []Held{held("a", data()), held("c", data())}}, reason: "Bound", ready: "True", at: "c",
		},
		"RestoresOnOnlyNode": {
			why:  "Where there is one node, no container has to choose it.",
			view: View{Volume: data(restores), Class: local(), Nodes: abc[:1], Told: everyone}, reason: "Bound", ready: "True", at: "a",
		},
		"RestoresSomewhere": {
			why:  "Of several nodes the first container chooses, which could not run elsewhere later.",
			view: View{Volume: data(restores), Class: local(), Nodes: abc, Told: everyone}, reason: "WaitForFirstConsumer", ready: "True",
		},
		"WishIsMet": {
			why:  "The wish for the node that it is on is met, by hostname in any case.",
			view: View{Volume: data(on("a"), provisioned, wish("HOST-A")), Class: local(), Nodes: abc, Told: everyone, Held: []Held{held("a", data())}}, reason: "Bound", ready: "True", at: "a",
		},
		"NoClass": {
			why:  "Without its class nobody knows what it is; its node is not forgotten.",
			view: View{Volume: data(on("a")), Nodes: abc, Told: everyone}, reason: "ClassNotFound", ready: "False", at: "a",
		},
		"Many": {
			why:  "What all see is on no node.",
			view: View{Volume: data(), Class: local(share(nil)), Nodes: abc, Told: everyone, Consumers: []Consumer{web()}}, reason: "Bound", ready: "True",
		},
		"BlindSwarm": {
			why:  "An engine that cannot be asked is not an empty swarm.",
			view: View{Volume: data(on("a"), provisioned), Class: local(), Told: nobody}, reason: "EngineUnavailable", ready: "Unknown", at: "a",
		},
		"Adopts": {
			why:  "What it adopts says where it lives.",
			view: View{Volume: data(adopts("acme_old_1")), Class: local(), Nodes: abc, Told: everyone, Held: []Held{{Node: "b", Name: "acme_old_1"}}}, reason: "Bound", ready: "True", at: "b",
		},
		"AdoptsNothing": {
			why:  "It is no empty volume, for want of the data that it was to have.",
			view: View{Volume: data(adopts("acme_old_1")), Class: local(), Nodes: abc, Told: everyone, Consumers: []Consumer{web()}}, reason: "ReleasedNotFound", ready: "False", stalled: true,
		},
		"AdoptsUnknown": {
			why:  "It may be on the node that has not told.",
			view: View{Volume: data(adopts("acme_old_1")), Class: local(), Nodes: abc, Told: func(n string) bool { return n != "b" }}, reason: "NodeUnreachable", ready: "Unknown", says: "host-b",
		},
		"AdoptsMounted": {
			why: "What still writes to the data would do so beside its new owner.",
			view: View{
				Volume: data(adopts("acme_old_1")), Class: local(), Nodes: abc, Told: everyone, Held: []Held{{Node: "b", Name: "acme_old_1"}},
				Mounting: []Mounting{{Node: "b", Owner: swarmobj.Owner{Tenant: "globex", Kind: "TenantContainer", Name: "web"}, For: swarmobj.Owner{UID: "uid-0"}}},
			}, reason: "InUse", ready: "False", says: "globex/web",
		},
		"AdoptsAndMounts": {
			why: "What mounts it as that of the new owner is the owner's own.",
			view: View{
				Volume: data(adopts("acme_old_1")), Class: local(), Nodes: abc, Told: everyone, Held: []Held{{Node: "b", Name: "acme_old_1"}},
				Mounting: []Mounting{{Node: "b", For: Owner(data())}},
			}, reason: "Bound", ready: "True", at: "b",
		},
		"AdoptedByAnother": {
			why:  "Nobody takes what somebody has.",
			view: View{Volume: data(adopts("acme_old_1")), Class: local(), Nodes: abc, Told: everyone, AdoptedBy: "globex/data", Held: []Held{{Node: "b", Name: "acme_old_1"}}}, reason: "AlreadyAdopted", ready: "False", stalled: true, says: "globex/data",
		},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			got := Judge(tc.view)

			at := ""
			if got.Node != nil {
				at = got.Node.ID
			}
			if got.Reason != tc.reason || got.Ready != tc.ready || at != tc.at || got.Stalled != tc.stalled || got.Missing != tc.missing || !strings.Contains(got.Message, tc.says) {
				t.Errorf("%s\ngot %+v at %q", tc.why, got, at)
			}
		})
	}
}

// TestDataIsNeverElsewhere: whatever is known, a Volume that has had data on a node, was mounted there, or has a service that is held
// to it, is not given another one, unless that is where the data is seen.
func TestDataIsNeverElsewhere(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		ids := []string{"a", "b", "c"}
		v := data(born, rapid.SampledFrom([]func(*v1alpha1.Volume){provisioned, mounted, followed}).Draw(t, "record"))
		view := View{Volume: v, Class: local(), Now: time.Unix(1, 0).Add(24 * time.Hour)}
		pinned := v.Status.Restores != nil || rapid.Bool().Draw(t, "pinned")
		if pinned {
			view.Mounting = []Mounting{{Node: "a"}}
		}
		if !pinned || rapid.Bool().Draw(t, "status") {
			on("a")(v)
		}
		v.Spec.Node = rapid.SampledFrom([]string{"", "a", "b", "host-c", "nobody"}).Draw(t, "wish")
		told := map[string]bool{}
		for _, id := range ids {
			if rapid.Bool().Draw(t, "in swarm "+id) {
				n := node(id)
				if rapid.Bool().Draw(t, "down "+id) {
					down(&n)
				}
				view.Nodes = append(view.Nodes, n)
			}
			told[id] = rapid.Bool().Draw(t, "told "+id)
			if rapid.Bool().Draw(t, "holds "+id) {
				view.Held = append(view.Held, held(id, v))
			}
		}
		view.Told = func(id string) bool { return told[id] }
		if rapid.Bool().Draw(t, "mounted") {
			view.Consumers = []Consumer{web()}
		}

		got := Judge(view)
		if got.Node == nil || got.Node.ID == "a" {
			if got.Node == nil && got.Ready == corev1.ConditionTrue {
				t.Fatalf("it is ready and nowhere: %+v", got)
			}
			return
		}
		if !slices.ContainsFunc(view.Held, func(h Held) bool { return h.Node == got.Node.ID }) {
			t.Fatalf("it has gone to %s, which has no data: %+v", got.Node.ID, got)
		}
		if inSwarm := slices.ContainsFunc(view.Nodes, func(n swarm.Node) bool { return n.ID == "a" }); inSwarm && !told["a"] {
			t.Fatalf("it has left node a, which has not told: %+v", got)
		}
	})
}

// TestReleasedName: whatever engines call data, its record has a name that the API takes, and no other data has the same.
func TestReleasedName(t *testing.T) {
	long := data()
	long.Namespace, long.Name = strings.Repeat("n", 38), "database-data-x"
	for name, want := range map[string]string{
		Name(data()): "acme.data." + Name(data())[len("acme_data_"):],
		// It is cut right behind the underscore.
		Name(long):     "",
		"By_Hand":      "",
		"a.b":          "",
		"0__-_-":       "",
		"a_" + "--_b-": "",
	} {
		got := ReleasedName(name)
		if problems := validation.IsDNS1123Subdomain(got); len(problems) > 0 || want != "" && got != want {
			t.Errorf("data %q has the record %q: %v, want %q", name, got, problems, want)
		}
	}

	engines := rapid.StringMatching(`[a-zA-Z0-9][a-zA-Z0-9_.-]{1,6}`)
	rapid.Check(t, func(t *rapid.T) {
		one, other := engines.Draw(t, "one"), engines.Draw(t, "other")
		if rapid.Bool().Draw(t, "long") {
			one = strings.Repeat(one, 255/len(one))
		}
		if problems := validation.IsDNS1123Subdomain(ReleasedName(one)); len(problems) > 0 {
			t.Fatalf("data %q has the record %q: %v", one, ReleasedName(one), problems)
		}
		if one != other && ReleasedName(one) == ReleasedName(other) {
			t.Fatalf("data %q and %q have one record: %q", one, other, ReleasedName(one))
		}
	})
}

func TestUsable(t *testing.T) {
	cases := map[string]struct {
		why    string
		volume *v1alpha1.Volume
		class  *v1alpha1.VolumeClass
		// reason is the obstacle's; empty for none.
		reason string
		use    Use
	}{
		"Bound":       {"It is given together with its node.", data(on("a"), judgedAs("Bound")), local(), "", Use{Node: "a", Hostname: "host-a", Single: true}},
		"Many":        {"What all see is given anywhere.", data(judgedAs("Bound")), local(share(nil)), "", Use{}},
		"NodeDown":    {"Its tasks wait for the node, and nowhere else.", data(on("a"), judgedAs("NodeDown")), local(), "", Use{Node: "a", Hostname: "host-a", Single: true}},
		"NoNode":      {"Without a node the engine of any would make an empty one.", data(judgedAs("WaitForFirstConsumer")), local(), "WaitForFirstConsumer", Use{}},
		"NotLooked":   {"Nobody has judged it.", data(on("a")), local(), "WaitForFirstConsumer", Use{}},
		"OldName":     {"A status that was made for another one counts for nothing.", data(on("a"), judgedAs("Bound"), adopts("acme_old_1")), local(), "WaitForFirstConsumer", Use{}},
		"Lost":        {"No empty volume is made in its place.", data(on("a"), judgedAs("Lost")), local(), "Lost", Use{}},
		"NodeGone":    {"Nor when the node is gone.", data(on("a"), judgedAs("NodeGone")), local(), "NodeGone", Use{}},
		"SomeoneElse": {"Nor is it another's.", data(on("a"), judgedAs("AlreadyAdopted")), local(), "AlreadyAdopted", Use{}},
		"Taken":       {"Nor while another still mounts what it adopts.", data(on("a"), judgedAs("InUse")), local(), "InUse", Use{}},
		"Deleted":     {"What goes is not given any more.", data(on("a"), judgedAs("Bound"), deleted), local(), "Deleting", Use{}},
		"NoClass":     {"Without its class nobody knows its options.", data(on("a"), judgedAs("Bound")), nil, "ClassNotFound", Use{}},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			use, obstacle := Usable(tc.volume, tc.class)
			reason := ""
			if obstacle != nil {
				reason = obstacle.Reason
			}
			if reason != tc.reason || use != tc.use {
				t.Errorf("%s\ngot %+v, %+v", tc.why, use, obstacle)
			}
		})
	}
}
