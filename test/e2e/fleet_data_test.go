//go:build e2e

package e2e

import (
	"crypto/rand"
	"errors"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/docker/docker/api/types/container"
	"github.com/docker/docker/api/types/filters"
	"github.com/docker/docker/api/types/volume"

	"github.com/dogker/dogker/internal/lab"
	"github.com/dogker/dogker/internal/voldata"
	"github.com/dogker/dogker/internal/voldata/content"
	"github.com/dogker/dogker/reconciler/swarmobj"
)

// data takes what is in a volume from one agent to another, and from there to the server's own node. It is as much as an agent may
// not hold: it has 192 MiB.
func (f *watched) data(t *testing.T, web []subject) {
	const much = 256 << 20
	const name = "fleet_data_0123456789ab"
	labels := swarmobj.Owner{Tenant: "fleet", Kind: "Volume", Name: "data", UID: "1"}.Labels()

	made, err := f.lab.Nodes[1].Docker.VolumeCreate(t.Context(), volume.CreateOptions{Name: name, Labels: labels})
	if err != nil {
		t.Fatal(err)
	}
	noise := make([]byte, much/4)
	_, _ = rand.Read(noise)
	for _, file := range []string{"a", "b", "c", "d"} {
		if err := os.WriteFile(filepath.Join(made.Mountpoint, file), noise, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	at := map[string]*voldata.Volumes{}
	for _, s := range web {
		e, err := f.DataEngine(s.place.Node)
		if err != nil {
			t.Fatal(err)
		}
		at[s.node] = voldata.New(e, voldata.Options{Holder: "e2e"})
	}

	target := voldata.Target{Name: name, Labels: labels, Operation: "move/1/1/1"}
	from := at["node2"]
	for _, node := range []string{"node3", "node1"} {
		began := time.Now()
		sum, err := from.Copy(t.Context(), name, at[node], target, content.Options{})
		if err != nil {
			t.Fatalf("copy to %s: %v (%v)", node, err, errors.Unwrap(err))
		}
		t.Logf("%d MiB were written on %s and read back in %v", sum.Bytes>>20, node, time.Since(began).Round(time.Millisecond))
		there, err := at[node].Digest(t.Context(), name, content.Options{})
		if err != nil || there != sum || there.Bytes != much {
			t.Errorf("on %s there is %+v (%v), want %+v", node, there, err, sum)
		}
		from = at[node]
	}
	for _, node := range []string{"node2", "node3", "node1"} {
		want := target.Operation
		if node == "node2" {
			want = ""
		}
		if there, operation, err := f.VolumeOperation(t.Context(), f.nodeOf(t, web, node), name); err != nil || !there || operation != want {
			t.Errorf("%s: got %t, %q and %v, want what has made it", node, there, operation, err)
		}
	}
	for _, n := range f.lab.Nodes {
		nothingMounts(t, n)
	}
}

func (*watched) nodeOf(t *testing.T, web []subject, name string) string {
	t.Helper()
	for _, s := range web {
		if s.node == name {
			return s.place.Node
		}
	}
	t.Fatalf("nothing runs on %s", name)

	return ""
}

// nothingMounts wants no container to be left by which a volume was read or written.
func nothingMounts(t *testing.T, n *lab.Node) {
	t.Helper()
	left, err := n.Docker.ContainerList(t.Context(), container.ListOptions{All: true, Filters: filters.NewArgs(filters.Arg("label", voldata.LabelHolder))})
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range left {
		t.Errorf("container %v is left on %s", c.Names, n.Name)
	}
}
