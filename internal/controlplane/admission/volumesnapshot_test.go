package admission

import (
	"context"
	"strings"
	"testing"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apiserver/pkg/admission"
	"k8s.io/apiserver/pkg/authentication/user"
	"k8s.io/apiserver/pkg/authorization/authorizer"
	"k8s.io/client-go/dynamic/fake"

	"github.com/dogker/dogker/api/dogker/v1alpha1"
	"github.com/dogker/dogker/internal/voldata/store"
	"github.com/dogker/dogker/reconciler/snapshotrules"
)

// thing is an object of one of our kinds.
func thing(kind, namespace, name string, spec map[string]any) *unstructured.Unstructured {
	u := &unstructured.Unstructured{Object: map[string]any{"spec": runtime.DeepCopyJSON(spec)}}
	u.SetAPIVersion(v1alpha1.GroupVersion.String())
	u.SetKind(kind)
	u.SetNamespace(namespace)
	u.SetName(name)

	return u
}

func snapshotClass(name string, marked bool) *unstructured.Unstructured {
	u := thing("VolumeSnapshotClass", "", name, map[string]any{"directory": map[string]any{"path": "/srv/" + name}})
	if marked {
		u.SetAnnotations(map[string]string{v1alpha1.AnnotationDefaultClass: "true"})
	}

	return u
}

func dataStore(objects ...runtime.Object) *fake.FakeDynamicClient {
	return fake.NewSimpleDynamicClientWithCustomListKinds(runtime.NewScheme(), map[schema.GroupVersionResource]string{
		storageResource: "VolumeClassList", mountedResource: "VolumeList", snapshotClassResource: "VolumeSnapshotClassList",
	}, objects...)
}

// ask admits an object as the API server does; old is nil for a new one.
func ask(t *testing.T, p interface {
	admission.MutationInterface
	admission.ValidationInterface
}, r schema.GroupVersionResource, now, old *unstructured.Unstructured) error {
	t.Helper()

	op, before := admission.Create, runtime.Object(nil)
	if old != nil {
		op, before = admission.Update, old
	}
	a := admission.NewAttributesRecord(now, before, now.GroupVersionKind(), now.GetNamespace(), now.GetName(), r, "", op, nil, false, &user.DefaultInfo{Name: "ada"})
	if err := p.Admit(t.Context(), a, nil); err != nil {
		return err
	}

	return p.Validate(t.Context(), a, nil)
}

func refused(t *testing.T, why string, err error, says string) {
	t.Helper()

	if (err == nil) != (says == "") || err != nil && !strings.Contains(err.Error(), says) {
		t.Fatalf("%s\ngot %v, want something with %q", why, err, says)
	}
}

// TestSnapshots shows what is filled in and what is refused.
func TestSnapshots(t *testing.T) {
	type spec = map[string]any
	ofVolume := spec{"volumeName": "data"}
	archive := spec{"archive": spec{"name": "globex/data/1.age", "volumeUID": "1"}}
	nightly, weekly := snapshotClass("nightly", true), snapshotClass("weekly", false)
	volume := thing("Volume", "acme", "data", spec{"snapshots": spec{"className": "weekly"}})
	silent := thing("Volume", "acme", "data", spec{})

	cases := map[string]struct {
		why       string
		there     []runtime.Object
		spec, old spec
		platform  bool
		// says is a part of the refusal; empty when it is let in as class.
		says, class string
	}{
		"Default":   {why: "What is not said the default class says.", there: []runtime.Object{nightly, weekly, silent}, spec: spec{"source": ofVolume}, class: "nightly"},
		"OfVolume":  {why: "Unless the Volume says it.", there: []runtime.Object{nightly, weekly, volume}, spec: spec{"source": ofVolume}, class: "weekly"},
		"Named":     {why: "What is said stays.", there: []runtime.Object{nightly, weekly, volume}, spec: spec{"source": ofVolume, "className": "nightly"}, class: "nightly"},
		"NoVolume":  {why: "A Volume that comes later refuses nothing.", there: []runtime.Object{nightly}, spec: spec{"source": ofVolume}, class: "nightly"},
		"LeftOut":   {why: "An update that leaves it out changes nothing.", there: []runtime.Object{nightly, weekly}, spec: spec{"source": ofVolume}, old: spec{"source": ofVolume, "className": "weekly"}, class: "weekly"},
		"NoDefault": {why: "Without a default one has to be named.", there: []runtime.Object{weekly}, spec: spec{"source": ofVolume}, says: "there are: weekly"},
		"Unknown":   {why: "Tenants learn the names where they get one wrong.", there: []runtime.Object{nightly, weekly}, spec: spec{"source": ofVolume, "className": "hourly"}, says: `"hourly": there is no such VolumeSnapshotClass; there are: nightly, weekly`},
		"Gone":      {why: "The class of the Volume is gone.", there: []runtime.Object{nightly, volume}, spec: spec{"source": ofVolume}, says: `"weekly": there is no such`},
		"Archive":   {why: "T5: whose data it is is not for a tenant to say.", there: []runtime.Object{nightly}, spec: spec{"source": archive}, says: "spec.source.archive: Forbidden"},
		"MayTake":   {why: "But for the platform.", there: []runtime.Object{nightly}, spec: spec{"source": archive}, platform: true, class: "nightly"},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			p := &VolumeSnapshot{Handler: admission.NewHandler(admission.Create, admission.Update)}
			p.SetDynamicClient(dataStore(tc.there...))
			p.SetDataDir("/var/lib/dogker")
			p.SetAuthorizer(authorizer.AuthorizerFunc(func(_ context.Context, a authorizer.Attributes) (authorizer.Decision, string, error) {
				if tc.platform && a.GetVerb() == verbAdopt && a.GetResource() == "volumesnapshots" && a.GetNamespace() == "" {
					return authorizer.DecisionAllow, "", nil
				}

				return authorizer.DecisionNoOpinion, "", nil
			}))
			if err := p.ValidateInitialization(); err != nil {
				t.Fatal(err)
			}

			now, old := thing("VolumeSnapshot", "acme", "monday", tc.spec), (*unstructured.Unstructured)(nil)
			if tc.old != nil {
				old = thing("VolumeSnapshot", "acme", "monday", tc.old)
			}
			err := ask(t, p, snapshotResource, now, old)
			refused(t, tc.why, err, tc.says)
			if err == nil && (text(now, "className") != tc.class || len(now.GetFinalizers()) != 1) {
				t.Errorf("%s\ngot %v with %v", tc.why, now.Object["spec"], now.GetFinalizers())
			}
		})
	}
}

func TestSnapshotClasses(t *testing.T) {
	p := &VolumeSnapshot{Handler: admission.NewHandler(admission.Create, admission.Update)}
	p.SetDataDir("/var/lib/dogker")
	judge := func(path string, recipients ...any) error {
		spec := map[string]any{"directory": map[string]any{"path": path}}
		if len(recipients) > 0 {
			spec["recipients"] = recipients
		}
		now := thing("VolumeSnapshotClass", "", "nightly", spec)
		err := ask(t, p, snapshotClassResource, now, nil)
		if err == nil && now.GetFinalizers()[0] != v1alpha1.FinalizerVolumeSnapshotClass {
			t.Errorf("%s is held by %v", path, now.GetFinalizers())
		}

		return err
	}

	const recipient = "age1ql3z7hjy54pw3hyww5ayyfg7zqgvc7w3j2elw8zmrj2kg5sfn9aqmcac8p"
	refused(t, "A directory, and somebody's key.", judge("/srv/snapshots", recipient), "")
	refused(t, "The server's data.", judge("/var/lib/dogker/snapshots"), "spec.directory.path")
	refused(t, "A key with a slip.", judge("/srv/snapshots", recipient, recipient[:40]), `spec.recipients[1]: Invalid value: "`+recipient[:40])
}

// TestHooksTakeExec: whoever could not run a command in a container by hand cannot let a Volume do it either.
func TestHooksTakeExec(t *testing.T) {
	type spec = map[string]any
	local := classOf("local", true, spec{"driver": "local", "access": "Single", "reclaimPolicy": "Delete"})
	base := func(snapshots spec) spec {
		s := spec{"size": "1Gi", "className": "local", "reclaimPolicy": "Delete"}
		if snapshots != nil {
			s["snapshots"] = snapshots
		}

		return s
	}
	hooks := func(command ...any) spec { return spec{"hooks": spec{"pre": spec{"command": command}}} }

	cases := map[string]struct {
		why       string
		spec, old spec
		exec      bool
		says      string
	}{
		"New":       {why: "Who cannot exec has no hooks.", spec: base(hooks("pg_dump")), says: "spec.snapshots.hooks: Forbidden: runs commands in containers: it takes the right to create pods/exec in namespace \"acme\""},
		"NewExec":   {why: "Who can has.", spec: base(hooks("pg_dump")), exec: true},
		"Changed":   {why: "Another command is another exec.", spec: base(hooks("rm")), old: base(hooks("pg_dump")), says: "pods/exec"},
		"Kept":      {why: "What stays was judged then.", spec: base(spec{"hooks": hooks("pg_dump")["hooks"], "keep": int64(9)}), old: base(hooks("pg_dump"))},
		"Taken":     {why: "Without a command nothing runs.", spec: base(nil), old: base(hooks("pg_dump"))},
		"NoHooks":   {why: "A schedule alone runs nothing in a container.", spec: base(spec{"schedule": "@daily"})},
		"BadCron":   {why: "A day that never comes.", spec: base(spec{"schedule": "0 0 30 2 *"}), says: "spec.snapshots.schedule"},
		"BadClass":  {why: "A class that is not there.", spec: base(spec{"className": "gone"}), says: "there are: nightly"},
		"MoreClass": {why: "It is judged also when it comes later.", spec: base(spec{"className": "gone"}), old: base(nil), says: "there are: nightly"},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			p := &Volume{Handler: admission.NewHandler(admission.Create, admission.Update)}
			p.SetDynamicClient(dataStore(local, snapshotClass("nightly", true)))
			p.SetAuthorizer(authorizer.AuthorizerFunc(func(_ context.Context, a authorizer.Attributes) (authorizer.Decision, string, error) {
				if tc.exec && a.GetVerb() == "create" && a.GetResource() == "pods" && a.GetSubresource() == "exec" && a.GetNamespace() == "acme" {
					return authorizer.DecisionAllow, "", nil
				}

				return authorizer.DecisionNoOpinion, "", nil
			}))

			var old *unstructured.Unstructured
			if tc.old != nil {
				old = thing("Volume", "acme", "data", tc.old)
			}
			refused(t, tc.why, ask(t, p, mountedResource, thing("Volume", "acme", "data", tc.spec), old), tc.says)
		})
	}
}

// TestNamesAsTheStoreHasThem: what is let in as the name of an archive a store takes, and the other way round.
func TestNamesAsTheStoreHasThem(t *testing.T) {
	classes := []v1alpha1.VolumeSnapshotClass{{}}
	classes[0].Name = "nightly"
	for _, n := range []int{1, 127, 128, 129, 200} {
		name := "acme/" + strings.Repeat("d", n)
		spec := &v1alpha1.VolumeSnapshotSpec{ClassName: "nightly", Source: v1alpha1.VolumeSnapshotSource{Archive: &v1alpha1.SnapshotArchive{Name: name, VolumeUID: "1"}}}
		if letIn, taken := len(snapshotrules.CheckSource(spec, classes)) == 0, store.CheckName(name) == nil; letIn != taken {
			t.Errorf("a part of %d characters is let in: %v, and taken: %v", n, letIn, taken)
		}
	}
}
