package servicespec_test

import (
	"strings"
	"testing"
	"time"

	"github.com/docker/docker/api/types/container"
	"github.com/docker/docker/api/types/mount"
	"github.com/docker/docker/api/types/swarm"

	"github.com/dogker/dogker/api/dogker/v1alpha1"
	"github.com/dogker/dogker/controllers/workload/servicespec"
)

// TestDiff changes a live service and says what has to be done about it.
func TestDiff(t *testing.T) {
	cases := map[string]struct {
		reason string
		live   func(*swarm.ServiceSpec)
		want   string
		impact servicespec.Impact
	}{
		"Nothing": {reason: "Nothing happened.", live: func(*swarm.ServiceSpec) {}},
		"WhatTheEngineFillsIn": {
			reason: "Its words for nothing.",
			live: func(s *swarm.ServiceSpec) {
				c(s).Isolation, c(s).Secrets, c(s).DNSConfig = "default", []*swarm.SecretReference{}, &swarm.DNSConfig{}
				c(s).Privileges, c(s).Healthcheck, c(s).Labels = &swarm.Privileges{}, &container.HealthConfig{}, map[string]string{}
				s.TaskTemplate.Resources = &swarm.ResourceRequirements{Limits: &swarm.Limit{}, Reservations: &swarm.Resources{}}
				s.TaskTemplate.LogDriver, s.TaskTemplate.Runtime, s.TaskTemplate.Placement = &swarm.Driver{}, "", nil
				s.TaskTemplate.RestartPolicy = nil
				s.Mode = swarm.ServiceMode{}
				s.Networks = []swarm.NetworkAttachmentConfig{} //nolint:staticcheck // On purpose.
			},
		},
		"Bookkeeping": {
			reason: "It is written along with a change and never is one.",
			live: func(s *swarm.ServiceSpec) {
				s.Labels["io.dogker.generation"] = "2"
				delete(s.Labels, "io.dogker.spec-hash")
			},
		},
		"RestartedByHand": {
			reason: "Taking the number back would restart the tasks again.",
			live:   func(s *swarm.ServiceSpec) { s.TaskTemplate.ForceUpdate = 9 },
		},
		"EnvInAnotherOrder": {
			reason: "The docker command shuffles variables when it adds one and removes it again.",
			live:   func(s *swarm.ServiceSpec) { c(s).Env = []string{"B=2", "A=1"} },
		},
		"Scaled": {
			reason: "The tasks that stay are left alone.",
			live:   func(s *swarm.ServiceSpec) { s.Mode.Replicated.Replicas = new(uint64(3)) },
			want:   "replicas 3 → 1", impact: servicespec.ImpactScale,
		},
		"ScaledToNothing": {
			reason: "Zero is a number, too.",
			live:   func(s *swarm.ServiceSpec) { s.Mode.Replicated.Replicas = new(uint64(0)) },
			want:   "replicas 0 → 1", impact: servicespec.ImpactScale,
		},
		"ImageAndScale": {
			reason: "What restarts tasks comes first, and a digest is cut to what people compare.",
			live: func(s *swarm.ServiceSpec) {
				c(s).Image = "registry.example/shop:1.3@sha256:" + strings.Repeat("ab", 32)
				s.Mode.Replicated.Replicas = new(uint64(2))
			},
			want:   "image registry.example/shop:1.3@sha256:abababababab → registry.example/shop:1.4@sha256:000000000000, replicas 2 → 1",
			impact: servicespec.ImpactTemplate,
		},
		"Variables": {
			reason: "Any of them may hold a password: names are shown, values never.",
			live:   func(s *swarm.ServiceSpec) { c(s).Env = []string{"A=secret", "C=secret"} },
			want:   "env[A] (changed), env[B] (added), env[C] (removed)", impact: servicespec.ImpactTemplate,
		},
		"VariableTwice": {
			reason: "The last one counts, but two are not what is declared.",
			live:   func(s *swarm.ServiceSpec) { c(s).Env = []string{"A=0", "A=1", "B=2"} },
			want:   "env[A] (changed), env[A]' (removed)", impact: servicespec.ImpactTemplate,
		},
		"OwnerLabels": {
			reason: "Ownership is decided by them.",
			live:   func(s *swarm.ServiceSpec) { delete(s.Labels, "io.dogker.uid"); s.Labels["io.dogker.tenant"] = "x" },
			want: "labels[io.dogker.tenant] x → acme, " +
				"labels[io.dogker.uid] none → 11111111-2222-3333-4444-555555555555",
		},
		"ForeignLabel": {
			reason: "The declared state is exact.",
			live:   func(s *swarm.ServiceSpec) { s.Labels["traefik.enable"] = "true" },
			want:   "labels[traefik.enable] true → none",
		},
		"Credentials": {
			reason: "They are renewed without a restart; their digest says nothing to anybody.",
			live:   func(s *swarm.ServiceSpec) { s.Labels["io.dogker.registry-auth"] = "0123" },
			want:   "labels[io.dogker.registry-auth] (removed)",
		},
		"Policy": {
			reason: "How Swarm will go about the next update restarts nothing now.",
			live:   func(s *swarm.ServiceSpec) { s.UpdateConfig = nil; s.RollbackConfig.Monitor = time.Minute },
			want: "rollbackConfig.monitor 1m0s → 5s, updateConfig.failureAction pause → rollback, " +
				"updateConfig.order stop-first → start-first",
		},
		"Mode": {
			reason: "Swarm answers such an update with 501.",
			live:   func(s *swarm.ServiceSpec) { s.Mode = swarm.ServiceMode{Global: &swarm.GlobalService{}} },
			want:   "mode Global → Replicated, replicas none → 1", impact: servicespec.ImpactRecreate,
		},
		"Job": {
			reason: "A service of another kind under our name.",
			live:   func(s *swarm.ServiceSpec) { s.Mode = swarm.ServiceMode{ReplicatedJob: &swarm.ReplicatedJob{}} },
			want:   "mode ReplicatedJob → Replicated, replicas none → 1", impact: servicespec.ImpactRecreate,
		},
		"Name": {
			reason: "Swarm renames nothing.",
			live:   func(s *swarm.ServiceSpec) { s.Name = "acme_other" },
			want:   "name acme_other → acme_web", impact: servicespec.ImpactRecreate,
		},
		"EndpointDefaults": {
			reason: "What is not said is a virtual IP.",
			live:   func(s *swarm.ServiceSpec) { s.EndpointSpec = nil },
			want:   "mode vip → dnsrr", impact: servicespec.ImpactTemplate,
		},
		"Port": {
			reason: "A port that somebody published by hand, in the engine's short form.",
			live:   func(s *swarm.ServiceSpec) { s.EndpointSpec.Ports = []swarm.PortConfig{{TargetPort: 80}} },
			want:   "ports[0].protocol tcp → none, ports[0].publishMode ingress → none, ports[0].targetPort 80 → none",
			impact: servicespec.ImpactTemplate,
		},
		"InitOn": {
			reason: "A switch with three states.",
			live:   func(s *swarm.ServiceSpec) { c(s).Init = new(false) },
			want:   "init false → none", impact: servicespec.ImpactTemplate,
		},
		"FieldsThatWeNeverSet": {
			reason: "Whatever somebody found in the engine's documentation.",
			live: func(s *swarm.ServiceSpec) {
				c(s).DNSConfig, c(s).OomScoreAdj, c(s).Groups = &swarm.DNSConfig{Nameservers: []string{"8.8.8.8", ""}}, -5, []string{"0"}
				c(s).Mounts = []mount.Mount{{Type: "bind", Source: "/", Target: "/host"}}
				c(s).Privileges = &swarm.Privileges{NoNewPrivileges: true}
			},
			want: `dnsConfig.nameservers [8.8.8.8 ""] → none, groups [0] → none, mounts[/host].source / → none, ` +
				"mounts[/host].target /host → none, mounts[/host].type bind → none, oomScoreAdj -5 → none, " +
				"privileges.noNewPrivileges true → none",
			impact: servicespec.ImpactTemplate,
		},
		"SecondNetwork": {
			reason: "Attached by hand, in either field.",
			live: func(s *swarm.ServiceSpec) {
				s.TaskTemplate.Networks = append(s.TaskTemplate.Networks, swarm.NetworkAttachmentConfig{Target: "zzz"})
				s.Networks = []swarm.NetworkAttachmentConfig{{Target: "yyy"}} //nolint:staticcheck // On purpose.
			},
			want: "networks[0].target yyy → none, networks[1].target zzz → none", impact: servicespec.ImpactTemplate,
		},
		"SuspendedByHand": {
			reason: "A constraint may take tasks away.",
			live: func(s *swarm.ServiceSpec) {
				s.TaskTemplate.Placement = &swarm.Placement{Constraints: []string{"node.id==x", "node.role == worker"}}
			},
			want: `placement.constraints [node.id==x "node.role == worker"] → none`, impact: servicespec.ImpactTemplate,
		},
		"LongValues": {
			reason: "An Event has little room.",
			live:   func(s *swarm.ServiceSpec) { c(s).Dir = "/" + strings.Repeat("é", 200) },
			want:   "dir /" + strings.Repeat("é", 59) + "… → none", impact: servicespec.ImpactTemplate,
		},
		"NoWordsForIt": {
			reason: "A difference must not go unnoticed for want of words.",
			live: func(s *swarm.ServiceSpec) {
				s.TaskTemplate.Placement.Preferences = make([]swarm.PlacementPreference, 1)
			},
			want: "spec (changed)", impact: servicespec.ImpactTemplate,
		},
	}

	in := inputOf(minimal())
	in.Env = []string{"A=1", "B=2"}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			live := build(t, in)
			tc.live(&live)

			got := servicespec.Diff(live, build(t, in))
			if got.String() != tc.want || got.Impact() != tc.impact {
				t.Errorf("%s\ngot  %q, impact %s\nwant %q, impact %s", tc.reason, got, got.Impact(), tc.want, tc.impact)
			}
		})
	}
}

func TestDiffAsksForARestart(t *testing.T) {
	in := inputOf(minimal())
	live := build(t, in)
	in.ForceUpdate = live.TaskTemplate.ForceUpdate + 1
	in.RestartedAt = "now"

	got := servicespec.Diff(live, build(t, in))
	if want := "forceUpdate none → 1"; got.String() != want {
		t.Errorf("got %q, want %q: our own notes are not told beside a change", got, want)
	}
}

func TestChangesAreCutToAnEvent(t *testing.T) {
	in := inputOf(minimal())
	live := build(t, in)
	in.Template.Labels = map[string]v1alpha1.LabelText{}
	for _, letter := range "abcdefghijklmnopqrstuvwxyz" {
		in.Template.Labels[string(letter)] = v1alpha1.LabelText(strings.Repeat(string(letter), 100))
	}

	got := servicespec.Diff(live, build(t, in))
	text := got.String()
	if len(got) != 26 || len(text) > 1000 || !strings.HasSuffix(text, " and 19 more") {
		t.Errorf("%d changes in %d bytes: %q", len(got), len(text), text)
	}
}

func TestNoChangesHaveNoImpact(t *testing.T) {
	if got := (servicespec.Changes)(nil); got.Impact() != servicespec.ImpactPolicy || got.String() != "" {
		t.Errorf("got %q, impact %s", got, got.Impact())
	}
}

func TestImpactsHaveNames(t *testing.T) {
	want := []string{"policy", "scale", "template", "recreate"}
	for i, impact := range []servicespec.Impact{
		servicespec.ImpactPolicy, servicespec.ImpactScale, servicespec.ImpactTemplate, servicespec.ImpactRecreate,
	} {
		if impact.String() != want[i] {
			t.Errorf("got %q, want %q", impact, want[i])
		}
	}
}

// BenchmarkDiffOfTheSame is what a resync pays for each service that is as it should be.
func BenchmarkDiffOfTheSame(b *testing.B) {
	in := completeInput(b)
	want := build(b, in)
	live := readBack(b, want)

	for b.Loop() {
		if len(servicespec.Diff(live, want)) > 0 {
			b.Fatal("a difference")
		}
	}
}

func BenchmarkBuild(b *testing.B) {
	in := completeInput(b)
	for b.Loop() {
		build(b, in)
	}
}

func BenchmarkTemplateHash(b *testing.B) {
	t := complete()
	for b.Loop() {
		servicespec.TemplateHash(t, nil)
	}
}
