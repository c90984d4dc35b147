//go:build e2e

package e2e

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/containerd/errdefs"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/dogker/dogker/api/dogker/v1alpha1"
	"github.com/dogker/dogker/reconciler/conditions"
	"github.com/dogker/dogker/reconciler/volume"
)

// TestVolumeIsTakenDown: a Volume waits for who mounts it, and takes its data along; one that is made again is empty.
func TestVolumeIsTakenDown(t *testing.T) {
	t.Parallel()
	n := sharedCell(t).tenant(t)
	n.create(volumeNamed("data", ""))
	n.run(app("db", "v1", mounting("data")))
	n.write("db", "/data/orders", "42 of them")

	v := n.volume("data")
	if v.Spec.ClassName != v1alpha1.DefaultVolumeClass || v.Spec.ReclaimPolicy != v1alpha1.ReclaimDelete || v.Status.Node == nil {
		t.Errorf("got %+v and %+v, want what the default class says, and a node", v.Spec, v.Status)
	}
	if err := n.api.Delete(t.Context(), v); err != nil {
		t.Fatal(err)
	}
	await(t, soon, "the Volume waits for its container", func() error {
		ready := conditions.Get(n.volume("data"), conditions.Ready)
		if ready == nil || ready.Reason != v1alpha1.ReasonInUse || !strings.Contains(ready.Message, "TenantContainer db") {
			return fmt.Errorf("it says %+v", ready)
		}

		return nil
	})
	n.wantFile("db", "/data/orders", "42 of them", "its Volume was to be deleted")

	n.remove(app("db", "v1"))
	n.volumeGone("data")
	if there, err := n.engineHas(volume.Name(v)); err != nil || there {
		t.Errorf("its data is there: %v, %v", there, err)
	}

	n.create(volumeNamed("data", ""))
	n.run(app("db", "v1", mounting("data")))
	if now := n.volume("data"); volume.Name(now) == volume.Name(v) {
		t.Errorf("it is called %q again", now.Status.VolumeName)
	}
	if err := n.noFile("db", "/data/orders"); err != nil {
		t.Errorf("a Volume that was made again: %v", err)
	}
}

// TestDataIsReleasedAndAdopted: what is retained is listed, is given to another Volume, and is removed at last.
func TestDataIsReleasedAndAdopted(t *testing.T) {
	t.Parallel()
	n := sharedCell(t).tenant(t)
	kept := volumeNamed("data", "")
	kept.Spec.ReclaimPolicy = v1alpha1.ReclaimRetain
	n.create(kept)
	n.run(app("db", "v1", mounting("data")))
	n.write("db", "/data/orders", "42 of them")
	name := volume.Name(n.volume("data"))

	n.remove(app("db", "v1"))
	if err := n.api.Delete(t.Context(), n.volume("data")); err != nil {
		t.Fatal(err)
	}
	n.volumeGone("data")
	var record v1alpha1.ReleasedVolume
	if err := n.api.Get(t.Context(), client.ObjectKey{Name: volume.ReleasedName(name)}, &record); err != nil {
		t.Fatal(err)
	}
	if record.Spec.VolumeName != name || record.Spec.From.Namespace != n.name || record.Spec.From.Name != "data" || len(record.Spec.Nodes) != 1 {
		t.Errorf("the record is %+v", record.Spec)
	}

	// Neither the name of the Volume nor of its data is enough to get at it.
	n.create(volumeNamed("data", ""))
	n.run(app("db", "v1", mounting("data")))
	if err := n.noFile("db", "/data/orders"); err != nil {
		t.Errorf("a Volume that was made again: %v", err)
	}

	rescued := volumeNamed("rescued", "")
	rescued.Spec.Adopt, rescued.Spec.ReclaimPolicy = name, v1alpha1.ReclaimRetain
	n.create(rescued)
	n.run(app("new", "v1", mounting("rescued")))
	n.wantFile("new", "/rescued/orders", "42 of them", "it was adopted")
	await(t, atLast, "the record is taken back", func() error { return n.recordGone(record.Name) })
	n.wantFile("new", "/rescued/orders", "42 of them", "the record is gone")

	n.remove(app("new", "v1"))
	if err := n.api.Delete(t.Context(), n.volume("rescued")); err != nil {
		t.Fatal(err)
	}
	n.volumeGone("rescued")
	if there, err := n.engineHas(name); err != nil || !there {
		t.Fatalf("the data is retained again: %v, %v", there, err)
	}
	if err := n.api.Delete(t.Context(), &v1alpha1.ReleasedVolume{ObjectMeta: metav1.ObjectMeta{Name: record.Name}}); err != nil {
		t.Fatal(err)
	}
	await(t, atLast, "the record goes, and the data with it", func() error { return n.recordGone(record.Name) })
	if there, err := n.engineHas(name); err != nil || there {
		t.Errorf("the data is there: %v, %v", there, err)
	}
}

// TestVolumesAreRefused: what cannot be is refused at once, by field and value.
func TestVolumesAreRefused(t *testing.T) {
	t.Parallel()
	n := sharedCell(t).tenant(t)

	with := func(change func(*v1alpha1.Volume)) *v1alpha1.Volume {
		v := volumeNamed("bad", "")
		v.Namespace = n.name
		change(v)

		return v
	}
	class := func(options map[string]v1alpha1.DriverOption) *v1alpha1.VolumeClass {
		return &v1alpha1.VolumeClass{ObjectMeta: metav1.ObjectMeta{Name: "bad-" + n.name}, Spec: v1alpha1.VolumeClassSpec{Options: options}}
	}
	for says, o := range map[string]client.Object{
		"spec.size: Invalid value":                    with(func(v *v1alpha1.Volume) { v.Spec.Size = resource.MustParse("-1Gi") }),
		"must be an amount of storage from 1Mi":       with(func(v *v1alpha1.Volume) { v.Spec.Size = resource.MustParse("0") }),
		"there is no such VolumeClass; there are: ":   with(func(v *v1alpha1.Volume) { v.Spec.ClassName = "no-such-class" }),
		"spec.reclaimPolicy: Unsupported value":       with(func(v *v1alpha1.Volume) { v.Spec.ReclaimPolicy = "Keep" }),
		"spec.node: Invalid value":                    with(func(v *v1alpha1.Volume) { v.Spec.Node = "a b" }),
		"spec.options[type]: Invalid value: \"none\"": class(map[string]v1alpha1.DriverOption{"type": "none", "o": "bind", "device": "/etc"}),
		"spec.options[o]: Invalid value: \"bind\"":    class(map[string]v1alpha1.DriverOption{"type": "nfs", "o": "rw,bind", "device": ":/x/${uid}"}),
		"which the engine reads as a template":        class(map[string]v1alpha1.DriverOption{"type": `{{"none"}}`, "device": "/etc"}),
		"must hold ${uid}":                            class(map[string]v1alpha1.DriverOption{"type": "nfs", "device": ":/x"}),
	} {
		if err := n.api.Create(t.Context(), o); err == nil || !strings.Contains(err.Error(), says) {
			t.Errorf("got %v, want a refusal that says %q", err, says)
		}
	}

	n.create(volumeNamed("data", ""))
	for says, change := range map[string]func(*v1alpha1.Volume){
		"cannot be made smaller":      func(v *v1alpha1.Volume) { v.Spec.Size = resource.MustParse("8Mi") },
		"className cannot be changed": func(v *v1alpha1.Volume) { v.Spec.ClassName = "other" },
		"adopt cannot be changed":     func(v *v1alpha1.Volume) { v.Spec.Adopt = "acme_data_0123456789ab" },
	} {
		await(t, soon, says, func() error {
			v := n.volume("data")
			change(v)
			err := n.api.Update(t.Context(), v)
			if err == nil || apierrors.IsConflict(err) || !strings.Contains(err.Error(), says) {
				return fmt.Errorf("got %w", err)
			}

			return nil
		})
	}
	await(t, soon, "it grows", func() error {
		v := n.volume("data")
		v.Spec.Size = resource.MustParse("32Mi")

		return n.api.Update(t.Context(), v)
	})
}

func (n *tenant) volume(name string) *v1alpha1.Volume {
	n.t.Helper()

	var v v1alpha1.Volume
	if err := n.api.Get(n.t.Context(), client.ObjectKey{Namespace: n.name, Name: name}, &v); err != nil {
		n.t.Fatal(err)
	}

	return &v
}

// volumeGone waits until a Volume is deleted.
func (n *tenant) volumeGone(name string) {
	n.t.Helper()

	await(n.t, atLast, "Volume "+name+" is gone", func() error {
		var v v1alpha1.Volume
		err := n.api.Get(n.t.Context(), client.ObjectKey{Namespace: n.name, Name: name}, &v)
		if apierrors.IsNotFound(err) {
			return nil
		}

		return fmt.Errorf("it is there: %+v, %w", conditions.Get(&v, conditions.Ready), err)
	})
}

func (n *tenant) recordGone(name string) error {
	var r v1alpha1.ReleasedVolume
	err := n.api.Get(n.t.Context(), client.ObjectKey{Name: name}, &r)
	if apierrors.IsNotFound(err) {
		return nil
	}

	return fmt.Errorf("it is there: %+v, %w", conditions.Get(&r, conditions.Ready), err)
}

// engineHas asks the first engine for a volume.
func (n *tenant) engineHas(name string) (bool, error) {
	_, err := n.docker().VolumeInspect(n.t.Context(), name)
	if errdefs.IsNotFound(err) {
		return false, nil
	}

	return err == nil, err
}

// noFile is nil when a running task of the container does not see the file.
func (n *tenant) noFile(name, file string) error {
	node, id, err := n.at(name)
	if err != nil {
		return err
	}
	content, err := readFile(node, id, file)
	switch {
	case errdefs.IsNotFound(err):
		return nil
	case err != nil:
		return err
	default:
		return errors.New("it has " + file + ": " + content)
	}
}
