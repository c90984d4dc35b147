package workload

import (
	"slices"
	"strings"
	"testing"

	"github.com/docker/docker/api/types/swarm"

	"github.com/dogker/dogker/api/dogker/v1alpha1"
	"github.com/dogker/dogker/controllers/workload/mounts"
	"github.com/dogker/dogker/controllers/workload/servicespec"
	"github.com/dogker/dogker/reconciler/conditions"
	"github.com/dogker/dogker/reconciler/outcome"
	"github.com/dogker/dogker/reconciler/swarmobj"
)

// onTheWay holds a scene as the data of its Volume moves.
func onTheWay(s *situation) {
	s.scale.held = &outcome.Wait{Reason: v1alpha1.ReasonMoving, Message: "Volume data is being moved"}
	again(s)
}

// arrived is after the move: the data lives on node 2.
func arrived(s *situation) {
	v := dataVolume()
	v.NodeID = "2"
	s.world.Nodes = []swarm.Node{node("1"), node("2")}
	s.supply.mounts = mounts.Set{Volumes: []servicespec.ResolvedVolume{v}}
	again(s)
}

func TestPlanWhileDataMoves(t *testing.T) {
	declare := func(change func(*situation)) func(*situation) {
		return func(s *situation) {
			change(s)
			onTheWay(s)
		}
	}
	for name, c := range map[string]struct {
		reason string
		change func(*situation)
		steps  []string
	}{
		"Moving":     {"Nothing may run.", onTheWay, []string{`update service "acme_web": replicas 1 → 0 (the data that it mounts cannot be used at the moment)`}},
		"Stopped":    {"Once is enough.", func(s *situation) { onTheWay(s); s.world.Service.Spec = *s.want }, nil},
		"Autoscaled": {"Nobody's wish counts.", declare(func(s *situation) { s.tc.Spec.Replicas = new(int32(1)) }), []string{`update service "acme_web": replicas 1 → 0`}},
		"Unknown": {
			"What it is to be is not known; that it must not run is.", func(s *situation) { onTheWay(s); s.want, s.template = nil, nil },
			[]string{`stop tasks of service "acme_web": the data that it mounts cannot be used at the moment`},
		},
		"UnknownAndStopped": {"That is done once, too.", func(s *situation) {
			onTheWay(s)
			s.want, s.template = nil, nil
			s.world.Service.Spec = servicespec.Stop(s.world.Service.Spec)
		}, nil},
		"Arrived": {
			"It goes on where its data is.", func(s *situation) {
				onTheWay(s)
				s.world.Service.Spec, s.scale.held = *s.want, nil
				arrived(s)
			},
			[]string{`update service "acme_web": placement.constraints [node.id==1] → [node.id==2], replicas 0 → 1`},
		},
		"Restored": {
			"It is given the data in place of what it had.", func(s *situation) {
				s.supply.mounts.Volumes[0].Source = "acme_data_1-r2"
				again(s)
			},
			[]string{`update service "acme_web": mounts[/data].source acme_data_1 → acme_data_1-r2`},
		},
	} {
		t.Run(name, func(t *testing.T) {
			s := scene(t, mountingData, c.change)
			if name == "Unknown" || name == "UnknownAndStopped" {
				s.want, s.template = nil, nil
			}
			steps, err := plan(s, noHolder)
			if err != nil || len(steps) != len(c.steps) {
				t.Fatalf("%s\ngot %v and %v, want %q", c.reason, steps, err, c.steps)
			}
			for i := range steps {
				if !strings.Contains(steps[i].String(), c.steps[i]) {
					t.Errorf("%s\ngot %q, want %q", c.reason, steps[i], c.steps[i])
				}
			}
		})
	}
}

// TestFollowingDataHasNoWayBack wants Swarm not to take tasks back to where their data was, and the declared policy to come back after.
func TestFollowingDataHasNoWayBack(t *testing.T) {
	s := scene(t, mountingData, func(s *situation) {
		s.tc.Spec.Rollout = &v1alpha1.Rollout{FailureAction: v1alpha1.FailureRollback}
		again(s)
		s.world.Service.Spec = *s.want
		arrived(s)
	})
	if got := s.want.UpdateConfig.FailureAction; got != swarm.UpdateFailureActionContinue {
		t.Errorf("a task that fails at the new node means %q", got)
	}
	steps, err := plan(s, noHolder)
	if err != nil || len(steps) != 1 || !strings.HasSuffix(steps[0].String(), "(the data that it mounts has moved, or was restored)") {
		t.Errorf("got %v and %v", steps, err)
	}

	s.world.Service.Spec = *s.want
	again(s)
	if got := s.want.UpdateConfig.FailureAction; got != swarm.UpdateFailureActionRollback {
		t.Errorf("afterwards a task that fails means %q", got)
	}
}

// TestReportWhileDataMoves wants a container that is held to say why, and a rollout not to be judged meanwhile.
func TestReportWhileDataMoves(t *testing.T) {
	s := scene(t, mountingData, onTheWay)
	s.trouble = s.scale.held
	if _, err := report(s, nil); err != nil {
		t.Fatal(err)
	}
	if c := conditions.Get(s.tc, conditions.Ready); c == nil || c.Reason != v1alpha1.ReasonMoving || c.Status != "False" {
		t.Errorf("ready is %+v", c)
	}

	latest := revision(2, "b", v1alpha1.OutcomeProgressing)
	if v, news := judge(s.tc, s.scale, s.world, history{revision(1, "a", v1alpha1.OutcomeComplete), latest}, s.now.AddDate(1, 0, 0)); news {
		t.Errorf("the rollout is judged: %+v", v)
	}
}

func stopped(spec swarm.ServiceSpec) bool {
	spec = servicespec.Stop(spec)

	return swarmobj.Stopped(&spec)
}

func TestStop(t *testing.T) {
	spec := swarm.ServiceSpec{Mode: swarm.ServiceMode{Global: &swarm.GlobalService{}}}
	spec.TaskTemplate.Placement = &swarm.Placement{Constraints: []string{"node.id==1"}}
	if swarmobj.Stopped(&spec) || !stopped(spec) || len(spec.TaskTemplate.Placement.Constraints) != 1 {
		t.Errorf("got %+v of %+v", servicespec.Stop(spec), spec)
	}
	three := uint64(3)
	spec.Mode = swarm.ServiceMode{Replicated: &swarm.ReplicatedService{Replicas: &three}}
	if swarmobj.Stopped(&spec) || !stopped(spec) || *spec.Mode.Replicated.Replicas != 3 {
		t.Errorf("got %+v of %+v", servicespec.Stop(spec), spec)
	}
}

// TestEntering: a create that comes late must not start what writes to data of one node; everything else starts at once.
func TestEntering(t *testing.T) {
	for name, c := range map[string]struct {
		reason  string
		change  func(*situation)
		created uint64
	}{
		"Writes":  {"Another one may write by the time that it is made.", func(*situation) {}, 0},
		"Reads":   {"Readers are many.", func(s *situation) { s.template.Volumes[0].ReadOnly = true }, 1},
		"Shares":  {"Who may share is its owner's to say.", func(s *situation) { s.supply.mounts.Volumes[0].NodeID = "" }, 1},
		"Nothing": {"There is nothing to write to.", func(s *situation) { s.template.Volumes, s.supply.mounts = nil, mounts.Set{} }, 1},
	} {
		t.Run(name, func(t *testing.T) {
			s := scene(t, mountingData, c.change)
			s.world.Service = nil
			again(s)
			if got := *s.want.Mode.Replicated.Replicas; got != c.created {
				t.Fatalf("%s\nreplicas of what is made: got %d, want %d", c.reason, got, c.created)
			}

			s.world.Service, s.created = &swarm.Service{ID: "svc-1", Spec: *s.want}, true
			again(s)
			steps, err := plan(s, noHolder)
			if err != nil {
				t.Fatal(err)
			}
			want := []string{`update service "acme_web": replicas 0 → 1 (it is there now, so it is given its task)`}
			if c.created == 1 {
				want = nil
			}
			var got []string
			for _, st := range steps {
				got = append(got, st.String())
			}
			if !slices.Equal(got, want) {
				t.Errorf("%s\nthen: got %q, want %q", c.reason, got, want)
			}
		})
	}
}
