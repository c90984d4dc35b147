package mounting_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/dogker/dogker/api/dogker/v1alpha1"
	"github.com/dogker/dogker/reconciler/mounting"
)

// access knows Volumes by the first word of their names.
func access(name string) (v1alpha1.VolumeAccess, bool) {
	switch {
	case strings.HasPrefix(name, "one"):
		return v1alpha1.AccessSingle, true
	case strings.HasPrefix(name, "many"):
		return v1alpha1.AccessMany, true
	default:
		return "", false
	}
}

func mount(name, path string) v1alpha1.VolumeMount {
	return v1alpha1.VolumeMount{Name: v1alpha1.DNSLabel(name), MountPath: v1alpha1.AbsolutePath(path)}
}

func TestConflicts(t *testing.T) {
	const why = `because Volume "one" is mounted for writing and its data is on one node: mount it with readOnly, or use a Volume whose class has access Many`

	cases := map[string]struct {
		reason string
		spec   v1alpha1.TenantContainerSpec
		want   []string
	}{
		"NoVolumes": {
			reason: "Whatever else is declared, there is nothing to share.",
			spec:   v1alpha1.TenantContainerSpec{Mode: v1alpha1.ModeGlobal, Rollout: &v1alpha1.Rollout{Order: v1alpha1.OrderStartFirst}},
		},
		"OneTask": {
			reason: "One writer is what a Volume is for.",
			spec:   v1alpha1.TenantContainerSpec{Replicas: new(int32(1)), Volumes: []v1alpha1.VolumeMount{mount("one", "/a")}},
		},
		"ManyTasks": {
			reason: "Two tasks would write to one directory.",
			spec:   v1alpha1.TenantContainerSpec{Replicas: new(int32(2)), Volumes: []v1alpha1.VolumeMount{mount("one", "/a")}},
			want:   []string{"spec.replicas: Invalid value: 2: must be at most 1, " + why},
		},
		"ManyTasksLater": {
			reason: "The autoscaler would start them.",
			spec: v1alpha1.TenantContainerSpec{
				Autoscaling: &v1alpha1.Autoscaling{MaxReplicas: 3}, Volumes: []v1alpha1.VolumeMount{mount("many", "/b"), mount("one", "/a")},
			},
			want: []string{"spec.autoscaling.maxReplicas: Invalid value: 3: must be at most 1, " + why},
		},
		"Everywhere": {
			reason: "One node has the data.",
			spec:   v1alpha1.TenantContainerSpec{Mode: v1alpha1.ModeGlobal, Volumes: []v1alpha1.VolumeMount{mount("one", "/a")}},
			want:   []string{`spec.mode: Invalid value: "Global": must be Replicated, ` + why},
		},
		"StartFirst": {
			reason: "During a rollout there would be two.",
			spec: v1alpha1.TenantContainerSpec{
				Rollout: &v1alpha1.Rollout{Order: v1alpha1.OrderStartFirst}, Volumes: []v1alpha1.VolumeMount{mount("one", "/a")},
			},
			want: []string{`spec.rollout.order: Invalid value: "StartFirst": must be StopFirst, ` + why},
		},
		"ReadersAreMany": {
			reason: "Reading takes nothing away from anybody.",
			spec: v1alpha1.TenantContainerSpec{
				Replicas: new(int32(9)), Volumes: []v1alpha1.VolumeMount{{Name: "one", MountPath: "/a", ReadOnly: true}},
			},
		},
		"SharedByAllNodes": {
			reason: "Whether a program can share is its owner's to know.",
			spec: v1alpha1.TenantContainerSpec{
				Replicas: new(int32(9)), Rollout: &v1alpha1.Rollout{Order: v1alpha1.OrderStartFirst}, Volumes: []v1alpha1.VolumeMount{mount("many", "/a")},
			},
		},
		"NotKnownYet": {
			reason: "A Volume may be applied after the container that mounts it.",
			spec:   v1alpha1.TenantContainerSpec{Replicas: new(int32(9)), Volumes: []v1alpha1.VolumeMount{mount("later", "/a")}},
		},
		"OneReaderOneWriter": {
			reason: "A second mount, for reading, does not make the first one harmless.",
			spec: v1alpha1.TenantContainerSpec{
				Replicas: new(int32(2)), Volumes: []v1alpha1.VolumeMount{{Name: "one", MountPath: "/a", ReadOnly: true}, mount("one", "/b")},
			},
			want: []string{"spec.replicas: Invalid value: 2: must be at most 1, " + why},
		},
		"InOnePlace": {
			reason: "One would hide the other, also when the paths only look different.",
			spec: v1alpha1.TenantContainerSpec{
				Files:   []v1alpha1.File{{Path: "/a/b"}},
				Tmpfs:   []v1alpha1.Tmpfs{{MountPath: "/cache"}},
				Volumes: []v1alpha1.VolumeMount{mount("many", "/a/./b"), mount("many", "/cache"), mount("one", "/x"), mount("one", "/y/../x/")},
			},
			want: []string{
				`spec.volumes[0].mountPath: Invalid value: "/a/./b": must be a path of its own: files[0] is there`,
				`spec.volumes[1].mountPath: Invalid value: "/cache": must be a path of its own: tmpfs[0] is there`,
				`spec.volumes[3].mountPath: Invalid value: "/y/../x/": must be a path of its own: volumes[2] is there`,
			},
		},
		"OneBelowAnother": {
			reason: "A file in a volume is what many programs want.",
			spec: v1alpha1.TenantContainerSpec{
				Files:   []v1alpha1.File{{Path: "/data/app.conf"}},
				Tmpfs:   []v1alpha1.Tmpfs{{MountPath: "/data/tmp"}},
				Volumes: []v1alpha1.VolumeMount{mount("one", "/data"), mount("many", "/data/shared")},
			},
		},
	}

	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			var got []string
			for _, e := range mounting.Conflicts(&tc.spec, access) {
				got = append(got, e.Error())
			}
			if diff := cmp.Diff(tc.want, got); diff != "" {
				t.Errorf("%s\n-want +got:\n%s", tc.reason, diff)
			}
		})
	}
}

// TestNeverTwoWriters: what passes has one task at most wherever one node has the data and it is written.
func TestNeverTwoWriters(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		spec := &v1alpha1.TenantContainerSpec{
			Mode:     rapid.SampledFrom([]v1alpha1.Mode{"", v1alpha1.ModeReplicated, v1alpha1.ModeGlobal}).Draw(r, "mode"),
			Replicas: new(rapid.Int32Range(0, 3).Draw(r, "replicas")),
		}
		if rapid.Bool().Draw(r, "autoscaled") {
			spec.Autoscaling = &v1alpha1.Autoscaling{MaxReplicas: rapid.Int32Range(1, 3).Draw(r, "most")}
		}
		if rapid.Bool().Draw(r, "rollout") {
			spec.Rollout = &v1alpha1.Rollout{Order: rapid.SampledFrom([]v1alpha1.RolloutOrder{"", v1alpha1.OrderStartFirst, v1alpha1.OrderStopFirst}).Draw(r, "order")}
		}
		for range rapid.IntRange(0, 3).Draw(r, "mounts") {
			m := mount(rapid.SampledFrom([]string{"one", "one-more", "many", "later"}).Draw(r, "name"), rapid.StringMatching(`/[a-z]{1,3}`).Draw(r, "path"))
			m.ReadOnly = rapid.Bool().Draw(r, "read-only")
			spec.Volumes = append(spec.Volumes, m)
		}

		most := *spec.Replicas
		if spec.Autoscaling != nil {
			most = max(most, spec.Autoscaling.MaxReplicas)
		}
		several := spec.Mode == v1alpha1.ModeGlobal || most > 1 || spec.Rollout != nil && spec.Rollout.Order == v1alpha1.OrderStartFirst
		written := mounting.Writes(spec.Volumes, "one") || mounting.Writes(spec.Volumes, "one-more")

		if errs := mounting.Conflicts(spec, access); several && written && len(errs) == 0 {
			r.Fatalf("more than one task may write: %+v", spec)
		}
		if name := mounting.OneWriter(spec.Volumes, access); written != (name != "") {
			r.Fatalf("written: %t, by OneWriter: %q", written, name)
		}
	})
}
