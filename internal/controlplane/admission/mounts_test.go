package admission

import (
	"strings"
	"testing"

	autoscalingv1 "k8s.io/api/autoscaling/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apiserver/pkg/admission"
	"k8s.io/apiserver/pkg/authentication/user"
	"k8s.io/client-go/dynamic/fake"
	"sigs.k8s.io/yaml"

	"github.com/dogker/dogker/api/dogker/v1alpha1"
)

// storage is what the plugin sees of Volumes: data lives on one node, share on all, and later is not there.
const storage = `
{apiVersion: dogker.io/v1alpha1, kind: VolumeClass, metadata: {name: local}, spec: {driver: local, access: Single}}
---
{apiVersion: dogker.io/v1alpha1, kind: VolumeClass, metadata: {name: nfs}, spec: {driver: local, access: Many}}
---
{apiVersion: dogker.io/v1alpha1, kind: Volume, metadata: {name: data, namespace: shop}, spec: {className: local, size: 1Gi}}
---
{apiVersion: dogker.io/v1alpha1, kind: Volume, metadata: {name: share, namespace: shop}, spec: {className: nfs, size: 1Gi}}
---
{apiVersion: dogker.io/v1alpha1, kind: Volume, metadata: {name: lost, namespace: shop}, spec: {className: gone, size: 1Gi}}
---
{apiVersion: dogker.io/v1alpha1, kind: TenantContainer, metadata: {name: db, namespace: shop}, spec: {volumes: [{name: data, mountPath: /a}, {name: share, mountPath: /b}]}}
---
{apiVersion: dogker.io/v1alpha1, kind: TenantContainer, metadata: {name: reader, namespace: shop}, spec: {volumes: [{name: data, mountPath: /a, readOnly: true}]}}
---
{apiVersion: dogker.io/v1alpha1, kind: TenantContainer, metadata: {name: db, namespace: other}, spec: {volumes: [{name: mine, mountPath: /a}]}}
---
{apiVersion: dogker.io/v1alpha1, kind: Volume, metadata: {name: mine, namespace: shop}, spec: {className: local, size: 1Gi}}
---
{apiVersion: dogker.io/v1alpha1, kind: ContainerRevision, metadata: {name: web-1, namespace: shop, labels: {dogker.io/container: web}}, spec: {revision: 1, container: web, template: {volumes: [{name: mine, mountPath: /a}]}}}
`

func storing(t *testing.T, more ...runtime.Object) *Plugin {
	t.Helper()
	objects := more
	for doc := range strings.SplitSeq(storage, "\n---\n") {
		u := &unstructured.Unstructured{}
		if err := yaml.Unmarshal([]byte(doc), &u.Object); err != nil {
			t.Fatal(err)
		}
		objects = append(objects, u)
	}
	client := fake.NewSimpleDynamicClientWithCustomListKinds(runtime.NewScheme(), map[schema.GroupVersionResource]string{
		containerResource: "TenantContainerList", revisionResource: "ContainerRevisionList", mountedResource: "VolumeList", storageResource: "VolumeClassList",
	}, objects...)

	return &Plugin{Handler: admission.NewHandler(admission.Create, admission.Update), client: client, directory: directory{}}
}

func TestMounts(t *testing.T) {
	cases := map[string]struct {
		reason   string
		now, old string
		says     []string
	}{
		"OneTask":  {reason: "One writer is what a Volume is for.", now: "spec: {replicas: 1, volumes: [{name: mine, mountPath: /a}]}"},
		"NotThere": {reason: "It may be applied later.", now: "spec: {replicas: 3, volumes: [{name: later, mountPath: /a}]}"},
		"NoClass":  {reason: "Of which nothing is known, nothing is refused.", now: "spec: {replicas: 3, volumes: [{name: lost, mountPath: /a}]}"},
		"ManyTasks": {
			reason: "They would write to one directory.", now: "spec: {replicas: 3, volumes: [{name: mine, mountPath: /a}]}",
			says: []string{"spec.replicas: Invalid value: 3: must be at most 1", `Volume "mine"`},
		},
		"Everywhere": {reason: "One node has it.", now: "spec: {mode: Global, volumes: [{name: mine, mountPath: /a}]}", says: []string{`spec.mode: Invalid value: "Global"`}},
		"Autoscaled": {
			reason: "There would be more one day.", now: "spec: {replicas: 1, autoscaling: {maxReplicas: 2, metrics: []}, volumes: [{name: mine, mountPath: /a}]}",
			says: []string{"spec.autoscaling.maxReplicas: Invalid value: 2"},
		},
		"StartFirst": {reason: "Two would run side by side.", now: "spec: {rollout: {order: StartFirst}, volumes: [{name: mine, mountPath: /a}]}", says: []string{"spec.rollout.order"}},
		"Shared":     {reason: "All nodes reach it.", now: "spec: {replicas: 3, rollout: {order: StartFirst}, volumes: [{name: share, mountPath: /a}]}"},
		"Readers":    {reason: "They are in nobody's way.", now: "spec: {replicas: 3, volumes: [{name: data, mountPath: /a, readOnly: true}]}"},
		"SecondWriter": {
			reason: "Another container of the namespace writes to it.", now: "spec: {volumes: [{name: share, mountPath: /b}, {name: data, mountPath: /a}]}",
			says: []string{`spec.volumes[1].readOnly: Invalid value: false: must be true: container "db" writes to Volume "data"`},
		},
		"WasAWriter": {
			reason: "Two that were let in at once can be put in order, one edit at a time.",
			now:    "spec: {image: b, volumes: [{name: data, mountPath: /a}]}", old: "spec: {image: a, volumes: [{name: data, mountPath: /a}]}",
		},
		"BecomesAWriter": {
			reason: "What only read must not begin to write.",
			now:    "spec: {volumes: [{name: data, mountPath: /a}]}", old: "spec: {volumes: [{name: data, mountPath: /a, readOnly: true}]}",
			says: []string{`spec.volumes[0].readOnly`},
		},
		"OverAFile": {
			reason: "One would hide the other.",
			now:    "spec: {files: [{path: /a, secretKeyRef: {name: x, key: k}}], volumes: [{name: mine, mountPath: /a}]}",
			says:   []string{"spec.volumes[0].mountPath", "files[0] is there"},
		},
		"Rollback": {
			reason: "The revision has what the template has no more.", now: "spec: {replicas: 2, rollbackTo: 1}",
			says: []string{"spec.rollbackTo: Invalid value: 1: with that revision spec.replicas: Invalid value: 2"},
		},
	}

	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			var old *unstructured.Unstructured
			if tc.old != "" {
				old = container(t, tc.old)
			}
			err := storing(t).Validate(t.Context(), attributes(container(t, tc.now), old, "", "anna"), nil)
			if len(tc.says) == 0 && err != nil {
				t.Errorf("%s\ngot %v", tc.reason, err)
			}
			for _, words := range tc.says {
				if err == nil || !strings.Contains(err.Error(), words) {
					t.Errorf("%s\ngot %v, want %q", tc.reason, err, words)
				}
			}
		})
	}
}

// TestMountsOfScale: `kubectl scale` sends nothing but a number.
func TestMountsOfScale(t *testing.T) {
	for name, tc := range map[string]struct {
		reason   string
		volumes  string
		from, to int32
		refused  bool
	}{
		"Up":       {"Two would write.", "[{name: mine, mountPath: /a}]", 1, 2, true},
		"Start":    {"One writes.", "[{name: mine, mountPath: /a}]", 0, 1, false},
		"Down":     {"Fewer are always fine.", "[{name: mine, mountPath: /a}]", 3, 2, false},
		"Reader":   {"Readers are many.", "[{name: mine, mountPath: /a, readOnly: true}]", 1, 9, false},
		"Shared":   {"All nodes reach it.", "[{name: share, mountPath: /a}]", 1, 9, false},
		"NoVolume": {"There is nothing to share.", "[]", 1, 9, false},
	} {
		t.Run(name, func(t *testing.T) {
			scale := func(n int32) *autoscalingv1.Scale {
				return &autoscalingv1.Scale{ObjectMeta: metav1.ObjectMeta{Name: "web", Namespace: "shop"}, Spec: autoscalingv1.ScaleSpec{Replicas: n}}
			}
			a := admission.NewAttributesRecord(scale(tc.to), scale(tc.from), autoscalingv1.SchemeGroupVersion.WithKind("Scale"), "shop", "web",
				containerResource, "scale", admission.Update, nil, false, &user.DefaultInfo{Name: "anna"})
			err := storing(t, container(t, "spec: {volumes: "+tc.volumes+"}")).Validate(t.Context(), a, nil)
			if refused := err != nil && strings.Contains(err.Error(), "spec.replicas"); refused != tc.refused || err != nil && !refused {
				t.Errorf("%s\ngot %v, want a refusal: %t", tc.reason, err, tc.refused)
			}
		})
	}
}

// TestMountsOfJobs: the tasks of a run are held to what containers are, where their owner wrote it.
func TestMountsOfJobs(t *testing.T) {
	const writes = "spec: {parallelism: 2, template: {volumes: [{name: mine, mountPath: /a}]}}"
	for name, tc := range map[string]struct {
		reason   string
		now, old string
		says     string
	}{
		"ManyTasks":  {reason: "They would write to one directory.", now: writes, says: `spec.parallelism: Invalid value: 2: must be at most 1, because Volume "mine"`},
		"Completing": {reason: "As many at a time as are to succeed.", now: "spec: {completions: 3, parallelism: 3, template: {volumes: [{name: mine, mountPath: /a}]}}", says: "spec.parallelism: Invalid value: 3"},
		"OneByOne":   {reason: "One task at a time.", now: "spec: {completions: 3, parallelism: 1, template: {volumes: [{name: mine, mountPath: /a}]}}"},
		"OneInFact":  {reason: "No more run than are to succeed.", now: "spec: {completions: 1, parallelism: 3, template: {volumes: [{name: mine, mountPath: /a}]}}"},
		"Readers":    {reason: "They are in nobody's way.", now: "spec: {parallelism: 2, template: {volumes: [{name: mine, mountPath: /a, readOnly: true}]}}"},
		"Shared":     {reason: "All nodes reach it.", now: "spec: {parallelism: 2, template: {volumes: [{name: share, mountPath: /a}]}}"},
		"NotThere":   {reason: "It may be applied later; a run looks again.", now: "spec: {parallelism: 2, template: {volumes: [{name: later, mountPath: /a}]}}"},
		"Suspended":  {reason: "What was let in before is to be stopped without being mended.", now: strings.Replace(writes, "{", "{suspend: true, ", 1), old: writes},
		"Filled": {
			reason: "A new default of the plan is no change of its owner's.", old: writes,
			now: strings.Replace(writes, "{volumes", "{resources: {limits: {pids: 64}}, volumes", 1),
		},
		"Mended": {reason: "A change is judged anew.", now: writes, old: strings.Replace(writes, "2", "3", 1), says: "spec.parallelism"},
		"OverATmpfs": {
			reason: "One would hide the other.", now: "spec: {template: {tmpfs: [{mountPath: /a}], volumes: [{name: mine, mountPath: /a}]}}",
			says: `spec.template.volumes[0].mountPath: Invalid value: "/a": must be a path of its own`,
		},
	} {
		t.Run(name, func(t *testing.T) {
			var old *unstructured.Unstructured
			if tc.old != "" {
				old = container(t, tc.old)
			}
			job, err := typed[v1alpha1.TenantJob](container(t, tc.now))
			if err != nil {
				t.Fatal(err)
			}
			got, err := judgeMountsOfJob(t.Context(), storing(t).client, job, old)
			switch {
			case err != nil:
				t.Error(err)
			case (tc.says == "") != (len(got) == 0), tc.says != "" && !strings.Contains(got.ToAggregate().Error(), tc.says):
				t.Errorf("%s\ngot %v, want %q", tc.reason, got, tc.says)
			}
		})
	}
}
