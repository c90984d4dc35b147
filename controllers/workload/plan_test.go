package workload

import (
	"bytes"
	"errors"
	"testing"

	"github.com/docker/docker/api/types/swarm"
	"github.com/google/go-cmp/cmp"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/dogker/dogker/api/dogker/v1alpha1"
	"github.com/dogker/dogker/controllers/workload/servicespec"
	"github.com/dogker/dogker/reconciler/outcome"
	"github.com/dogker/dogker/reconciler/swarmobj"
)

// scene is a situation in which everything is as declared; changes make it the one that a case is about.
func scene(t *testing.T, changes ...func(*situation)) *situation {
	t.Helper()

	tc := &v1alpha1.TenantContainer{ObjectMeta: metav1.ObjectMeta{Namespace: "acme", Name: "web", UID: "uid-1", Generation: 1}}
	tc.Spec.Image = "shop:1"

	s := &situation{
		tc: tc, owner: ownerOf(tc), now: epoch, digests: testKey,
		template: servicespec.TemplateOf(&tc.Spec), templateHash: "a", image: "shop:1@sha256:" + digest,
		target: target{number: 1},
		world:  swarmobj.World{Network: &swarmobj.Network{ID: "net-1"}, Nodes: []swarm.Node{node("1")}},
	}

	record := revision(1, "a", v1alpha1.OutcomeComplete)
	s.history = history{record}
	s.target.record = &s.history[0]

	again(s)

	if s.want == nil {
		t.Fatalf("the scene cannot be rendered: %v", s.trouble)
	}

	s.world.Service = &swarm.Service{ID: "svc-1", Meta: swarm.Meta{Version: swarm.Version{Index: 9}}, Spec: *s.want}

	for _, change := range changes {
		change(s)
	}

	s.scale = effective(s.tc, s.tenant, s.timetable, s.scale.held)

	return s
}

// testKey is the key of digests in tests.
var testKey = func() swarmobj.DigestKey {
	key, err := swarmobj.NewDigestKey(bytes.Repeat([]byte{1}, swarmobj.DigestKeySize))
	if err != nil {
		panic(err)
	}

	return key
}()

const digest = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

func again(s *situation) {
	s.want, s.scale, s.confinement, s.moved = nil, effective(s.tc, s.tenant, s.timetable, s.scale.held), confinement{}, false
	render(s)
}

func TestPlan(t *testing.T) {
	cases := map[string]struct {
		reason string
		change func(*situation)
		steps  []string
		wait   string
	}{
		"Quiet": {
			reason: "Nothing differs, nothing is written.", change: func(*situation) {},
		},
		"NetworkFirst": {
			reason: "What the service refers to is made before it.",
			change: func(s *situation) { s.world.Network, s.world.Service = nil, nil },
			steps:  []string{`create network "acme_default"`},
		},
		"NetworkOfTenant": {
			reason: "The network of a tenant has a subnet of its own, and is the tenant controller's to make.",
			change: func(s *situation) {
				s.world.Network, s.world.Service, s.tenant = nil, nil, &v1alpha1.Tenant{}
			},
			wait: v1alpha1.ReasonTenantNotReady,
		},
		"FirstService": {
			reason: "The service comes before its record: somebody waits for it.",
			change: func(s *situation) {
				s.world.Service, s.history, s.target = nil, nil, target{number: 1, fresh: true}
			},
			steps: []string{`create service "acme_web"`},
		},
		"FirstServiceWithProof": {
			reason: "What was found out about the image is put on record before anything can be lost.",
			change: func(s *situation) {
				s.world.Service, s.history, s.target = nil, nil, target{number: 1, fresh: true}
				s.proof = &v1alpha1.ImageProof{}
			},
			steps: []string{`record revision "web-1" as Progressing`, `create service "acme_web"`},
		},
		"RecordAfterwards": {
			reason: "Then it is put on record, with what is known of its outcome.",
			change: func(s *situation) { s.history, s.target = nil, target{number: 1} },
			steps:  []string{`record revision "web-1" as Progressing`},
		},
		"RecordOfWhatIsComplete": {
			reason: "Where no task is wanted none has to be waited for.",
			change: func(s *situation) {
				s.history, s.target, s.tc.Spec.Replicas = nil, target{number: 1}, new(int32)
				again(s)
				s.world.Service.Spec = *s.want
			},
			steps: []string{`record revision "web-1" as Complete`},
		},
		"RolledBackAndNotJudgedYet": {
			reason: "A write before the tasks have told why would start the failed revision again.",
			change: func(s *situation) {
				failing := revision(2, "b", v1alpha1.OutcomeProgressing)
				s.history = append(s.history, failing)
				s.target, s.templateHash = target{number: 2, record: &failing}, "b"
				s.template.WorkingDir = "/srv"
				again(s)
				s.world.Service.UpdateStatus = &swarm.UpdateStatus{State: swarm.UpdateStateRollbackStarted}
			},
			wait: v1alpha1.ReasonRollingBack,
		},
		"NotBeforeItIsConfirmed": {
			reason: "A service that Swarm has not confirmed is no history yet.",
			change: func(s *situation) { s.history, s.target, s.world.Uncertain = nil, target{number: 1}, true },
		},
		"HandScaled": {
			reason: "Drift is put back, and called drift.",
			change: func(s *situation) {
				five := uint64(5)
				s.world.Service.Spec.Mode = swarm.ServiceMode{Replicated: &swarm.ReplicatedService{Replicas: &five}}
			},
			steps: []string{`update service "acme_web": replicas 5 → 1 (it had been changed outside Dogker)`},
		},
		"Scaled": {
			reason: "Scaling makes no revision.",
			change: func(s *situation) {
				three := int32(3)
				s.tc.Spec.Replicas, s.tc.Generation = &three, 2
				again(s)
			},
			steps: []string{`update service "acme_web": replicas 1 → 3 (scale or policy changed)`},
		},
		"NewTemplate": {
			reason: "A rollout is recorded before it is sent: a rollback by Swarm itself is then known for what it is.",
			change: func(s *situation) {
				s.tc.Generation, s.template.WorkingDir, s.templateHash = 2, "/srv", "b"
				s.target = target{number: 2, fresh: true}
				again(s)
			},
			steps: []string{
				`record revision "web-2" as Progressing`,
				`update service "acme_web": dir none → /srv (the spec changed)`,
			},
		},
		"NewTemplateAfterARollback": {
			reason: "While an earlier rollback is to be seen, the record must tell whether the new revision was sent.",
			change: func(s *situation) {
				s.tc.Generation, s.template.WorkingDir, s.templateHash = 2, "/srv", "b"
				s.target = target{number: 2, fresh: true}
				again(s)
				s.world.Service.UpdateStatus = &swarm.UpdateStatus{State: swarm.UpdateStateRollbackCompleted}
			},
			steps: []string{
				`record revision "web-2"`,
				`update service "acme_web": dir none → /srv (the spec changed)`,
				`mark revision "web-2" as Progressing`,
			},
		},
		"PolicyWaitsForTheRollout": {
			reason: "A write in the middle of a rollout would take its automatic rollback away.",
			change: func(s *situation) {
				s.auth = "fresh credentials"
				again(s)
				inState(s.world.Service, swarm.UpdateStateUpdating)
			},
		},
		"PolicyAfterTheRollout": {
			reason: "Credentials are refreshed without a restart.",
			change: func(s *situation) {
				s.auth = "fresh credentials"
				again(s)
			},
			steps: []string{`update service "acme_web": labels[io.dogker.registry-auth] (added) (scale or policy changed)`},
		},
		"Unplaceable": {
			reason: "A task that serves is not touched for one that could not start.",
			change: func(s *situation) {
				s.tc.Generation, s.templateHash = 2, "b"
				s.template.Placement = &v1alpha1.Placement{Constraints: []string{"node.labels.disk==ssd"}}
				s.target = target{number: 2, fresh: true}
				again(s)
			},
			wait: v1alpha1.ReasonUnschedulable,
		},
		"TooLarge": {
			reason: "Nor for one that every engine would refuse.",
			change: func(s *situation) {
				s.tc.Generation, s.templateHash = 2, "b"
				s.template.Resources = asking("1", "", "64", "")
				s.target = target{number: 2, fresh: true}
				again(s)
			},
			wait: v1alpha1.ReasonUnschedulable,
		},
		"UnplaceableInAnotherMode": {
			reason: "A service that has to be made anew is not taken away for one that could not start.",
			change: func(s *situation) {
				s.template.Mode = v1alpha1.ModeGlobal
				s.template.Placement = &v1alpha1.Placement{Constraints: []string{"node.labels.disk==ssd"}}
				again(s)
			},
			wait: v1alpha1.ReasonUnschedulable,
		},
		"UnplaceableAtFirst": {
			reason: "Where nothing serves yet, Swarm may say why, and place it as soon as it can.",
			change: func(s *situation) {
				s.template.Resources = asking("", "1Ti", "", "")
				again(s)
				s.world.Service, s.history, s.target = nil, nil, target{number: 1, fresh: true}
			},
			steps: []string{`create service "acme_web"`},
		},
		"RefusedAtFirst": {
			reason: "An engine would refuse one task after the other, without an end.",
			change: func(s *situation) {
				s.template.Resources = asking("1", "", "64", "")
				again(s)
				s.world.Service, s.history, s.target = nil, nil, target{number: 1, fresh: true}
			},
			wait: v1alpha1.ReasonUnschedulable,
		},
		"GlobalSuspended": {
			reason: "A global container is stopped by leaving it no node, and that is no obstacle.",
			change: func(s *situation) {
				s.template.Mode = v1alpha1.ModeGlobal
				again(s)
				s.world.Service.Spec = *s.want
				s.tc.Annotations = map[string]string{v1alpha1.AnnotationSuspend: "Overdue"}
				again(s)
			},
			steps: []string{`update service "acme_web": placement.constraints none → [node.labels.io.dogker.suspended==true] (scale or policy changed)`},
		},
		"TenantSuspended": {
			reason: "A tenant's suspension is its containers', and changes none of them.",
			change: func(s *situation) {
				s.tenant = tenant(map[string]string{v1alpha1.AnnotationBillingSuspend: "Overdue"})
				again(s)
			},
			steps: []string{`update service "acme_web": replicas 1 → 0 (scale or policy changed)`},
		},
		"ModeChanged": {
			reason: "Swarm cannot change the mode of a service; it is made anew, and that is said.",
			change: func(s *situation) {
				s.template.Mode = v1alpha1.ModeGlobal
				again(s)
			},
			steps: []string{`remove service "acme_web": Swarm cannot make this change in place: mode Replicated → Global, replicas 1 → none, rollbackConfig.order start-first → stop-first, updateConfig.order start-first → stop-first`},
		},
		"Squatter": {
			reason: "A service that is not ours is not touched.",
			change: func(s *situation) {
				s.world.Service, s.world.Squatter = nil, &swarm.Service{Spec: swarm.ServiceSpec{Annotations: swarm.Annotations{Name: "acme_web"}}}
			},
			wait: v1alpha1.ReasonNameConflict,
		},
		"NetworkSquatter": {
			reason: "Nor is a network.",
			change: func(s *situation) { s.world.Network, s.world.NetworkSquatter = nil, true },
			wait:   v1alpha1.ReasonNameConflict,
		},
		"StaleController": {
			reason: "A controller that has seen less than Swarm holds is refused.",
			change: func(s *situation) { s.world.Service.Spec.Labels[v1alpha1.SwarmLabelGeneration] = "7" },
			wait:   v1alpha1.ReasonStaleController,
		},
		"Waiting": {
			reason: "A first start waits for what it depends on.",
			change: func(s *situation) { s.world.Service, s.waitingFor = nil, []string{"db"} },
			wait:   v1alpha1.ReasonWaitingForDependency,
		},
		"RunningWaitsForNobody": {
			reason: "What runs goes on without what it depended on.",
			change: func(s *situation) { s.waitingFor = []string{"db"} },
		},
		"Verdict": {
			reason: "A verdict is written before it is acted upon.",
			change: func(s *situation) {
				s.verdict = &verdict{v1alpha1.OutcomeFailed, cause{v1alpha1.ReasonCrashLoop, "non-zero exit (3)"}}
			},
			steps: []string{`mark revision "web-1" as Failed: CrashLoop`},
		},
		"Duplicate": {
			reason: "There is one service for one container.",
			change: func(s *situation) { s.world.Duplicates = []swarm.Service{{ID: "svc-2", Spec: *s.want}} },
			steps:  []string{`remove service "acme_web": a second service of the same owner`},
		},
		"OldRevisions": {
			reason: "What is past the limit goes, while nothing else is going on.",
			change: func(s *situation) {
				one := int32(1)
				s.tc.Spec.RevisionHistoryLimit = &one
				s.history = append(history{revision(1, "x", v1alpha1.OutcomeComplete), revision(2, "y", v1alpha1.OutcomeComplete)}, revision(3, "a", v1alpha1.OutcomeComplete))
				s.target = target{number: 3, record: &s.history[2]}
				again(s)
				s.world.Service.Spec = *s.want
			},
			steps: []string{`remove revision "web-1"`},
		},
	}

	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			held := func(swarm.PortConfigPublishMode, swarm.PortConfig, string) (swarmobj.Owner, bool) {
				return swarmobj.Owner{}, false
			}

			steps, err := plan(scene(t, tc.change), held)

			var got []string
			for _, s := range steps {
				got = append(got, s.String())
			}
			if diff := cmp.Diff(tc.steps, got); diff != "" {
				t.Errorf("%s\nsteps (-want +got):\n%s", tc.reason, diff)
			}

			var wait *outcome.Wait
			reason := ""
			if errors.As(err, &wait) {
				reason = wait.Reason
			} else if err != nil {
				t.Fatal(err)
			}
			if reason != tc.wait {
				t.Errorf("%s\nwaits for %q, want %q", tc.reason, reason, tc.wait)
			}
		})
	}
}
