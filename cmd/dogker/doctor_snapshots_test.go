package main

import (
	"strings"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/dogker/dogker/api/dogker/v1alpha1"
	"github.com/dogker/dogker/internal/swarm"
)

func TestSnapshotFindings(t *testing.T) {
	class := func(name, marked string, status metav1.ConditionStatus) v1alpha1.VolumeSnapshotClass {
		c := v1alpha1.VolumeSnapshotClass{ObjectMeta: metav1.ObjectMeta{Name: name, Annotations: map[string]string{v1alpha1.AnnotationDefaultClass: marked}}}
		if status != "" {
			c.Status.Conditions = []metav1.Condition{{Type: "Ready", Status: status, Reason: "X", Message: "The place denies it"}}
		}

		return c
	}
	volume := func(s *v1alpha1.VolumeSnapshots) v1alpha1.Volume {
		return v1alpha1.Volume{ObjectMeta: metav1.ObjectMeta{Namespace: "acme", Name: "data"}, Spec: v1alpha1.VolumeSpec{Snapshots: s}}
	}
	daily := func(class v1alpha1.DNSLabel) v1alpha1.Volume {
		return volume(&v1alpha1.VolumeSnapshots{Schedule: "@daily", ClassName: class})
	}
	suspended := daily("")
	suspended.Spec.Snapshots.Suspend = true

	type classes = []v1alpha1.VolumeSnapshotClass
	type volumes = []v1alpha1.Volume
	for name, tc := range map[string]struct {
		why     string
		classes classes
		volumes volumes
		// says are parts of what is found, each after its level.
		says []string
	}{
		"Nothing":    {"Who has no snapshots is told nothing.", nil, volumes{volume(nil)}, nil},
		"Works":      {"What works is said.", classes{class("nightly", "true", "True")}, volumes{daily(""), daily("nightly")}, []string{"ok: nightly answers"}},
		"Denied":     {"In the words of the server.", classes{class("nightly", "true", "False")}, nil, []string{"warning: nightly cannot be used, and its snapshots wait: The place denies it"}},
		"NotLooked":  {"A class without a word is suspicious.", classes{class("nightly", "true", "")}, nil, []string{"warning: nightly was not looked at yet"}},
		"NoClass":    {"A schedule that makes nothing is what nobody notices.", nil, volumes{daily(""), daily("")}, []string{"warning: 2 Volumes have a schedule"}},
		"NoDefault":  {"So is one without a default.", classes{class("nightly", "", "True")}, volumes{daily("")}, []string{"ok: nightly", "warning: acme/data"}},
		"ClassGone":  {"And one whose class is gone.", classes{class("nightly", "true", "True")}, volumes{daily("weekly")}, []string{"ok: nightly", "warning: acme/data"}},
		"Suspended":  {"Who has suspended it knows.", nil, volumes{suspended}, nil},
		"ManualOnly": {"Without a schedule nothing is to be made.", nil, volumes{volume(&v1alpha1.VolumeSnapshots{})}, nil},
	} {
		t.Run(name, func(t *testing.T) {
			levels := map[swarm.Level]string{swarm.LevelOK: "ok", swarm.LevelWarning: "warning"}
			got := snapshotFindings(tc.classes, tc.volumes)
			if len(got) != len(tc.says) {
				t.Fatalf("%s\ngot %+v", tc.why, got)
			}
			for i, f := range got {
				level, text, _ := strings.Cut(tc.says[i], ": ")
				if levels[f.Level] != level || !strings.Contains(f.Detail, text) {
					t.Errorf("%s\ngot %+v, want %q", tc.why, f, tc.says[i])
				}
			}
		})
	}
}
