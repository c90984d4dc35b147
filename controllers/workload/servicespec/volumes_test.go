package servicespec_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/docker/docker/api/types/mount"
	"github.com/docker/docker/api/types/swarm"
	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"pgregory.net/rapid"

	"github.com/dogker/dogker/api/dogker/v1alpha1"
	"github.com/dogker/dogker/controllers/workload/servicespec"
)

func TestBuildVolumes(t *testing.T) {
	catalogOptions := &mount.VolumeOptions{Labels: labelsOf("catalog")}

	cases := map[string]struct {
		reason   string
		template func(*template)
		input    func(*input)
		want     func(*swarm.ServiceSpec)
	}{
		"OneNode": {
			reason: "Its tasks run where the data is, and one after the other.",
			template: func(t *template) {
				t.Volumes = []v1alpha1.VolumeMount{{Name: "catalog", MountPath: "/data"}}
			},
			want: func(s *swarm.ServiceSpec) {
				c(s).Mounts = []mount.Mount{{Type: "volume", Source: "acme_catalog_1a2b3c", Target: "/data", VolumeOptions: catalogOptions}}
				s.TaskTemplate.Placement.Constraints = []string{"node.id==node1"}
				s.UpdateConfig.Order, s.RollbackConfig.Order = "stop-first", "stop-first"
			},
		},
		"OneNodeForReading": {
			reason: "Readers are many, and in nobody's way; but they, too, have to be where the data is.",
			template: func(t *template) {
				t.Volumes = []v1alpha1.VolumeMount{{Name: "catalog", MountPath: "/data", ReadOnly: true}}
			},
			input: func(in *input) { in.Replicas = 3 },
			want: func(s *swarm.ServiceSpec) {
				c(s).Mounts = []mount.Mount{{Type: "volume", Source: "acme_catalog_1a2b3c", Target: "/data", ReadOnly: true, VolumeOptions: catalogOptions}}
				s.TaskTemplate.Placement.Constraints = []string{"node.id==node1"}
				s.Mode.Replicated.Replicas = new(uint64(3))
			},
		},
		"NeverTwoWriters": {
			reason:   "Whatever is declared: an older template may have the volume that the declared one has no more.",
			template: func(t *template) { t.Volumes = []v1alpha1.VolumeMount{{Name: "catalog", MountPath: "/data"}} },
			input: func(in *input) {
				in.Replicas, in.Rollout = 3, &v1alpha1.Rollout{Order: v1alpha1.OrderStartFirst}
			},
			want: func(s *swarm.ServiceSpec) {
				c(s).Mounts = []mount.Mount{{Type: "volume", Source: "acme_catalog_1a2b3c", Target: "/data", VolumeOptions: catalogOptions}}
				s.TaskTemplate.Placement.Constraints = []string{"node.id==node1"}
				s.UpdateConfig.Order, s.RollbackConfig.Order = "stop-first", "stop-first"
			},
		},
		"AllNodes": {
			reason: "A driver and its options are said; a program made for sharing may start before the old one stops, when asked to.",
			template: func(t *template) {
				t.Volumes = []v1alpha1.VolumeMount{{Name: "uploads", MountPath: "/data"}}
			},
			input: func(in *input) {
				in.Replicas, in.Rollout = 3, &v1alpha1.Rollout{Order: v1alpha1.OrderStartFirst}
			},
			want: func(s *swarm.ServiceSpec) {
				c(s).Mounts = []mount.Mount{{Type: "volume", Source: "acme_uploads_4d5e6f", Target: "/data", VolumeOptions: &mount.VolumeOptions{
					Labels:       labelsOf("uploads"),
					DriverConfig: &mount.Driver{Name: "local", Options: map[string]string{"type": "nfs", "device": ":/export/acme/uploads", "o": "addr=192.0.2.1,rw"}},
				}}}
				s.Mode.Replicated.Replicas = new(uint64(3))
			},
		},
		"AllNodesByDefault": {
			reason:   "Who has not said that two can share is given one after the other.",
			template: func(t *template) { t.Volumes = []v1alpha1.VolumeMount{{Name: "uploads", MountPath: "/data"}} },
			want: func(s *swarm.ServiceSpec) {
				c(s).Mounts = []mount.Mount{{Type: "volume", Source: "acme_uploads_4d5e6f", Target: "/data", VolumeOptions: &mount.VolumeOptions{
					Labels: labelsOf("uploads"), DriverConfig: &mount.Driver{Name: "local", Options: uploads().Options},
				}}}
				s.UpdateConfig.Order, s.RollbackConfig.Order = "stop-first", "stop-first"
			},
		},
		"EachItsOwnSource": {
			reason: "Two volumes of one container once shared a source, and with it their data.",
			template: func(t *template) {
				t.Volumes = []v1alpha1.VolumeMount{
					{Name: "uploads", MountPath: "/b", ReadOnly: true}, {Name: "catalog", MountPath: "/c", ReadOnly: true}, {Name: "catalog", MountPath: "/a", ReadOnly: true},
				}
			},
			want: func(s *swarm.ServiceSpec) {
				c(s).Mounts = []mount.Mount{
					{Type: "volume", Source: "acme_catalog_1a2b3c", Target: "/a", ReadOnly: true, VolumeOptions: catalogOptions},
					{Type: "volume", Source: "acme_uploads_4d5e6f", Target: "/b", ReadOnly: true, VolumeOptions: &mount.VolumeOptions{
						Labels: labelsOf("uploads"), DriverConfig: &mount.Driver{Name: "local", Options: uploads().Options},
					}},
					{Type: "volume", Source: "acme_catalog_1a2b3c", Target: "/c", ReadOnly: true, VolumeOptions: catalogOptions},
				}
				s.TaskTemplate.Placement.Constraints = []string{"node.id==node1"}
			},
		},
		"NotMounted": {
			reason: "What the namespace has beside is nothing to this container.",
			want:   func(*swarm.ServiceSpec) {},
		},
	}

	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			tmpl := minimal()
			if tc.template != nil {
				tc.template(tmpl)
			}
			in := inputOf(tmpl)
			in.Volumes = []servicespec.ResolvedVolume{catalog(), uploads()}
			if tc.input != nil {
				tc.input(&in)
			}

			want := minimalSpec()
			tc.want(&want)
			got := build(t, in)
			delete(got.Labels, v1alpha1.SwarmLabelSpecHash)
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("%s\n-want +got:\n%s", tc.reason, diff)
			}
		})
	}
}

// TestMountsSurviveWhateverElseChanges is the fault that the design begins with: stop, scale, update and restart are all made
// from the whole template, so that none of them takes a mount away.
func TestMountsSurviveWhateverElseChanges(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		in := buildable().Draw(r, "input")
		before, _ := servicespec.Build(in)

		in.Template = in.Template.DeepCopy()
		in.Template.Image, in.Image = "registry.example/other:2", "registry.example/other:2@sha256:"+zeros
		in.Replicas = rapid.Uint64Range(0, 5).Draw(r, "replicas")
		in.Suspended = rapid.Bool().Draw(r, "now suspended")
		in.ForceUpdate++
		in.Rollout = maybe(r, "other rollout", rollouts)
		after, err := servicespec.Build(in)
		if err != nil {
			r.Fatal(err)
		}

		if diff := cmp.Diff(before.TaskTemplate.ContainerSpec.Mounts, after.TaskTemplate.ContainerSpec.Mounts); diff != "" {
			r.Fatalf("mounts changed:\n%s", diff)
		}
		if diff := cmp.Diff(pinsOf(before), pinsOf(after), cmpopts.EquateEmpty()); diff != "" {
			r.Fatalf("the node changed:\n%s", diff)
		}
	})
}

func pinsOf(s swarm.ServiceSpec) []string {
	return slices.DeleteFunc(slices.Clone(s.TaskTemplate.Placement.Constraints), func(c string) bool { return c == servicespec.SuspendedConstraint })
}

// TestNothingOfADriverIsShown: events are the tenant's to read, and options the platform's to know.
func TestNothingOfADriverIsShown(t *testing.T) {
	in := inputOf(minimal())
	in.Template.Volumes = []v1alpha1.VolumeMount{{Name: "uploads", MountPath: "/data"}}
	in.Volumes = []servicespec.ResolvedVolume{uploads()}
	want := build(t, in)
	in.Volumes[0].Options = map[string]string{"o": "username=a,password=correct horse"}
	live := build(t, in)

	text := servicespec.Diff(live, want).String()
	if strings.Contains(text, "horse") || strings.Contains(text, "192.0.2.1") {
		t.Errorf("changes show options: %s", text)
	}
	if !strings.Contains(text, "mounts[/data].volumeOptions.driverConfig.options[o] (changed)") {
		t.Errorf("changes do not say what differs: %s", text)
	}
}

// TestDiffOfMounts: what somebody does to mounts by hand is a difference.
func TestDiffOfMounts(t *testing.T) {
	in := inputOf(minimal())
	in.Template.Volumes = []v1alpha1.VolumeMount{{Name: "catalog", MountPath: "/data"}}
	in.Volumes = []servicespec.ResolvedVolume{catalog()}
	want := build(t, in)

	for name, change := range map[string]func(*swarm.ServiceSpec){
		"MountTaken":    func(s *swarm.ServiceSpec) { c(s).Mounts = nil },
		"AnotherSource": func(s *swarm.ServiceSpec) { c(s).Mounts[0].Source = "empty" },
		"ReadOnly":      func(s *swarm.ServiceSpec) { c(s).Mounts[0].ReadOnly = true },
		"LabelsGone":    func(s *swarm.ServiceSpec) { c(s).Mounts[0].VolumeOptions = nil },
		"NoCopy":        func(s *swarm.ServiceSpec) { c(s).Mounts[0].VolumeOptions.NoCopy = true },
		"PinTaken":      func(s *swarm.ServiceSpec) { s.TaskTemplate.Placement.Constraints = nil },
		"AnotherNode":   func(s *swarm.ServiceSpec) { s.TaskTemplate.Placement.Constraints = []string{"node.id==node2"} },
		"BindMountBeside": func(s *swarm.ServiceSpec) {
			c(s).Mounts = append(c(s).Mounts, mount.Mount{Type: "bind", Source: "/", Target: "/host"})
		},
	} {
		t.Run(name, func(t *testing.T) {
			live := throughJSON(t, want)
			change(&live)
			if impact := servicespec.Diff(live, want).Impact(); impact != servicespec.ImpactTemplate {
				t.Errorf("impact: got %s, want %s", impact, servicespec.ImpactTemplate)
			}
		})
	}
}
