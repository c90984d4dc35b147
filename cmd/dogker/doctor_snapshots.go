package main

import (
	"context"
	"fmt"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/client-go/tools/clientcmd"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/dogker/dogker/api/dogker/v1alpha1"
	"github.com/dogker/dogker/internal/controlplane/datadir"
	"github.com/dogker/dogker/internal/swarm"
	"github.com/dogker/dogker/reconciler/conditions"
	"github.com/dogker/dogker/reconciler/snapshotrules"
)

// diagnoseSnapshots says where snapshots of Volumes cannot be kept, by what the server of the data directory has found: it has
// the credentials. It says nothing where no server answers, which is said elsewhere, nor where nobody has asked for snapshots.
func diagnoseSnapshots(ctx context.Context, dataDir string) []swarm.Finding {
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()

	cfg, err := clientcmd.BuildConfigFromFlags("", datadir.At(dataDir).AdminKubeconfig())
	if err != nil {
		return nil
	}
	scheme := runtime.NewScheme()
	if err := v1alpha1.AddToScheme(scheme); err != nil {
		return nil
	}
	c, err := client.New(cfg, client.Options{Scheme: scheme})
	if err != nil {
		return nil
	}
	var classes v1alpha1.VolumeSnapshotClassList
	var volumes v1alpha1.VolumeList
	if c.List(ctx, &classes) != nil || c.List(ctx, &volumes) != nil {
		return nil
	}

	return snapshotFindings(classes.Items, volumes.Items)
}

// snapshotFindings says how each class stands, and which Volumes with a schedule have none.
func snapshotFindings(classes []v1alpha1.VolumeSnapshotClass, volumes []v1alpha1.Volume) []swarm.Finding {
	const what = "Snapshots"

	var out []swarm.Finding
	for i := range classes {
		c := &classes[i]
		f := swarm.Finding{Level: swarm.LevelOK, What: what, Detail: fmt.Sprintf("the place of VolumeSnapshotClass %s answers; %d snapshots are of it", c.Name, c.Status.Snapshots)}
		switch ready := conditions.Get(c, conditions.Ready); {
		case ready == nil:
			f.Level, f.Detail = swarm.LevelWarning, fmt.Sprintf("VolumeSnapshotClass %s was not looked at yet", c.Name)
			f.Remedy = "ask again in a minute; no class is looked at while no server leads"
		case ready.Status != metav1.ConditionTrue && c.DeletionTimestamp.IsZero():
			f.Level, f.Detail = swarm.LevelWarning, fmt.Sprintf("VolumeSnapshotClass %s cannot be used, and its snapshots wait: %s", c.Name, ready.Message)
			f.Remedy = "kubectl describe vsclass " + c.Name + ", and docs/reference/volumesnapshotclass.md"
		}
		out = append(out, f)
	}

	homeless, first := 0, ""
	for i := range volumes {
		s := volumes[i].Spec.Snapshots
		if s == nil || s.Schedule == "" || s.Suspend || !volumes[i].DeletionTimestamp.IsZero() {
			continue
		}
		if s.ClassName == "" && snapshotrules.Default(classes) == nil || s.ClassName != "" && snapshotrules.Named(classes, s.ClassName) == nil {
			homeless++
			if first == "" {
				first = volumes[i].Namespace + "/" + volumes[i].Name
			}
		}
	}
	if homeless > 0 {
		out = append(out, swarm.Finding{
			Level: swarm.LevelWarning, What: what,
			Detail: fmt.Sprintf("%d Volumes have a schedule of snapshots and no VolumeSnapshotClass, such as %s: none is made", homeless, first),
			Remedy: "make a VolumeSnapshotClass, or mark one as the default by the annotation " + v1alpha1.AnnotationDefaultClass + ": \"true\"",
		})
	}

	return out
}
